/* worker.h -- one worker: claim, parse, one transaction, acknowledge.
 *
 *   WAITING --jobs--> STORING --committed--> ACKNOWLEDGING --done--> PAUSING --> WAITING
 *                     |    ^  \--lease lost-> WAITING (somebody else has the batch)
 *                     v    |
 *                     RETRYING (outage: backoff with jitter; halt: slowly, alarmed)
 *                     |
 *                     +--stop--> batch handed back, end
 *
 * A worker that keeps up with the queue would store a few jobs at a time, at the price of a
 * transaction each.  So it pauses for a moment (BATCH_PAUSE_MS) while more of them come.
 *
 * A batch is never dropped: it is acknowledged after COMMIT, or somebody else gets it.
 * Each worker is a thread with its own connections; straight-line code.
 */
#ifndef PROCESSOR_WORKER_H
#define PROCESSOR_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "processor/metrics.h"
#include "processor/retry.h"
#include "processor/store/batch.h"
#include "processor/store/store.h"
#include "shared/base/err.h"
#include "shared/base/log.h"

struct claim;
struct event_parser;
struct lifecycle;
struct health;
struct leases;
struct processor_conf;
struct queue;
struct redis_url;

struct worker {
    const struct processor_conf *conf; /* these four borrowed */
    struct lifecycle *lifecycle;
    struct health *health;
    struct leases *leases;
    size_t number;               /* of the worker, in leases and in health */
    struct queue *queue;         /* owned */
    struct event_parser *parser; /* owned */
    struct batch batch;
    struct store store;
    struct retry redis_retry;
    struct retry postgres_retry;
    struct log_limit redis_log;
    struct log_limit postgres_log;
    struct log_limit dead_log;
    struct worker_metrics metrics;
};

/* ERR_NOMEM.  worker_release() takes a half-built worker too. */
enum err_code worker_init(struct worker *worker, const struct processor_conf *conf,
                          const struct redis_url *url, size_t number,
                          struct err *err) MUST_CHECK;
void worker_release(struct worker *worker);

/* How long a worker pauses after this batch: not at all after a single job, which may be the
 * only one, nor after a large batch, which more may follow.  The first worker keeps up alone
 * if it can, and the others claim now and then: two that share what one can do store it in
 * smaller batches, and take time from everything else on the machine.  Pure. */
int64_t worker_pause_ms(const struct processor_conf *conf, size_t number,
                        const struct claim *claim);

/* The thread: returns after the process has begun to stop. */
void worker_run(struct worker *worker);

#endif
