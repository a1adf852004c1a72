/* loop.c -- see loop.h.
 *
 * Everything is made by loop_start() before the thread exists and ends in this order:
 * server (clients get their answers while Redis is still there), Redis, barrier, reader,
 * spool (what it and the barrier's stopgap are writing is still answered), committer, loop.
 */
#include "ingestion/loop.h"

#include <assert.h>
#include <stdatomic.h>
#include <uv.h>

#include "ingestion/access.h"
#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/committer.h"
#include "ingestion/conf.h"
#include "ingestion/enrich/agent_cache.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/metrics.h"
#include "ingestion/routes.h"
#include "ingestion/salts.h"
#include "ingestion/spool/files.h"
#include "ingestion/spool/reader.h"
#include "ingestion/spool/writer.h"
#include "ingestion/ways/batch.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/health.h"
#include "shared/http/http.h"
#include "shared/redis/uv.h"

enum {
    RECONNECT_MAX_MS = 1000, /* back to 200 soon after Redis is back */
    LOG_EVERY_MS = 10000,    /* a line about the same trouble, at most so often */
    JOB_TIMES = 6, /* a job has at most so many times the bytes of its event; an escape of
                      six for one byte, or its ids and times to the shortest of events */
};

struct loop {
    struct loop_options options;
    uv_loop_t uv;
    uv_async_t stop;
    uv_async_t renew;
    _Atomic(struct access *) next_access; /* until the loop has taken it */
    uv_thread_t thread;
    struct http_server *server; /* NULL once it stops */
    struct http_server *health; /* likewise; NULL: this loop has none */
    int open_servers;
    struct routes routes;
    struct breaker breaker;
    struct spool_writer *spool; /* NULL with the reader: no spool */
    struct spool_reader *reader;
    struct barrier *barrier;
    struct log_limit lost_limit;
    bool was_lost;
};

static void on_redis_ready(void *user)
{
    struct loop *loop = user;

    metric_set(&loop->routes.ways.metrics->redis_up, 1);
    if (loop->was_lost)
        log_line(LOG_INFO, "connected to Redis again", NULL);
    loop->was_lost = false;
    if (loop->options.index == 0)
        salts_on_ready(loop->options.salts);
}

static void on_redis_lost(const char *reason, void *user)
{
    struct loop *loop = user;
    int64_t suppressed;

    metric_set(&loop->routes.ways.metrics->redis_up, 0);
    metric_add(&loop->routes.ways.metrics->redis_losses, 1);
    if (!log_limit_allows(&loop->lost_limit, LOG_EVERY_MS, &suppressed))
        return;
    loop->was_lost = true;
    log_line(LOG_WARN, "could not reach Redis",
             LOG_FIELDS(log_text("reason", reason), log_int("suppressed", suppressed)));
}

/* --- the end ---------------------------------------------------------------- */

static void on_committer_stopped(void *user)
{
    struct loop *loop = user;

    uv_close((uv_handle_t *)&loop->renew, NULL);
    uv_close((uv_handle_t *)&loop->stop, NULL); /* the last handle: the loop returns */
    loop->options.on_idle(loop->options.user);
}

static void on_spool_stopped(void *user)
{
    struct loop *loop = user;

    committer_stop(loop->routes.ways.committer, on_committer_stopped, loop);
}

static void on_reader_stopped(void *user)
{
    struct loop *loop = user;

    spool_writer_stop(loop->spool, on_spool_stopped, loop);
}

static void on_barrier_stopped(void *user)
{
    struct loop *loop = user;

    if (loop->spool)
        spool_reader_stop(loop->reader, on_reader_stopped, loop);
    else
        on_spool_stopped(loop);
}

static void on_redis_stopped(void *user)
{
    struct loop *loop = user;

    barrier_stop(loop->barrier, on_barrier_stopped, loop);
}

static void on_server_stopped(void *user)
{
    struct loop *loop = user;

    if (--loop->open_servers > 0)
        return;
    committer_quiesce(loop->routes.ways.committer);
    if (loop->options.index == 0)
        salts_stop(loop->options.salts);
    redis_uv_stop(loop->routes.redis, on_redis_stopped, loop);
}

static void on_stop(uv_async_t *async)
{
    struct loop *loop = async->data;
    int64_t limit_ms = loop->options.conf->shutdown_timeout_ms;

    /* A quarter is kept for closing what is left after the last answer. */
    if (loop->server)
        http_server_stop(loop->server, limit_ms - limit_ms / 4, on_server_stopped, loop);
    if (loop->health)
        http_server_stop(loop->health, 0, on_server_stopped, loop);
    loop->server = loop->health = NULL;
}

/* A stopping loop keeps what it has. */
static void on_renew(uv_async_t *async)
{
    struct loop *loop = async->data;
    struct access *access = atomic_exchange(&loop->next_access, NULL);

    if (!access || !loop->server)
        return;
    loop->routes.ways.access = access;
    http_server_set_access(loop->server, access_origins(access), access_has_key(access));
    loop->options.on_renewed(loop->options.user);
}

