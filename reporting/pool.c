/* pool.c -- see pool.h. */
#include "reporting/pool.h"

#include <assert.h>

#include "reporting/metrics.h"
#include "reporting/pg_link.h"
#include "reporting/query_run.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum {
    /* Nobody is turned away for an outage shorter than this: a restart of Postgres. */
    POOL_GRACE_MS = 1000,
    POOL_WATCH_MS = 50, /* between looks who has gone */
    POOL_LOG_INTERVAL_MS = 10000
};

struct pool {
    struct pool_options options;
    struct pg_link_options pg_link_options;
    struct query_run_list waiting; /* owned; in the order they will be sent */
    size_t waiting_count;
    struct query_run_list sent;   /* owned */
    struct waiter_list deadlines; /* of everyone, the next one first */
    int64_t requests;             /* in that list */
    uv_timer_t timer;             /* the first of the deadlines, or earlier */
    uv_timer_t watch;             /* while anyone waits, in a pool that cancels */

    bool is_up;            /* some link is open */
    int64_t down_since_ms; /* meaningful while not */
    struct err reason;     /* why; ERR_OK until something has failed */
    struct log_limit lost_limit;
    bool is_stopping;
    size_t running; /* links and timers that are not closed yet */
    void (*on_stopped)(void *user);
    void *stopped_user;

    size_t pg_link_count;
    struct pg_link *links[]; /* each owned */
};

/* --- answering ------------------------------------------------------------------ */

static void end_waiter(struct pool *pool, struct waiter *waiter, const PGresult *rows,
                       const struct err *err)
{
    struct asker asker = waiter->asker;

    TAILQ_REMOVE(&waiter->run->waiters, waiter, in_run);
    TAILQ_REMOVE(&pool->deadlines, waiter, in_pool);
    pool->requests--;
    mem_free(waiter);
    asker.fn(rows, err, asker.user);
}

/* Takes a run out of the list that it is in; a link that runs it goes on. */
static void remove_run(struct query_run *run)
{
    struct pool *pool = run->pool;

    if (run->is_waiting)
        pool->waiting_count--;
    TAILQ_REMOVE(run->is_waiting ? &pool->waiting : &pool->sent, run, next);
    run->is_waiting = false;
    run->link = NULL;
}

/* Answers everyone and frees the run, which nobody can find any more. */
static void end_run(struct query_run *run, const PGresult *rows, const struct err *err)
{
    assert(!run->is_waiting);
    while (!TAILQ_EMPTY(&run->waiters))
        end_waiter(run->pool, TAILQ_FIRST(&run->waiters), rows, err);
    query_run_free(run);
}

/* Ends a run for which nobody waits any more; one that runs, if the pool cancels. */
static void end_if_forgotten(struct query_run *run)
{
    struct pool *pool = run->pool;
    struct pg_link *link = run->link;

    if (!TAILQ_EMPTY(&run->waiters) || !(run->is_waiting || pool->options.cancels))
        return;
    remove_run(run);
    query_run_free(run);
    if (link) {
        metric_add(&pool->options.metrics->cancelled, 1);
        pg_link_abandon(link);
    }
}

static void end_all_waiting(struct pool *pool, const struct err *err)
{
    while (!TAILQ_EMPTY(&pool->waiting)) {
        struct query_run *run = TAILQ_FIRST(&pool->waiting);
        remove_run(run);
        end_run(run, NULL, err);
    }
}

/* --- deadlines ------------------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer);

static void arm_timer(struct pool *pool)
{
    const struct waiter *first = TAILQ_FIRST(&pool->deadlines);
    int64_t left_ms;

    if (!first || pool->is_stopping || uv_is_active((uv_handle_t *)&pool->timer))
        return;
    left_ms = first->deadline_ms - clock_mono_ms();
    /* never 0: libuv would run it again within the same turn, for ever */
    (void)uv_timer_start(&pool->timer, on_deadline, left_ms > 1 ? (uint64_t)left_ms : 1,
                         0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    const struct err err = {.code = ERR_TIMEOUT, .msg = "no answer in time"};
    int64_t now_ms = clock_mono_ms();

    for (;;) {
        struct waiter *waiter = TAILQ_FIRST(&pool->deadlines);
        struct query_run *run;
        if (!waiter || waiter->deadline_ms > now_ms)
            break;
        run = waiter->run;
        end_waiter(pool, waiter, NULL, &err);
        end_if_forgotten(run);
    }
    arm_timer(pool);
}

