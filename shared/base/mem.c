/* mem.c -- see mem.h. */
#include "shared/base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic long countdown = -1;

static bool is_failing(void)
{
    if (atomic_load_explicit(&countdown, memory_order_relaxed) < 0)
        return false;
    return atomic_fetch_sub(&countdown, 1) == 0;
}

void mem_fail_after(long after)
{
    atomic_store(&countdown, after);
}

void *mem_alloc(size_t size)
{
    return is_failing() ? NULL : malloc(size ? size : 1);
}

void *mem_calloc(size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total) || is_failing())
        return NULL;
    return calloc(1, total ? total : 1);
}

void *mem_realloc(void *block, size_t size)
{
    return is_failing() ? NULL : realloc(block, size ? size : 1);
}

char *mem_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = mem_alloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

void mem_free(void *block)
{
    free(block);
}
