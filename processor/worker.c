/* worker.c -- see worker.h. */
#include "processor/worker.h"

#include "processor/conf.h"
#include "processor/health.h"
#include "processor/lifecycle.h"
#include "processor/queue/lease.h"
#include "processor/queue/queue.h"
#include "processor/report.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/event/event.h"

enum {
    POLL_MS = 50,         /* between two polls of a queue where BLMOVE cannot wait */
    LOG_EVERY_MS = 10000, /* a worker says the same at most so often */
    LOST_WORKERS_MAX = 3, /* after so many the batch is run job by job */
    SUSPECT_HITS_MAX = 2, /* so many workers were lost at a job: it is dead */
    TIMEOUTS_MAX = 3,     /* after so many the transaction is halved */
    STAND_BY_TIMES = 10,  /* the other workers pause so many times as long */
};

enum outcome {
    STORED,
    TOO_SLOW, /* try with fewer jobs */
    LOST,     /* somebody else has the batch */
    STOPPED,
};

enum err_code worker_init(struct worker *worker, const struct processor_conf *conf,
                          const struct redis_url *url, size_t number, struct err *err)
{
    *worker = (struct worker){.conf = conf, .number = number};
    batch_init(&worker->batch);
    store_init(&worker->store, conf);
    retry_init(&worker->redis_retry, conf->retry_base_ms, conf->retry_max_ms,
               retry_seed());
    retry_init(&worker->postgres_retry, conf->retry_base_ms, conf->retry_max_ms,
               retry_seed());
    worker->queue = queue_of_conf(conf, url);
    worker->parser = event_parser_new();
    if (!worker->queue || !worker->parser)
        return err_set(err, ERR_NOMEM, "out of memory");
    return ERR_OK;
}

void worker_release(struct worker *worker)
{
    queue_free(worker->queue);
    event_parser_free(worker->parser);
    batch_release(&worker->batch);
    store_release(&worker->store);
}

/* --- failures -------------------------------------------------------------------- */

static void log_failure(struct log_limit *lifecycle, const char *msg, const char *batch,
                        unsigned tries, const struct err *err)
{
    bool is_halt = err_action(err->code) == ACTION_HALT;
    int64_t suppressed;

    if (log_limit_allows(lifecycle, LOG_EVERY_MS, &suppressed))
        log_line(is_halt ? LOG_ERROR : LOG_WARN, msg,
                 LOG_FIELDS(log_text("batch", batch), log_int("tries", tries),
                            log_text("error", err_name(err->code)),
                            log_text("reason", err->msg),
                            log_int("suppressed", suppressed)));
}

/* Waits before the next try.  False: the process stops. */
static bool pause_after(struct worker *worker, struct retry *retry, enum err_code code)
{
    int64_t ms = retry_next_ms(retry);

    if (err_action(code) == ACTION_HALT)
        ms = retry_around_ms(retry, worker->conf->halt_retry_ms);
    return lifecycle_pause(worker->lifecycle, ms);
}

static bool redis_failed(struct worker *worker, const char *batch, const struct err *err)
{
    health_set(worker->health, worker->number, HEALTH_REDIS, err->code);
    metric_add(&worker->metrics.queue_failures[err->code], 1);
    log_failure(&worker->redis_log, "Redis failed", batch, worker->redis_retry.tries + 1,
                err);
    return pause_after(worker, &worker->redis_retry, err->code);
}

static void redis_is_well(struct worker *worker)
{
    health_set(worker->health, worker->number, HEALTH_REDIS, ERR_OK);
    retry_clear(&worker->redis_retry);
}

static bool postgres_failed(struct worker *worker, const struct claim *claim,
                            const struct err *err)
{
    struct err ignored;

    health_set(worker->health, worker->number, HEALTH_POSTGRES, err->code);
    metric_add(&worker->metrics.store_failures[err->code], 1);
    log_failure(&worker->postgres_log, "could not store a batch", claim->id,
                worker->postgres_retry.tries + 1, err);
    /* The note is for people: when it fails the batch is none the worse for it. */
    if (queue_note(worker->queue, claim->id, err->msg, &ignored))
        log_line(LOG_DEBUG, "could not note a failure", NULL);
    return pause_after(worker, &worker->postgres_retry, err->code);
}

static void postgres_is_well(struct worker *worker, const struct claim *claim)
{
    if (worker->postgres_retry.tries > 0)
        log_line(LOG_INFO, "stored a batch after failures",
                 LOG_FIELDS(log_text("batch", claim->id),
                            log_int("tries", worker->postgres_retry.tries)));
    health_set(worker->health, worker->number, HEALTH_POSTGRES, ERR_OK);
    retry_clear(&worker->postgres_retry);
}