/* --- sending --------------------------------------------------------------------- */

/* A link that may run the run.  One whose connection was lost waits for a newer one: what
 * has ended one backend has often ended all, and the others just do not know it yet. */
static struct pg_link *find_ready(const struct pool *pool, const struct query_run *run)
{
    bool waits = query_run_gives_way(run, &pool->sent, pool->pg_link_count);

    for (size_t i = 0; i < pool->pg_link_count && !waits; i++) {
        if (pg_link_is_ready(pool->links[i]) &&
            pg_link_opened_us(pool->links[i]) > run->lost_us)
            return pool->links[i];
    }
    return NULL;
}

/* Answers those who have gone, so that their requests end. */
static void drop_gone(struct pool *pool, struct query_run *run)
{
    const struct err err = {.code = ERR_UNAVAILABLE, .msg = "the client has gone"};
    struct waiter *waiter = TAILQ_FIRST(&run->waiters);

    while (waiter) {
        struct waiter *next = TAILQ_NEXT(waiter, in_run);
        if (waiter->asker.is_gone(waiter->asker.user))
            end_waiter(pool, waiter, NULL, &err);
        waiter = next;
    }
}

static void look_who_has_gone(struct pool *pool, struct query_run_list *runs)
{
    struct query_run *run = TAILQ_FIRST(runs);

    while (run) {
        struct query_run *next = TAILQ_NEXT(run, next);
        drop_gone(pool, run);
        end_if_forgotten(run);
        run = next;
    }
}

static void on_watch(uv_timer_t *timer)
{
    struct pool *pool = timer->data;

    look_who_has_gone(pool, &pool->waiting);
    look_who_has_gone(pool, &pool->sent);
    if (pool->requests == 0)
        (void)uv_timer_stop(timer); /* always 0 */
}

static void arm_watch(struct pool *pool)
{
    if (pool->options.cancels && !uv_is_active((uv_handle_t *)&pool->watch))
        (void)uv_timer_start(&pool->watch, on_watch, POOL_WATCH_MS, POOL_WATCH_MS);
}

static void count_result(const struct query_run *run, enum err_code code)
{
    struct reporting_metrics *metrics = run->pool->options.metrics;

    metric_observe(&metrics->query_us[run->query.statement], &metric_times_us,
                   clock_mono_us() - run->sent_us);
    metric_add(&metrics->query_failures[code], 1);
}

static void on_result(const PGresult *rows, const struct err *err, void *user)
{
    struct query_run *run = user;
    struct pool *pool = run->pool;

    remove_run(run);
    count_result(run, rows ? ERR_OK : err->code);
    if (!rows && err->code == ERR_UNAVAILABLE && run->lost_us == 0 &&
        !pool->is_stopping) {
        run->lost_us = clock_mono_us();
        metric_add(&pool->options.metrics->queries_repeated, 1);
        TAILQ_INSERT_HEAD(&pool->waiting, run, next);
        pool->waiting_count++;
        run->is_waiting = true;
    } else {
        end_run(run, rows, err);
    }
    pool_dispatch(pool);
}

static void send_run(struct pool *pool, struct query_run *run, struct pg_link *link)
{
    remove_run(run);
    drop_gone(pool, run);
    if (TAILQ_EMPTY(&run->waiters)) {
        query_run_free(run);
        return;
    }
    run->sent_us = clock_mono_us();
    run->link = link;
    TAILQ_INSERT_TAIL(&pool->sent, run, next);
    pg_link_run(link, run->query.statement, run->query.values, on_result, run);
}

void pool_dispatch(struct pool *pool)
{
    struct query_run *run = TAILQ_FIRST(&pool->waiting);

    while (run) {
        struct query_run *next = TAILQ_NEXT(run, next);
        struct pg_link *link = find_ready(pool, run);
        if (link)
            send_run(pool, run, link);
        else if (run->lost_us == 0 && !query_run_is_long(run))
            return; /* no link is ready for anyone */
        run = next;
    }
}

