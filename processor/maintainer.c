/* maintainer.c -- see maintainer.h. */
#include "processor/maintainer.h"

#include "processor/conf.h"
#include "processor/health.h"
#include "processor/lifecycle.h"
#include "processor/migrate.h"
#include "processor/rollup/rollup.h"
#include "processor/session.h"
#include "processor/standbys.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/pg/conn.h"

enum {
    LOG_EVERY_MS = 10000,
    ASIDE_LOG_EVERY_MS = 1000,
    POLL_TIMEOUT_MS = 4000,  /* of a cheap statement: /readyz learns from it */
    WRITERS_WAIT_MS = 200,   /* then asks whether the process stops */
    ELSEWHERE_MS = 20,       /* another processor is rolling up: poll again then */
    UPKEEP_AGAIN_MS = 60000, /* after one that could not get its locks */
    UPKEEP_MORE_MS = 500,    /* after one that left something to do */
    VISITS_EVERY_MS = 60000,
};

void maintainer_init(struct maintainer *maintainer, const struct processor_conf *conf)
{
    *maintainer = (struct maintainer){
        .conf = conf,
        .patience_ms = session_patience_ms(conf->rollup_timeout_ms),
    };
    pace_init(&maintainer->pace, conf->rollup_pause_times, conf->rollup_lag_max_ms,
              conf->batch_pause_ms, clock_mono_ms());
    rollup_size_init(&maintainer->size, conf->rollup_max_rows, conf->rollup_chunk_ms);
    retry_init(&maintainer->retry, conf->retry_base_ms, conf->retry_max_ms, retry_seed());
    metric_set(&maintainer->metrics.rollup_fresh_ms, clock_mono_ms());
}

static void forget_bound(struct maintainer *maintainer)
{
    rollup_clear_bound(&maintainer->bound);
    maintainer->has_bound = false;
}

static void disconnect(struct maintainer *maintainer)
{
    forget_bound(maintainer);
    PQfinish(maintainer->conn); /* NULL is fine */
    maintainer->conn = NULL;
}

void maintainer_release(struct maintainer *maintainer)
{
    disconnect(maintainer);
}

/* --- schema ------------------------------------------------------------------------ */

static struct upkeep *upkeep_of(struct maintainer *maintainer)
{
    maintainer->upkeep.conf = maintainer->conf;
    maintainer->upkeep.metrics = &maintainer->metrics;
    maintainer->upkeep.conn = maintainer->conn;
    maintainer->upkeep.patience_ms = maintainer->patience_ms;
    return &maintainer->upkeep;
}

static enum err_code connect_and_migrate(struct maintainer *maintainer, struct err *err)
{
    struct session_options options = {
        .conf = maintainer->conf,
        .application_name = "analytics-rollup",
        .statement_timeout_ms = maintainer->conf->rollup_timeout_ms,
        .is_before_migration = true,
        .last_host = &maintainer->last_host,
    };
    int applied = 0;
    enum err_code code = session_open(&options, &maintainer->conn, err);

    if (code)
        return code;
    code = migrate_run(maintainer->conn, &applied, err);
    if (!code)
        code = standbys_check(maintainer->conn, POLL_TIMEOUT_MS, err);
    if (!code)
        code = FAILPOINT("maintainer.migrated", err);
    if (!code)
        code = upkeep_configure(upkeep_of(maintainer), err);
    if (code == ERR_CONFIG)
        maintainer->refusal = *err;
    if (!code && applied > 0)
        log_line(LOG_INFO, "migrated the database",
                 LOG_FIELDS(log_int("applied", applied),
                            log_int("version", migrate_version())));
    return code;
}

/* --- upkeep ------------------------------------------------------------------------ */

/* What upkeep cannot do, because a lock, a privilege or time is missing, is tried again later and
 * keeps nothing else from being done: events_default takes the rows meanwhile.  Fails only
 * when the connection is of no further use. */
static enum err_code upkeep(struct maintainer *maintainer, struct err *err)
{
    int64_t interval_ms = maintainer->conf->upkeep_interval_ms;
    int64_t again_ms = interval_ms < UPKEEP_AGAIN_MS ? interval_ms : UPKEEP_AGAIN_MS;
    enum err_code code;

