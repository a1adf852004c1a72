/* rate.h -- token buckets: how many events a key (a client's address, a site) may send.
 *
 * A bucket holds at most `burst` tokens, gains `per_second` of them each second, and gives
 * one for each event.  The table has a fixed size: when a row of it is full, the bucket that
 * was idle longest is forgotten, which can only be to the advantage of its key.
 *
 * Shared by all loops; each row has a lock of its own.
 */
#ifndef SHARED_ACCESS_RATE_H
#define SHARED_ACCESS_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct rate; /* opaque */

/* per_second > 0; max_keys buckets at most.  ERR_NOMEM, ERR_UNAVAILABLE (no entropy). */
enum err_code rate_new(int64_t per_second, int64_t burst, int64_t max_keys,
                       struct rate **ret_rate, struct err *err) MUST_CHECK;
void rate_free(struct rate *rate);

/* Takes one token of the key's bucket at the monotonic time now_ms; false: it is empty. */
bool rate_take(struct rate *rate, const void *key, size_t len, int64_t now_ms);

/* Whether the bucket has a token, which stays there. */
bool rate_has(struct rate *rate, const void *key, size_t len, int64_t now_ms);

/* The same, and if it has one, the key gets all that it asks for until until_ms, or until it
 * is forgotten. */
bool rate_exempt(struct rate *rate, const void *key, size_t len, int64_t now_ms,
                 int64_t until_ms);

#endif
