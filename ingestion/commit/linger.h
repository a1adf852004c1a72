/* linger.h -- whether the next group should wait for the clients that were just answered.
 *
 * A Redis that flushes every write to its disk (appendfsync always) takes about as long for
 * one event as for a hundred.  A client that was just answered is about to send its next
 * event, and would find the next group gone, and the disk busy for another round.  So after a
 * group that took long, the next one waits until as many requests are there as clients were
 * waiting when the last one was answered, but at most half as long as that one took.
 *
 * A Redis that answers from memory is quicker than that, and nothing waits; nor does a
 * lone client, as no other event can come.
 *
 * Pure: the times are the caller's.
 */
#ifndef INGESTION_COMMIT_LINGER_H
#define INGESTION_COMMIT_LINGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group_linger {
    int64_t until_us; /* no longer than this */
    size_t target;    /* nor with so many requests */
    bool is_slow;
};

/* A group was answered that took took_us, and so many clients are about to send, or wait
 * already.  max_us is the longest that the next group may wait. */
void group_linger_begin(struct group_linger *linger, int64_t took_us, size_t clients,
                        int64_t now_us, int64_t max_us);

/* Whether a group of so many requests should wait for more. */
bool group_linger_is_on(const struct group_linger *linger, size_t requests,
                        int64_t now_us);

/* Whether the last group took long. */
bool group_linger_is_slow(const struct group_linger *linger);

#endif