void loop_renew(struct loop *loop, struct access *access)
{
    atomic_store(&loop->next_access, access);
    (void)uv_async_send(&loop->renew); /* fails only on a closed handle */
}

static void run(void *user)
{
    struct loop *loop = user;

    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->options.on_ended(loop->options.user);
}

/* --- the beginning ---------------------------------------------------------- */

static void on_turn_end(void *user)
{
    struct routes *routes = user;

    committer_flush(routes->ways.committer);
}

static enum err_code start_server(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    struct http_options options = http_conf_options(&conf->http);
    enum err_code code;

    options.port = loop->options.port;
    options.shares_port = true;
    options.peers = loop->options.peers;
    options.max_connections = loop->options.max_connections;
    options.max_body_bytes = conf->max_body_bytes;
    options.max_bulk_bytes = conf->max_batch_bytes;
    options.body_budget = loop->options.body_budget;
    options.max_drain_bytes = conf->max_drain_bytes;
    options.metrics = &loop->routes.ways.metrics->http;
    options.routes = loop->routes.table;
    options.origins = access_origins(loop->options.access);
    options.has_secret = access_has_key(loop->options.access);
    options.root_hint = "not found; events are sent with POST /event";
    options.authorize = routes_authorize;
    options.user = &loop->routes;
    options.on_turn_end = on_turn_end;
    code = http_server_start(&loop->uv, &options, &loop->server, err);
    loop->open_servers += !code;
    return code;
}

/* Beside the clients' server, so that /readyz says what a POST would get. */
static enum err_code start_health(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    struct http_health_options options = http_conf_health(&conf->http);
    enum err_code code;

    if (!loop->options.has_health)
        options.port = -1;
    options.routes = loop->routes.table;
    options.user = &loop->routes;
    options.on_turn_end = on_turn_end;
    code = http_health_start(&loop->uv, &options, &loop->health, err);
    loop->open_servers += loop->health != NULL;
    return code;
}

/* The jobs of the largest group: of what may wait, and of one batch more. */
static size_t group_max_bytes(const struct ingestion_conf *conf)
{
    return (size_t)(conf->pending_max_bytes + JOB_TIMES * conf->max_batch_bytes);
}

static enum err_code start_redis(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    int64_t timeout_ms = conf->redis.timeout_ms;
    struct redis_uv_options options;

    /* With a spool it must be known soon enough that Redis is silent: what was sent has
     * to go to the spool and be answered in time. */
    if (loop->options.spool_dir && timeout_ms > conf->enqueue_timeout_ms / 2)
        timeout_ms = conf->enqueue_timeout_ms / 2;
    options = (struct redis_uv_options){
        .url = loop->options.redis_url,
        .connect_timeout_ms = conf->redis.timeout_ms,
        .command_timeout_ms = timeout_ms,
        .reconnect_max_ms = RECONNECT_MAX_MS,
        .on_ready = on_redis_ready,
        .on_lost = on_redis_lost,
        .user = loop,
    };

    return redis_uv_start(&loop->uv, &options, &loop->routes.redis, err);
}

static enum err_code start_barrier(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    struct barrier_options options = {
        .redis = loop->routes.redis,
        .spool_dir = loop->options.spool_dir,
        .metrics = loop->routes.ways.metrics,
        .group_max_bytes = group_max_bytes(conf),
        .is_on = conf->redis_confirms_write,
        .hold_max_ms = conf->enqueue_timeout_ms / 2,
    };

    return barrier_start(&loop->uv, &options, &loop->barrier, err);
}

static enum err_code start_spool(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    struct spool_writer_options options = {
        .dir = loop->options.spool_dir,
        .segment_bytes = conf->spool_segment_bytes,
        .group_max_bytes = group_max_bytes(conf),
    };
    struct spool_reader_options spool_reader_options = {
        .barrier = loop->barrier,
        .redis = loop->routes.redis,
        .breaker = &loop->breaker,
        .dir = loop->options.spool_dir,
        .metrics = loop->routes.ways.metrics,
        .shows_bytes = loop->options.index == 0,
        .group_max_events = conf->group_max_events,
    };
    enum err_code code;

    if (!loop->options.spool_dir)
        return ERR_OK;
    code = spool_writer_start(&loop->uv, &options, &loop->spool, err);
    spool_reader_options.spool = loop->spool;
    if (!code)
        code = spool_reader_start(&loop->uv, &spool_reader_options, &loop->reader, err);
    return code;
}

