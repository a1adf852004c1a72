/* linger.c -- see linger.h. */
#include "ingestion/commit/linger.h"

enum {
    SLOW_US = 400 /* a Redis that takes longer waits for its disk, or for a processor */
};

void gather_begin(struct gather *gather, int64_t took_us, size_t clients, int64_t now_us,
                  int64_t max_us)
{
    bool is_slow = took_us >= SLOW_US;
    int64_t wait_us = is_slow ? took_us / 2 : 0;

    if (wait_us > max_us)
        wait_us = max_us;
    *gather = (struct gather){
        .until_us = now_us + wait_us, .target = clients, .is_slow = is_slow};
}

bool gather_is_on(const struct gather *gather, size_t events, int64_t now_us)
{
    return events < gather->target && now_us < gather->until_us;
}

bool gather_is_slow(const struct gather *gather)
{
    return gather->is_slow;
}