    if (clock_mono_ms() >= maintainer->visits_at_ms) {
        maintainer->visits_at_ms = clock_mono_ms() + VISITS_EVERY_MS;
        code = upkeep_count_visits(upkeep_of(maintainer), err);
        if (code)
            return code;
    }
    if (clock_mono_ms() < maintainer->upkeep_at_ms)
        return ERR_OK;
    maintainer->upkeep_at_ms = clock_mono_ms() + again_ms;
    code = upkeep_run(upkeep_of(maintainer), err);
    if (!code) {
        if (maintainer->upkeep.leaves_more && interval_ms > UPKEEP_MORE_MS)
            interval_ms = UPKEEP_MORE_MS;
        maintainer->upkeep_at_ms = clock_mono_ms() + interval_ms;
        return ERR_OK;
    }
    if (PQtransactionStatus(maintainer->conn) != PQTRANS_IDLE)
        return code;
    log_line(code == ERR_BUSY ? LOG_WARN : LOG_ERROR, "could not keep up the partitions",
             LOG_FIELDS(log_text("error", err_name(code)), log_text("reason", err->msg)));
    return ERR_OK;
}

enum err_code maintainer_migrate(struct maintainer *maintainer, struct err *err)
{
    enum err_code code = connect_and_migrate(maintainer, err);

    if (code)
        return code;
    code = upkeep_run(upkeep_of(maintainer), err);
    return code == ERR_BUSY ? ERR_OK : code; /* a processor will do it, then */
}

/* --- roll-up ----------------------------------------------------------------------- */

static void count_chunk(struct maintainer *maintainer, const struct rollup_chunk *chunk,
                        int64_t began_us)
{
    struct maintainer_metrics *metrics = &maintainer->metrics;

    metric_observe(&metrics->rollup_us, &metric_times_us, clock_mono_us() - began_us);
    metric_add(&metrics->rollup_rows, chunk->taken);
    if (chunk->is_done)
        metric_set(&metrics->rollup_fresh_ms, maintainer->bound_ms);
}

static enum err_code find_bound(struct maintainer *maintainer, struct err *err)
{
    enum err_code code;

    forget_bound(maintainer);
    maintainer->bound_ms = clock_mono_ms();
    code = rollup_find_bound(maintainer->conn, maintainer->patience_ms,
                             &maintainer->bound, err);
    maintainer->has_bound = !code;
    return code;
}

/* Finds a bound and waits for the writers below it.  *ret_is_settled is false when one of
 * them takes longer than a turn: the next turn goes on waiting. */
static enum err_code settle(struct maintainer *maintainer, bool *ret_is_settled,
                            struct err *err)
{
    enum err_code code = ERR_OK;
    int64_t suppressed;

