/* budget.h -- how much memory the unfinished bodies of all connections may hold together.
 *
 * A client decides when its body ends.  MAX_CONNECTIONS bodies of the largest size, each a
 * byte short, would be more memory than a machine has.  Shared by all loops of a daemon.
 */
#ifndef SHARED_WIRE_BUDGET_H
#define SHARED_WIRE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct http_budget {
    size_t max_bytes;
    _Atomic size_t used_bytes;
};

/* Takes so many bytes of the budget, or none and returns false. */
static inline bool http_budget_take(struct http_budget *budget, size_t bytes)
{
    size_t used = atomic_fetch_add(&budget->used_bytes, bytes) + bytes;

    if (used <= budget->max_bytes)
        return true;
    (void)atomic_fetch_sub(&budget->used_bytes, bytes);
    return false;
}

static inline void http_budget_give(struct http_budget *budget, size_t bytes)
{
    (void)atomic_fetch_sub(&budget->used_bytes, bytes);
}

#endif
