/* arena.h -- memory that is given out piece by piece and taken back all at once.
 *
 * For the objects of one parse: no call to the allocator for each, and a hard limit on
 * them all together.
 */
#ifndef SHARED_BASE_ARENA_H
#define SHARED_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct arena {
    char *block; /* owned; NULL before arena_init() */
    size_t size;
    size_t used;
};

/* Takes one block of size bytes from the heap.  ERR_NOMEM. */
enum err_code arena_init(struct arena *arena, size_t size) MUST_CHECK;
void arena_release(struct arena *arena);

/* Aligned for any type; NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t size);

/* Takes everything back. */
void arena_clear(struct arena *arena);

/* True when block was given out by this arena. */
bool arena_owns(const struct arena *arena, const void *block);

#endif