    if (!maintainer->has_bound)
        code = find_bound(maintainer, err);
    if (!code)
        code = rollup_await(maintainer->conn, WRITERS_WAIT_MS, maintainer->patience_ms,
                            &maintainer->bound, err);
    if (code)
        return code;
    *ret_is_settled = maintainer->bound.writers == NULL;
    if (!*ret_is_settled && clock_mono_ms() - maintainer->bound_ms > LOG_EVERY_MS &&
        log_limit_allows(&maintainer->busy_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "the roll-up waits for a transaction that writes to events",
                 LOG_FIELDS(log_text("transactions", maintainer->bound.writers),
                            log_int("ms", clock_mono_ms() - maintainer->bound_ms)));
    return ERR_OK;
}

/* Each event that is set aside is told, but for a flood of them. */
static void tell_aside(struct maintainer *maintainer, const struct rollup_chunk *chunk)
{
    int64_t suppressed;

    metric_add(&maintainer->metrics.rollup_set_aside, 1);
    if (log_limit_allows(&maintainer->aside_log, ASIDE_LOG_EVERY_MS, &suppressed))
        log_line(LOG_ERROR,
                 "set an event aside that cannot be rolled up: it is stored and "
                 "not counted",
                 LOG_FIELDS(log_int("id", chunk->aside_id),
                            log_text("reason", chunk->reason),
                            log_int("suppressed", suppressed)));
}

/* A smaller chunk comes next: at once where Postgres itself has refused this one and nothing
 * else is wrong, else as after any failure. */
static enum err_code shrink(struct maintainer *maintainer, int64_t position,
                            int64_t waiting, struct err *err)
{
    bool is_last = waiting <= 1 || maintainer->size.rows <= 1;
    enum err_action action = err_action(err->code);
    int64_t suppressed;

    rollup_size_fail(&maintainer->size, err->code, position, waiting);
    if (is_last || action == ACTION_RETRY || err->code == ERR_DENIED ||
        err->code == ERR_SCHEMA || err->code == ERR_CONFIG ||
        PQtransactionStatus(maintainer->conn) != PQTRANS_IDLE)
        return err->code;
    metric_add(&maintainer->metrics.failures[err->code], 1);
    if (log_limit_allows(&maintainer->size_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "the roll-up failed and takes fewer events",
                 LOG_FIELDS(log_text("error", err_name(err->code)),
                            log_text("reason", err->msg),
                            log_int("events", maintainer->size.rows),
                            log_int("suppressed", suppressed)));
    return ERR_OK;
}

/* Rolls up, or sets the next event aside that stands in the way. */
static enum err_code run_chunk(struct maintainer *maintainer, int64_t position,
                               struct rollup_chunk *ret_chunk, struct err *err)
{
    struct rollup_share share = {
        .rows = maintainer->size.rows,
        .bytes = maintainer->conf->rollup_max_bytes,
        .tries = rollup_size_tries(&maintainer->size, position),
    };

    if (rollup_size_gives_up(&maintainer->size, position))
        return rollup_set_aside(maintainer->conn, position + 1,
                                maintainer->size.code == ERR_TIMEOUT
                                    ? "its roll-up takes too long"
                                    : "the connection is lost over its roll-up",
                                maintainer->patience_ms, ret_chunk, err);
    return rollup_chunk(maintainer->conn, &maintainer->bound, &share,
                        maintainer->patience_ms, ret_chunk, err);
}

static enum err_code chunk(struct maintainer *maintainer, int64_t position,
                           struct err *err)
{
    struct rollup_chunk chunk = {.is_done = false};
    int64_t began_us = clock_mono_us();
    int64_t waiting = maintainer->bound.id - position;
    enum err_code code = run_chunk(maintainer, position, &chunk, err);

    forget_bound(maintainer);
    if (code)
        return shrink(maintainer, position, waiting, err);
    if (chunk.is_elsewhere) {
        (void)lifecycle_pause(maintainer->lifecycle, ELSEWHERE_MS);
        return ERR_OK;
    }
    count_chunk(maintainer, &chunk, began_us);
    if (chunk.aside_id)
        tell_aside(maintainer, &chunk);
    pace_spend(&maintainer->pace, clock_mono_us() - began_us);
    rollup_size_succeed(&maintainer->size, chunk.taken,
                        (clock_mono_us() - began_us) / 1000);
    return ERR_OK;
}

/* Takes the bound, which the decision is for, if it is settled at once: then no writer is
 * between its rows and its COMMIT.  Otherwise pauses. */
static enum err_code probe(struct maintainer *maintainer, int64_t pause_ms,
                           bool *ret_may_take, struct err *err)
{
    enum err_code code = find_bound(maintainer, err);

    *ret_may_take = !code && !maintainer->bound.writers;
    if (*ret_may_take)
        return ERR_OK;
    forget_bound(maintainer);
    if (!code)
        (void)lifecycle_pause(maintainer->lifecycle, pause_ms);
    return code;
}

static void is_well(struct maintainer *maintainer)
{
    retry_clear(&maintainer->retry);
    health_set(maintainer->health, maintainer->thread, HEALTH_POSTGRES, ERR_OK);
}

/* What waits, and what /metrics shows of it. */
static enum err_code poll_state(struct maintainer *maintainer,
                                struct rollup_state *ret_state, struct err *err)
{
    int64_t polled_ms = clock_mono_ms();
    enum err_code code = FAILPOINT("maintainer.poll", err);

    if (!code)
        code = rollup_poll(maintainer->conn, POLL_TIMEOUT_MS, ret_state, err);
    if (code)
        return code;
    metric_set(&maintainer->metrics.rollup_aside, ret_state->aside);
    metric_set(&maintainer->metrics.rollup_position, ret_state->position);
    metric_set(&maintainer->metrics.rollup_left_out, ret_state->left_out);
    metric_set(&maintainer->metrics.rollup_capped, ret_state->capped);
    metric_set(&maintainer->metrics.rollup_waiting,
               ret_state->waiting > 0 ? ret_state->waiting : 0);
    if (ret_state->waiting <= 0)
        metric_set(&maintainer->metrics.rollup_fresh_ms, polled_ms);
    if (maintainer->retry.tries == 0 || ret_state->waiting <= 0)
        is_well(maintainer);
    return ERR_OK;
}

/* Takes the chunk as soon as its bound is settled. */
static enum err_code take_chunk(struct maintainer *maintainer, int64_t position,
                                struct err *err)
{
    bool is_settled = false;
    enum err_code code = settle(maintainer, &is_settled, err);

    if (!code && is_settled)
        code = chunk(maintainer, position, err);
    if (!code)
        is_well(maintainer);
    return code;
}

/* One turn: polls, and does what the pace says. */
static enum err_code turn(struct maintainer *maintainer, struct err *err)
{
    struct rollup_state state = {0};
    struct pace_decision decision;
    bool may_take = true;
    enum err_code code = upkeep(maintainer, err);

    if (!code)
        code = poll_state(maintainer, &state, err);
    if (code)
        return code;
    decision =
        pace_decide(&maintainer->pace, &state, maintainer->size.rows, clock_mono_ms());
    switch (decision.step) {
    case PACE_WAIT:
        (void)lifecycle_wait_rows(maintainer->lifecycle, &maintainer->seen,
                                  maintainer->conf->rollup_poll_ms);
        return ERR_OK;
    case PACE_PAUSE:
        (void)lifecycle_pause(maintainer->lifecycle, decision.pause_ms);
        return ERR_OK;
    case PACE_PROBE:
        code = probe(maintainer, decision.pause_ms, &may_take, err);
        break;
    case PACE_CHUNK:
        break;
    }
    return code || !may_take ? code : take_chunk(maintainer, state.position, err);
}

/* --- the thread -------------------------------------------------------------------- */

/* False: the process stops. */
static bool failed(struct maintainer *maintainer, const struct err *err)
{
    bool is_halt = err_action(err->code) == ACTION_HALT;
    int64_t ms = retry_next_ms(&maintainer->retry);
    int64_t suppressed;

    disconnect(maintainer);
    metric_add(&maintainer->metrics.failures[err->code], 1);
    health_set(maintainer->health, maintainer->thread, HEALTH_POSTGRES, err->code);
    if (log_limit_allows(&maintainer->log, LOG_EVERY_MS, &suppressed))
        log_line(is_halt ? LOG_ERROR : LOG_WARN, "Postgres failed",
                 LOG_FIELDS(log_text("error", err_name(err->code)),
                            log_text("reason", err->msg),
                            log_int("suppressed", suppressed)));
    if (is_halt)
        ms = retry_around_ms(&maintainer->retry, maintainer->conf->halt_retry_ms);
    return lifecycle_pause(maintainer->lifecycle, ms);
}

void maintainer_run(struct maintainer *maintainer)
{
    bool is_running = !lifecycle_is_stopping(maintainer->lifecycle);

    while (is_running) {
        enum err_code code = ERR_OK;
        struct err err;

        if (!maintainer->conn) {
            code = connect_and_migrate(maintainer, &err);
            if (maintainer->refusal.code)
                return;
            if (!code)
                lifecycle_open(maintainer->lifecycle);
        }
        if (!code)
            code = turn(maintainer, &err);
        if (code)
            is_running = failed(maintainer, &err);
        else
            is_running = !lifecycle_is_stopping(maintainer->lifecycle);
    }
}