/* The batch that met them is somebody else's now; how Postgres is, the maintainer knows. */
static void forget_failures(struct worker *worker)
{
    health_set(worker->health, worker->number, HEALTH_POSTGRES, ERR_OK);
    retry_clear(&worker->postgres_retry);
}

/* --- storing ----------------------------------------------------------------------- */

static void log_dead(struct worker *worker)
{
    const struct batch *batch = &worker->batch;
    int64_t suppressed;

    if (batch->dead == 0 ||
        !log_limit_allows(&worker->dead_log, LOG_EVERY_MS, &suppressed))
        return;
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->items[i].is_dead)
            continue;
        log_line(LOG_WARN, "moved jobs to dead_letters",
                 LOG_FIELDS(log_text("batch", batch->id),
                            log_int("jobs", (int64_t)batch->dead),
                            log_text("first_reason", batch->items[i].reason),
                            log_int("suppressed", suppressed)));
        return;
    }
}

/* Makes rows of the claim's jobs from `first` on, `count` of them. */
static enum err_code load(struct worker *worker, const struct claim *claim, size_t first,
                          size_t count, struct err *err)
{
    enum err_code code = ERR_OK;

    batch_begin(&worker->batch, claim->id);
    for (size_t place = first; place < first + count && !code; place++) {
        size_t len;
        const char *job = claim_job(claim, place, &len);

        if (claim->suspect == (int64_t)place && claim->suspect_hits >= SUSPECT_HITS_MAX)
            code = batch_add_dead(&worker->batch, place, job, len,
                                  "its processor was lost each time it was stored", err);
        else
            code = batch_add(&worker->batch, worker->parser, place, job, len, err);
    }
    if (!code)
        code = batch_complete(&worker->batch, err);
    batch_sort(&worker->batch);
    return code;
}

static void count_stored(struct worker *worker)
{
    size_t alive = batch_alive(&worker->batch);

    metric_add(&worker->metrics.rows_stored, (int64_t)worker->store.inserted);
    metric_add(&worker->metrics.rows_present, (int64_t)(alive - worker->store.inserted));
    metric_add(&worker->metrics.dead, (int64_t)worker->batch.dead);
}

static bool runs_by_job(const struct claim *claim)
{
    return claim->attempts > LOST_WORKERS_MAX;
}

/* Marks the job that is about to be run alone, so that the next worker knows which one it
 * was if we do not live to take the mark back.  Without it such a job is only found later. */
static void mark(struct worker *worker, const struct claim *claim, size_t place,
                 bool is_set)
{
    int64_t before = claim->suspect == (int64_t)place ? claim->suspect_hits : 0;
    struct err ignored;

    if (queue_mark(worker->queue, claim->id, place, is_set ? before + 1 : 0, &ignored))
        log_line(LOG_DEBUG, "could not mark a job", NULL);
}

/* Stores some of the claim's jobs, however long it takes. */
static enum outcome store_some(struct worker *worker, const struct claim *claim,
                               size_t first, size_t count)
{
    bool is_adopted = claim->attempts > 1;
    bool is_alone = runs_by_job(claim);
    bool is_last = first + count == claim->count; /* no mark of the next one follows */
    unsigned timeouts = 0;

    for (;;) {
        struct err err;
        enum err_code code = load(worker, claim, first, count, &err);

        if (is_alone)
            mark(worker, claim, first, true);
        if (!code)
            code = store_batch(&worker->store, &worker->batch, is_adopted, &err);
        if (is_alone && (code || is_last)) /* it did not kill us */
            mark(worker, claim, first, false);
        if (!code) {
            postgres_is_well(worker, claim);
            count_stored(worker);
            log_dead(worker);
            return STORED;
        }
        if (code == ERR_TIMEOUT && ++timeouts >= TIMEOUTS_MAX && count > 1)
            return TOO_SLOW;
        if (!postgres_failed(worker, claim, &err))
            return STOPPED;
        if (leases_is_lost(worker->leases, worker->number))
            return LOST;
    }
}

/* Stores all jobs of the claim that it holds: in one transaction, unless the batch has cost workers
 * before or is too slow.  *ret_stored counts those that are not dead. */
static enum outcome store_all(struct worker *worker, const struct claim *claim,
                              size_t *ret_stored)
{
    size_t most = runs_by_job(claim) ? 1 : claim->count;
    size_t first = 0;

    *ret_stored = 0;
    if (!leases_hold(worker->leases, worker->number, claim->id,
                     queue_owner(worker->queue)))
        return STOPPED;
    while (first < claim->count) {
        size_t left = claim->count - first;
        size_t count = left < most ? left : most;
        enum outcome outcome = store_some(worker, claim, first, count);

        if (outcome == LOST || outcome == STOPPED)
            return outcome;
        if (outcome == TOO_SLOW) {
            most = count / 2;
            continue;
        }
        first += count;
        *ret_stored += batch_alive(&worker->batch);
    }
    return STORED;
}

