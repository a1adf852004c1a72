/* arrivals.c -- see arrivals.h. */
#include "ingestion/ways/arrivals.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/event/event.h"

enum {
    SETS = 2048, /* 128 kB in all; a fallback of a page comes within seconds */
    WAYS = 4
};

struct arrival {
    uint64_t hash;
    int64_t ms; /* 0: empty */
};

struct arrivals {
    uv_mutex_t lock;
    struct siphash_key key; /* so that nobody chooses whose time is forgotten */
    struct arrival sets[SETS][WAYS];
};

enum err_code arrivals_new(struct arrivals **ret_arrivals, struct err *err)
{
    struct arrivals *arrivals = mem_calloc(1, sizeof(*arrivals));

    if (!arrivals || uv_mutex_init(&arrivals->lock) != 0) {
        mem_free(arrivals);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (getrandom(&arrivals->key, sizeof(arrivals->key), 0) != sizeof(arrivals->key)) {
        arrivals_free(arrivals);
        return err_set(err, ERR_UNAVAILABLE, "could not get random bytes: %s",
                       strerror(errno));
    }
    *ret_arrivals = arrivals;
    return ERR_OK;
}

void arrivals_free(struct arrivals *arrivals)
{
    if (!arrivals)
        return;
    uv_mutex_destroy(&arrivals->lock);
    mem_free(arrivals);
}

static uint64_t hash_of(const struct arrivals *arrivals, const struct event *event)
{
    struct siphash_state state = siphash_begin(&arrivals->key);

    siphash_add(&state, event->event_id.bytes, sizeof(event->event_id.bytes));
    siphash_add(&state, event->site_id.bytes, event->site_id.len);
    return siphash_end(&state);
}

static bool is_kept(const struct arrival *arrival, int64_t now_ms)
{
    return arrival->ms <= now_ms && now_ms - arrival->ms < ARRIVALS_KEPT_MS;
}

int64_t arrivals_take(struct arrivals *arrivals, const struct event *event,
                      int64_t now_ms)
{
    uint64_t hash = hash_of(arrivals, event);
    struct arrival *set = arrivals->sets[hash % SETS];
    struct arrival *oldest = set;
    struct arrival *found = NULL;

    uv_mutex_lock(&arrivals->lock);
    for (struct arrival *at = set; at < set + WAYS; at++) {
        if (at->hash == hash && is_kept(at, now_ms))
            found = at;
        if (at->ms < oldest->ms)
            oldest = at;
    }
    if (found)
        now_ms = found->ms;
    else
        *oldest = (struct arrival){hash, now_ms};
    uv_mutex_unlock(&arrivals->lock);
    return now_ms;
}
