/* linger.c -- see linger.h. */
#include "ingestion/commit/linger.h"

enum {
    SLOW_US = 400 /* a Redis that takes longer waits for its disk, or for a processor */
};

void group_linger_begin(struct group_linger *linger, int64_t took_us, size_t clients,
                        int64_t now_us, int64_t max_us)
{
    bool is_slow = took_us >= SLOW_US;
    int64_t wait_us = is_slow ? took_us / 2 : 0;

    if (wait_us > max_us)
        wait_us = max_us;
    *linger = (struct group_linger){
        .until_us = now_us + wait_us, .target = clients, .is_slow = is_slow};
}

bool group_linger_is_on(const struct group_linger *linger, size_t requests,
                        int64_t now_us)
{
    return requests < linger->target && now_us < linger->until_us;
}

bool group_linger_is_slow(const struct group_linger *linger)
{
    return linger->is_slow;
}