static enum err_code start_committer(struct loop *loop, struct err *err)
{
    const struct ingestion_conf *conf = loop->options.conf;
    struct committer_options options = {
        .redis = loop->routes.redis,
        .breaker = &loop->breaker,
        .spool = loop->spool,
        .barrier = loop->barrier,
        .metrics = loop->routes.ways.metrics,
        .timeout_ms = conf->enqueue_timeout_ms,
        .group_max_events = conf->group_max_events,
        .groups_in_flight = conf->groups_in_flight,
        .group_linger_ms = conf->group_linger_ms,
        .spin_us = conf->group_poll_us,
        .pending_max_bytes = conf->pending_max_bytes,
        .group_max_bytes = group_max_bytes(conf),
    };

    return committer_start(&loop->uv, &options, &loop->routes.ways.committer, err);
}

static enum err_code start_enricher(struct loop *loop, struct err *err)
{
    struct ways *ways = &loop->routes.ways;
    struct enrich_options options = {
        .url_keys = loop->options.url_keys,
        .agents = ways->agents,
        .salts = ways->salts,
        .metrics = &ways->metrics->enrich,
    };

    event_parser_check(ways->parser, EVENT_MORE_URL, enrich_is_url,
                       "must be a valid uri");
    event_parser_check(ways->parser, EVENT_MORE_LANGUAGE, enrich_is_language,
                       "must be a language tag");
    return enricher_new(&options, &ways->enricher, err);
}

static enum err_code start_parts(struct loop *loop, struct err *err)
{
    enum err_code code = routes_init(&loop->routes, loop->options.conf, err);

    if (code)
        return code;
    loop->routes.ways.parser = event_parser_new();
    if (!loop->routes.ways.parser)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = agent_cache_new((size_t)loop->options.conf->agent_cache_entries,
                           loop->options.agents, loop->options.bot_names,
                           &loop->routes.ways.agents, err);
    if (!code)
        code = start_enricher(loop, err);
    if (!code)
        code = start_server(loop, err);
    if (!code)
        code = start_health(loop, err);
    if (!code)
        code = start_redis(loop, err);
    if (!code) {
        breaker_init(&loop->breaker, loop->routes.redis,
                     loop->options.conf->queue_max_events);
        code = start_barrier(loop, err);
    }
    if (!code && loop->options.index == 0)
        code = salts_start(loop->options.salts, &loop->uv, loop->routes.redis, err);
    if (!code)
        code = start_spool(loop, err);
    if (!code)
        code = start_committer(loop, err);
    if (!code && uv_thread_create(&loop->thread, run, loop) != 0)
        code = err_set(err, ERR_UNAVAILABLE, "could not start a thread");
    return code;
}

/* A failed start ends the process, which gives back what was started; a loop cannot be
 * closed without running it. */
enum err_code loop_start(const struct loop_options *options, struct loop **ret_loop,
                         struct err *err)
{
    struct loop *loop = mem_calloc(1, sizeof(*loop));

    if (!loop)
        return err_set(err, ERR_NOMEM, "out of memory");
    loop->options = *options;
    loop->routes.loop = loop;
    loop->routes.breaker = &loop->breaker;
    loop->routes.ways.access = options->access;
    loop->routes.ways.salts = options->salts;
    loop->routes.ways.arrivals = options->arrivals;
    loop->routes.tracker = options->tracker;
    loop->routes.ways.country_header = options->conf->country_header;
    loop->routes.ways.respects_gpc = options->conf->respect_gpc;
    loop->routes.ways.timestamp_ahead_max_s = options->conf->timestamp_ahead_max_s;
    loop->routes.ways.max_batch_events = options->conf->max_batch_events;
    buf_init(&loop->routes.ways.errors, WAY_BATCH_ERRORS_MAX);
    loop->routes.all_metrics = options->metrics;
    loop->routes.ways.metrics = &options->metrics->loops[options->index];
    *ret_loop = loop;
    if (uv_loop_init(&loop->uv) != 0 ||
        uv_async_init(&loop->uv, &loop->stop, on_stop) != 0 ||
        uv_async_init(&loop->uv, &loop->renew, on_renew) != 0)
        return err_set(err, ERR_UNAVAILABLE, "could not make an event loop");
    loop->stop.data = loop->renew.data = loop;
    return start_parts(loop, err);
}

uint16_t loop_port(const struct loop *loop)
{
    return http_server_port(loop->server);
}

uint16_t loop_health_port(const struct loop *loop)
{
    return loop->health ? http_server_port(loop->health) : 0;
}

void loop_stop(struct loop *loop)
{
    (void)uv_async_send(&loop->stop); /* fails only on a closed handle */
}

void loop_join(struct loop *loop)
{
    int status;

    (void)uv_thread_join(&loop->thread); /* fails only without a thread */
    status = uv_loop_close(&loop->uv);
    assert(status == 0); /* every handle was closed on the way */
    redis_uv_free(loop->routes.redis);
    enricher_free(loop->routes.ways.enricher);
    event_parser_free(loop->routes.ways.parser);
    agent_cache_free(loop->routes.ways.agents);
    buf_release(&loop->routes.ways.errors);
    mem_free(loop);
}