/* --- asking ----------------------------------------------------------------------- */

static bool is_known_down(const struct pool *pool)
{
    return !pool->is_up && pool->reason.code &&
           clock_mono_ms() - pool->down_since_ms >= POOL_GRACE_MS;
}

static enum err_code find_or_add_run(struct pool *pool, const struct question *query,
                                     struct query_run **ret_run, struct err *err)
{
    struct query_run *run = query_run_find(&pool->waiting, query);

    if (!run && pool->waiting_count >= pool->options.waiting_max)
        return err_set(err, ERR_BUSY, "too many queries are waiting");
    if (run) {
        metric_add(&pool->options.metrics->coalesced, 1);
    } else {
        run = query_run_new(pool, query);
        if (!run)
            return err_set(err, ERR_NOMEM, "out of memory");
        TAILQ_INSERT_TAIL(&pool->waiting, run, next);
        pool->waiting_count++;
        run->is_waiting = true;
    }
    *ret_run = run;
    return ERR_OK;
}

enum err_code pool_check(const struct pool *pool, struct err *err)
{
    if (is_known_down(pool)) {
        *err = pool->reason;
        return err->code;
    }
    return ERR_OK;
}

enum err_code pool_ask(struct pool *pool, const struct question *query,
                       const struct asker *asker, struct err *err)
{
    struct waiter *waiter;
    enum err_code code;

    if (pool->is_stopping)
        return err_set(err, ERR_UNAVAILABLE, "the daemon is stopping");
    code = pool_check(pool, err);
    if (code)
        return code;
    waiter = mem_calloc(1, sizeof(*waiter));
    if (!waiter)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = find_or_add_run(pool, query, &waiter->run, err);
    if (code) {
        mem_free(waiter);
        return code;
    }
    waiter->asker = *asker;
    waiter->deadline_ms = clock_mono_ms() + pool->options.query_timeout_ms;
    if (asker->deadline_ms > 0 && asker->deadline_ms < waiter->deadline_ms)
        waiter->deadline_ms = asker->deadline_ms;
    TAILQ_INSERT_TAIL(&waiter->run->waiters, waiter, in_run);
    query_run_add_deadline(&pool->deadlines, waiter);
    if (waiter == TAILQ_FIRST(&pool->deadlines))
        (void)uv_timer_stop(&pool->timer); /* to be armed for this one */
    pool->requests++;
    arm_timer(pool);
    arm_watch(pool);
    return ERR_OK;
}

/* --- the links ---------------------------------------------------------------------- */

static void on_link_ready(void *user)
{
    struct pool *pool = user;

    if (!pool->is_up && pool->options.is_main)
        log_line(LOG_INFO, "connected to Postgres", NULL);
    pool->is_up = true;
    pool->reason = (struct err){0};
    pool_dispatch(pool);
}

static bool has_open_link(const struct pool *pool)
{
    for (size_t i = 0; i < pool->pg_link_count; i++) {
        if (pg_link_is_open(pool->links[i]))
            return true;
    }
    return false;
}

static void log_lost(struct pool *pool, const struct err *err)
{
    int64_t suppressed;

    if (pool->options.is_main &&
        log_limit_allows(&pool->lost_limit, POOL_LOG_INTERVAL_MS, &suppressed))
        log_line(LOG_WARN, "no connection to Postgres",
                 LOG_FIELDS(log_text("reason", err->msg),
                            log_text("error", err_name(err->code)),
                            log_int("suppressed", suppressed)));
}

static void on_link_lost(const struct err *err, void *user)
{
    struct pool *pool = user;

    metric_add(&pool->options.metrics->links_lost, 1);
    log_lost(pool, err);
    if (has_open_link(pool))
        return;
    pool->reason = *err;
    if (pool->is_up)
        pool->down_since_ms = clock_mono_ms();
    pool->is_up = false;
    if (is_known_down(pool))
        end_all_waiting(pool, err);
}

static void pool_free(struct pool *pool)
{
    for (size_t i = 0; i < pool->pg_link_count; i++)
        pg_link_free(pool->links[i]);
    mem_free(pool);
}

static void count_stopped(struct pool *pool)
{
    if (--pool->running > 0)
        return;
    pool->on_stopped(pool->stopped_user);
    pool_free(pool);
}