/* --- acknowledging ----------------------------------------------------------------- */

static void acknowledge(struct worker *worker, const struct claim *claim, size_t stored,
                        int64_t began_ms)
{
    for (;;) {
        struct err err;
        int64_t total = -1;
        enum err_code code = FAILPOINT("worker.stored", &err);

        if (!code)
            code =
                queue_ack(worker->queue, claim->id, claim->count, stored, &total, &err);
        if (!code)
            code = FAILPOINT("worker.acknowledged", &err);
        if (!code) {
            redis_is_well(worker);
            if (total >= 0) /* otherwise somebody else has counted the batch */
                report_print(total, stored, clock_mono_ms() - began_ms,
                             worker->conf->log_jobs_max);
            return;
        }
        if (!redis_failed(worker, claim->id, &err))
            return; /* the next owner will find every row there already */
    }
}

static void count_batch(struct worker *worker, const struct claim *claim,
                        int64_t began_us)
{
    metric_observe(&worker->metrics.batch_us, &metric_times_us,
                   clock_mono_us() - began_us);
    metric_observe(&worker->metrics.batch_jobs, &metric_batch_jobs,
                   (int64_t)claim->count);
}

static void hand_back(struct worker *worker, const struct claim *claim)
{
    struct err err;
    enum err_code code = FAILPOINT("worker.hand_back", &err);

    if (!code)
        code =
            queue_hand_back(worker->queue, claim->id, queue_owner(worker->queue), &err);
    if (code)
        log_line(LOG_WARN, "could not hand a batch back",
                 LOG_FIELDS(log_text("batch", claim->id), log_text("reason", err.msg)));
}

static void process(struct worker *worker, const struct claim *claim)
{
    int64_t began_us = clock_mono_us();
    size_t stored = 0;

    if (claim->attempts > 1) {
        metric_add(&worker->metrics.taken_over, 1);
        log_line(LOG_WARN, "took a batch over",
                 LOG_FIELDS(log_text("batch", claim->id),
                            log_int("attempts", claim->attempts),
                            log_int("jobs", (int64_t)claim->count)));
    }
    metric_set(&worker->metrics.is_busy, 1);
    switch (store_all(worker, claim, &stored)) {
    case STORED:
        lifecycle_note_rows(worker->lifecycle);
        acknowledge(worker, claim, stored, began_us / 1000);
        count_batch(worker, claim, began_us);
        break;
    case STOPPED:
        metric_add(&worker->metrics.handed_back, 1);
        hand_back(worker, claim);
        break;
    case LOST:
        metric_add(&worker->metrics.lost, 1);
        forget_failures(worker);
        break;
    case TOO_SLOW:
        break;
    }
    leases_drop(worker->leases, worker->number);
    metric_set(&worker->metrics.is_busy, 0);
}

int64_t worker_pause_ms(const struct processor_conf *conf, size_t number,
                        const struct claim *claim)
{
    if (claim->count <= 1 || claim->is_large)
        return 0;
    return number == 0 ? conf->batch_pause_ms : conf->batch_pause_ms * STAND_BY_TIMES;
}

/* Stores the claim's jobs, then pauses. */
static void work_off(struct worker *worker, struct claim *claim)
{
    int64_t pause_ms = worker_pause_ms(worker->conf, worker->number, claim);

    process(worker, claim);
    queue_drop_claim(claim);
    if (pause_ms > 0) /* worker_run() asks whether it stops */
        (void)lifecycle_pause(worker->lifecycle, pause_ms);
}

void worker_run(struct worker *worker)
{
    bool is_running = lifecycle_wait_open(worker->lifecycle);

    while (is_running) {
        struct claim claim = {.count = 0};
        struct err err;
        enum err_code code = queue_claim(worker->queue, &claim, &err);

        if (!code && claim.count > 0)
            code = FAILPOINT("worker.claimed", &err);
        if (!code && claim.attempts > 1)
            code = FAILPOINT("worker.taken_over", &err);
        if (code) {
            queue_drop_claim(&claim);
            is_running = redis_failed(worker, "", &err);
            continue;
        }
        redis_is_well(worker);
        if (claim.count > 0)
            work_off(worker, &claim);
        else if (claim.must_pause)
            (void)lifecycle_pause(worker->lifecycle, POLL_MS); /* asked below */
        queue_drop_claim(&claim);
        is_running = !lifecycle_is_stopping(worker->lifecycle);
    }
    queue_leave(worker->queue);
}
