/* lease.h -- the leases of the batches that the workers have under way.
 *
 * One thread renews them all, with a connection to Redis of its own, so that a worker may
 * wait for Postgres as long as it takes.  When a lease turns out to be somebody else's the
 * worker is told and leaves the batch alone.  At the end it waits for the workers to end, and
 * hands back what they still hold when it has waited long enough.
 *
 * All but _init(), _release() and lease_renewer_run() are for the workers; thread-safe.
 */
#ifndef PROCESSOR_QUEUE_LEASE_H
#define PROCESSOR_QUEUE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "processor/monitor.h"
#include "processor/queue/queue.h"
#include "shared/base/err.h"
#include "shared/base/log.h"

struct lifecycle;
struct health;

enum {
    LEASES_MAX = 32 /* workers */
};

struct lease {
    bool is_held;
    bool is_lost;
    char id[QUEUE_ID_MAX + 1];
    char owner[UUID_TEXT_LEN + 1];
};

struct leases {
    struct monitor monitor; /* told when a worker ends */
    size_t workers_running;
    bool are_over; /* nobody renews any more, nor hands back */
    struct lease of_worker[LEASES_MAX];
};

/* ERR_NOMEM. */
enum err_code leases_init(struct leases *leases, struct err *err) MUST_CHECK;
void leases_release(struct leases *leases);

/* From before a worker's thread begins until it ends. */
void leases_enter(struct leases *leases);
void leases_leave(struct leases *leases);

/* False: it is too late, the worker has to hand the batch back. */
bool leases_hold(struct leases *leases, size_t worker, const char *id,
                 const char *owner) MUST_CHECK;
void leases_drop(struct leases *leases, size_t worker);
bool leases_is_lost(struct leases *leases, size_t worker);

struct lease_renewer {
    struct leases *leases; /* these four borrowed */
    struct lifecycle *lifecycle;
    struct health *health;
    struct queue *queue;
    size_t thread; /* its number in health */
    int64_t lease_ms;
    int64_t shutdown_timeout_ms;
    char cursor[QUEUE_CURSOR_MAX]; /* of the search for batches without a lease */
    struct log_limit log;
};

/* The thread: returns after the process has begun to stop, when all workers have ended or
 * shutdown_timeout_ms have passed, and everything held has been handed back. */
void lease_renewer_run(struct lease_renewer *renewer);

#endif