static void on_link_stopped(void *user)
{
    count_stopped(user);
}

static void on_timer_closed(uv_handle_t *handle)
{
    count_stopped(handle->data);
}

static enum pg_link_use use_of(const struct pg_link *link)
{
    if (pg_link_is_ready(link))
        return PG_LINK_USE_IDLE;
    return pg_link_is_open(link) ? PG_LINK_USE_BUSY : PG_LINK_USE_CONNECTING;
}

/* Not up and no reason known: the first attempt is under way. */
static enum metric_trouble trouble_of(const struct pool *pool)
{
    if (pool->is_up)
        return METRIC_TROUBLE_NONE;
    return pool->reason.code ? metric_trouble_of(pool->reason.code)
                             : METRIC_TROUBLE_OUTAGE;
}

void pool_show(const struct pool *pool)
{
    struct reporting_metrics *metrics = pool->options.metrics;
    struct pool_gauges *gauges = pool->options.gauges;
    int64_t links[PG_LINK_USE_COUNT] = {0};

    if (!gauges)
        return;
    for (size_t i = 0; i < pool->pg_link_count; i++)
        links[use_of(pool->links[i])]++;
    for (size_t use = 0; use < PG_LINK_USE_COUNT; use++)
        metric_set(&gauges->links[use], links[use]);
    for (size_t kind = 0; kind < METRIC_TROUBLE_COUNT && pool->options.is_main; kind++)
        metric_set(&metrics->trouble[kind], kind == trouble_of(pool));
    metric_set(&gauges->requests_waiting, pool->requests);
    metric_set(&gauges->queries_waiting, (int64_t)pool->waiting_count);
    metric_set(&gauges->queries_waiting_max, (int64_t)pool->options.waiting_max);
}

/* --- life ---------------------------------------------------------------------------- */

static struct pool *pool_new(uv_loop_t *loop, const struct pool_options *options)
{
    size_t links_size = options->connections * sizeof(struct pg_link *);
    struct pool *pool = mem_calloc(1, sizeof(*pool) + links_size);

    if (!pool)
        return NULL;
    pool->options = *options;
    pool->pg_link_options = (struct pg_link_options){
        .loop = loop,
        .session = {.pg = options->pg, .query_timeout_ms = options->query_timeout_ms},
        .reconnect_max_ms = options->reconnect_max_ms,
        .lifetime_ms = options->lifetime_ms,
        .on_ready = on_link_ready,
        .on_lost = on_link_lost,
        .on_stopped = on_link_stopped,
        .user = pool,
    };
    TAILQ_INIT(&pool->waiting);
    TAILQ_INIT(&pool->sent);
    TAILQ_INIT(&pool->deadlines);
    for (; pool->pg_link_count < options->connections; pool->pg_link_count++) {
        struct pg_link *link = pg_link_new(&pool->pg_link_options);
        if (!link) {
            pool_free(pool);
            return NULL;
        }
        pool->links[pool->pg_link_count] = link;
    }
    return pool;
}

struct pool *pool_start(uv_loop_t *loop, const struct pool_options *options)
{
    struct pool *pool = pool_new(loop, options);

    if (!pool)
        return NULL;
    pool->down_since_ms = clock_mono_ms();
    (void)uv_timer_init(loop, &pool->timer); /* always 0 */
    pool->timer.data = pool;
    (void)uv_timer_init(loop, &pool->watch);
    pool->watch.data = pool;
    for (size_t i = 0; i < pool->pg_link_count; i++)
        pg_link_start(pool->links[i]);
    pool->running = pool->pg_link_count + 2;
    return pool;
}

void pool_stop(struct pool *pool, void (*on_stopped)(void *user), void *user)
{
    const struct err err = {.code = ERR_UNAVAILABLE, .msg = "the daemon is stopping"};

    assert(!pool->is_stopping);
    pool->is_stopping = true;
    pool->on_stopped = on_stopped;
    pool->stopped_user = user;
    end_all_waiting(pool, &err);
    uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
    uv_close((uv_handle_t *)&pool->watch, on_timer_closed);
    for (size_t i = 0; i < pool->pg_link_count; i++)
        pg_link_stop(pool->links[i]);
}
