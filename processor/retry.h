/* retry.h -- how long to wait before the next try: exponential backoff with full jitter.
 *
 * The n-th pause is drawn evenly from 1 to min(max_ms, base_ms * 2^n), so that many
 * workers that failed together do not come back together.  Pure; the randomness is the
 * caller's seed.
 */
#ifndef PROCESSOR_RETRY_H
#define PROCESSOR_RETRY_H

#include <stdint.h>

struct retry {
    int64_t base_ms;
    int64_t max_ms;
    unsigned tries; /* failed so far */
    uint64_t seed;
};

void retry_init(struct retry *retry, int64_t base_ms, int64_t max_ms, uint64_t seed);

/* A seed that no other process or thread has. */
uint64_t retry_seed(void);

/* Counts one more failure and returns the pause after it. */
int64_t retry_next_ms(struct retry *retry);

/* After a success: the next failure is the first again. */
void retry_clear(struct retry *retry);

/* A pause from half of ms to ms, for what is tried slowly and evenly. */
int64_t retry_around_ms(struct retry *retry, int64_t ms);

#endif
