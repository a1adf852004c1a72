/* rate.c -- see rate.h.
 *
 * Tokens are counted in thousandths, so that a bucket gains a whole number of them each
 * millisecond.
 */
#include "shared/access/rate.h"

#include <pthread.h>
#include <sys/random.h>

#include "shared/base/mem.h"
#include "shared/base/siphash.h"

enum {
    ROW_BUCKETS = 8,
    TOKEN = 1000,
};

struct bucket {
    uint64_t key; /* hashed with our secret; 0 in an unused bucket */
    int64_t tokens;
    int64_t filled_ms; /* when tokens was right */
    int64_t exempt_ms; /* until then nothing is taken */
};

struct row {
    pthread_mutex_t lock;
    struct bucket buckets[ROW_BUCKETS];
};

struct rate {
    int64_t per_second;
    int64_t burst;
    struct siphash_key secret;
    size_t row_count;
    struct row rows[];
};

enum err_code rate_new(int64_t per_second, int64_t burst, int64_t max_keys,
                       struct rate **ret_rate, struct err *err)
{
    size_t row_count = (size_t)(max_keys + ROW_BUCKETS - 1) / ROW_BUCKETS;
    struct rate *rate = mem_calloc(1, sizeof(*rate) + row_count * sizeof(rate->rows[0]));

    if (!rate)
        return err_set(err, ERR_NOMEM, "out of memory");
    rate->per_second = per_second;
    rate->burst = burst * TOKEN;
    rate->row_count = row_count;
    for (size_t i = 0; i < row_count; i++)
        (void)pthread_mutex_init(&rate->rows[i].lock, NULL); /* cannot fail on Linux */
    if (getrandom(&rate->secret, sizeof(rate->secret), 0) != sizeof(rate->secret)) {
        rate_free(rate);
        return err_set(err, ERR_UNAVAILABLE, "the system gave no random bytes");
    }
    *ret_rate = rate;
    return ERR_OK;
}

void rate_free(struct rate *rate)
{
    if (!rate)
        return;
    for (size_t i = 0; i < rate->row_count; i++)
        (void)pthread_mutex_destroy(&rate->rows[i].lock); /* nobody holds it */
    mem_free(rate);
}

/* The key's bucket, or the one to be used for it, filled. */
static struct bucket *find(const struct rate *rate, struct row *row, uint64_t key,
                           int64_t now_ms)
{
    struct bucket *oldest = &row->buckets[0];

    for (int i = 0; i < ROW_BUCKETS; i++) {
        struct bucket *bucket = &row->buckets[i];
        if (bucket->key == key)
            return bucket;
        if (bucket->key == 0 || bucket->filled_ms < oldest->filled_ms)
            oldest = bucket;
        if (bucket->key == 0)
            break; /* they are taken in order */
    }
    *oldest = (struct bucket){.key = key, .tokens = rate->burst, .filled_ms = now_ms};
    return oldest;
}

static void fill(const struct rate *rate, struct bucket *bucket, int64_t now_ms)
{
    int64_t passed_ms = now_ms - bucket->filled_ms;

    if (passed_ms <= 0)
        return; /* loops read the clock each on their own */
    bucket->filled_ms = now_ms;
    if (passed_ms > rate->burst / rate->per_second) {
        bucket->tokens = rate->burst;
        return;
    }
    bucket->tokens += passed_ms * rate->per_second;
    if (bucket->tokens > rate->burst)
        bucket->tokens = rate->burst;
}

/* The key's bucket at the time, in a row that is locked. */
static struct bucket *enter(struct rate *rate, const void *key, size_t len,
                            int64_t now_ms, struct row **ret_row)
{
    uint64_t hash =
        siphash(&rate->secret, key, len) | 1; /* never that of an unused one */
    struct row *row = &rate->rows[(hash >> 1) % rate->row_count];
    struct bucket *bucket;

    (void)pthread_mutex_lock(&row->lock);
    bucket = find(rate, row, hash, now_ms);
    fill(rate, bucket, now_ms);
    *ret_row = row;
    return bucket;
}

static void leave(struct row *row)
{
    (void)pthread_mutex_unlock(&row->lock);
}

static bool is_open(const struct bucket *bucket, int64_t now_ms)
{
    return bucket->tokens >= TOKEN || now_ms < bucket->exempt_ms;
}

bool rate_take(struct rate *rate, const void *key, size_t len, int64_t now_ms)
{
    struct row *row;
    struct bucket *bucket = enter(rate, key, len, now_ms, &row);
    bool has_token = is_open(bucket, now_ms);

    if (bucket->tokens >= TOKEN && now_ms >= bucket->exempt_ms)
        bucket->tokens -= TOKEN;
    leave(row);
    return has_token;
}

bool rate_has(struct rate *rate, const void *key, size_t len, int64_t now_ms)
{
    struct row *row;
    bool has_token = is_open(enter(rate, key, len, now_ms, &row), now_ms);

    leave(row);
    return has_token;
}

bool rate_exempt(struct rate *rate, const void *key, size_t len, int64_t now_ms,
                 int64_t until_ms)
{
    struct row *row;
    struct bucket *bucket = enter(rate, key, len, now_ms, &row);
    bool has_token = is_open(bucket, now_ms);

    if (has_token)
        bucket->exempt_ms = until_ms;
    leave(row);
    return has_token;
}
