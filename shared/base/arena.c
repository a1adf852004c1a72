/* arena.c -- see arena.h. */
#include "shared/base/arena.h"

#include <stdalign.h>
#include <stdint.h>

#include "shared/base/mem.h"

static const size_t align = alignof(max_align_t);

enum err_code arena_init(struct arena *arena, size_t size)
{
    *arena = (struct arena){.block = mem_alloc(size)};
    if (!arena->block)
        return ERR_NOMEM;
    arena->size = size;
    return ERR_OK;
}

void arena_release(struct arena *arena)
{
    mem_free(arena->block);
    *arena = (struct arena){0};
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t room = arena->size - arena->used;
    size_t start = arena->used;

    if (size > room)
        return NULL;
    size += (align - size % align) % align;
    arena->used += size < room ? size : room; /* padding needs no room at the end */
    return arena->block + start;
}

void arena_clear(struct arena *arena)
{
    arena->used = 0;
}

bool arena_owns(const struct arena *arena, const void *block)
{
    uintptr_t start = (uintptr_t)arena->block;
    uintptr_t at = (uintptr_t)block;

    return arena->block && at >= start && at - start < arena->size;
}
