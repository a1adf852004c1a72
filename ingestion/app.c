/* app.c -- see app.h.  The main thread has a loop of its own for signals. */
#include "ingestion/app.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "ingestion/access.h"
#include "ingestion/conf.h"
#include "ingestion/enrich/agent.h"
#include "ingestion/enrich/bots.h"
#include "ingestion/enrich/place.h"
#include "ingestion/loop.h"
#include "ingestion/metrics.h"
#include "ingestion/salts.h"
#include "ingestion/spool/files.h"
#include "ingestion/ways/arrivals.h"
#include "ingestion/ways/tracker.h"
#include "shared/access/peers.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/process_watch.h"
#include "shared/redis/url.h"
#include "shared/text/words.h"
#include "shared/wire/budget.h"

enum {
    RESERVED_FDS = 64, /* descriptors for everything that is not a client */
    IDLE_MS = 500,     /* for what the resolver is asked, once everyone is answered */
};

struct app {
    struct ingestion_metrics metrics; /* first: aligned to cache lines */
    const struct ingestion_conf *conf;
    struct redis_url redis_url;
    const struct conf_source *source;
    struct access *access;         /* owned; shared by the loops */
    struct access *retired;        /* owned; NULL unless loops still use the one before */
    bool reloads_again;            /* a SIGHUP came meanwhile */
    struct http_peers *peers;      /* likewise; NULL: no limit for an address */
    struct spool_files *spool_dir; /* likewise; NULL: no spool */
    struct salts *salts;           /* likewise */
    struct arrivals *arrivals;     /* likewise */
    struct tracker *tracker;       /* likewise */
    struct agents *agents;         /* likewise */
    struct bot_names *bot_names;   /* likewise */
    struct words url_keys;         /* likewise */
    struct http_budget body_budget;
    uv_loop_t uv;
    struct daemon daemon;
    uv_async_t ended;   /* a loop has ended, or is idle */
    uv_async_t renewed; /* a loop has taken the new access */
    struct process_watch watch;
    struct loop *loops[LOOPS_MAX];
    int64_t loop_count;
    _Atomic int64_t running;
    _Atomic int64_t busy;     /* of those: not idle yet */
    _Atomic int64_t renewing; /* loops that may still use the retired access */
};

/* --- the end ---------------------------------------------------------------- */

static void on_stop(void *user)
{
    struct app *app = user;

    daemon_limit_end(&app->daemon, app->conf->shutdown_timeout_ms,
                     "could not shut down in time", EXIT_FAILURE);
    for (int64_t i = 0; i < app->loop_count; i++)
        loop_stop(app->loops[i]);
}

/* In a loop's thread. */
static void on_loop_idle(void *user)
{
    struct app *app = user;

    (void)atomic_fetch_sub(&app->busy, 1);
    (void)uv_async_send(&app->ended);
}

/* Likewise. */
static void on_loop_ended(void *user)
{
    struct app *app = user;

    (void)atomic_fetch_sub(&app->running, 1);
    (void)uv_async_send(&app->ended); /* fails only on a closed handle */
}

/* Everyone has been answered by now.  A thread of libuv's pool that is in getaddrinfo()
 * cannot be ended, and exit() would wait for it. */
static void limit_idle_end(struct app *app)
{
    int64_t left_ms = daemon_end_left_ms(&app->daemon);

    daemon_limit_end(&app->daemon, left_ms < IDLE_MS ? left_ms : IDLE_MS,
                     "left a question to the resolver behind", EXIT_SUCCESS);
}

static void on_ended(uv_async_t *async)
{
    struct app *app = async->data;

    if (atomic_load(&app->running) > 0) {
        if (atomic_load(&app->busy) == 0)
            limit_idle_end(app);
        return;
    }
    daemon_close(&app->daemon);
    uv_close((uv_handle_t *)&app->ended, NULL);
    uv_close((uv_handle_t *)&app->renewed, NULL);
    process_watch_stop(&app->watch);
}

/* --- settings that change ---------------------------------------------------- */

/* Gives the loops the new lists and key.  A loop may be in the middle of a request that uses
 * the old ones, so they are kept until each loop has taken the new ones. */
static enum err_code renew_access(struct app *app, const struct ingestion_conf *conf,
                                  struct err *err)
{
    struct access *access;
    enum err_code code = access_renew(app->access, conf, &access, err);

    if (code)
        return code;
    app->retired = app->access;
    app->access = access;
    if (app->peers)
        http_peers_exempt(app->peers, access_proxies(access));
    atomic_store(&app->renewing, app->loop_count);
    for (int64_t i = 0; i < app->loop_count; i++)
        loop_renew(app->loops[i], access);
    return ERR_OK;
}

static void on_reload(void *user)
{
    struct app *app = user;
    struct ingestion_conf conf = {0};
    struct err err = {.code = ERR_OK};
    enum err_code code;

    app->reloads_again = app->retired != NULL;
    if (app->reloads_again)
        return;
    code = conf_reload(app->source, &conf, &err);
    if (!code)
        code = renew_access(app, &conf, &err);
    daemon_end_reload(code, &err, conf.log_level);
    conf_release(app->source->program, &conf);
}

/* In a loop's thread. */
static void on_loop_renewed(void *user)
{
    struct app *app = user;

    (void)atomic_fetch_sub(&app->renewing, 1);
    (void)uv_async_send(&app->renewed);
}

static void on_renewed(uv_async_t *async)
{
    struct app *app = async->data;

    if (atomic_load(&app->renewing) > 0 || app->daemon.is_stopping)
        return;
    access_retire(app->retired);
    app->retired = NULL;
    if (app->reloads_again)
        on_reload(app);
}

/* --- the beginning ---------------------------------------------------------- */

static int64_t count_loops(const struct ingestion_conf *conf)
{
    int64_t count = conf->ingest_threads;

    if (count == 0)
        count = (int64_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1)
        count = 1;
    return count < LOOPS_MAX ? count : LOOPS_MAX;
}

/* The thread pool of libuv writes files for the spool and the stopgap, and resolves the name
 * of Redis's host.  Each loop has one append to each, one read and one question at a time, so
 * with a thread for each of them a disk that hangs keeps nobody from connecting to Redis.
 * Must come before the first use of the pool; what the operator has set stays. */
static void size_thread_pool(const struct ingestion_conf *conf)
{
    char count[24];

    (void)snprintf(count, sizeof(count), "%lld", 4 * (long long)count_loops(conf));
    (void)setenv("UV_THREADPOOL_SIZE", count, 0); /* or else it is 4 */
}

static enum err_code open_spool(struct app *app, struct err *err)
{
    const struct ingestion_conf *conf = app->conf;
    enum err_code code;
    int64_t bytes;

    if (conf->spool_dir[0] == '\0')
        return ERR_OK;
    size_thread_pool(conf);
    code = spool_files_open(conf->spool_dir, conf->spool_max_bytes, &app->spool_dir, err);
    if (code)
        return code;
    metric_set(&app->metrics.loops[0].spool_bytes_max, conf->spool_max_bytes);
    bytes = spool_files_bytes(app->spool_dir);
    if (bytes > 0)
        log_line(LOG_INFO, "events of an earlier run wait in the spool",
                 LOG_FIELDS(log_int("bytes", bytes)));
    return ERR_OK;
}

static enum err_code make_tables(struct app *app, struct err *err)
{
    enum err_code code = agents_new(&app->agents, err);

    if (!code)
        code = bot_names_new(&app->bot_names, err);
    if (!code)
        code = words_parse(app->conf->url_query_keys, &app->url_keys, err);
    if (!code)
        code = arrivals_new(&app->arrivals, err);
    if (!code)
        code = tracker_new(app->conf->tracker_path, app->conf->collect_path,
                           app->conf->pixel_path, &app->tracker, err);
    log_line(LOG_INFO, places_origin(access_places(app->access)), NULL);
    return code;
}

static enum err_code start_main_loop(struct app *app, struct err *err)
{
    const struct daemon_options options = {
        .on_stop = on_stop, .on_reload = on_reload, .user = app};

    if (uv_loop_init(&app->uv) != 0 ||
        uv_async_init(&app->uv, &app->ended, on_ended) != 0 ||
        uv_async_init(&app->uv, &app->renewed, on_renewed) != 0)
        return err_set(err, ERR_UNAVAILABLE, "could not make an event loop");
    app->ended.data = app->renewed.data = app;
    process_watch_start(&app->watch, &app->uv, &app->metrics.process);
    return daemon_start(&app->daemon, &app->uv, &options, err);
}

static enum err_code start_loops(struct app *app, struct err *err)
{
    int64_t wanted = count_loops(app->conf);
    int64_t connections = http_conf_connections(&app->conf->http, wanted, RESERVED_FDS);
    struct loop_options options = {
        .conf = app->conf,
        .redis_url = &app->redis_url,
        .access = app->access,
        .peers = app->peers,
        .spool_dir = app->spool_dir,
        .salts = app->salts,
        .arrivals = app->arrivals,
        .tracker = app->tracker,
        .agents = app->agents,
        .bot_names = app->bot_names,
        .url_keys = &app->url_keys,
        .body_budget = &app->body_budget,
        .port = (uint16_t)app->conf->http.port,
        .max_connections = (connections + wanted - 1) / wanted,
        .metrics = &app->metrics,
        .on_idle = on_loop_idle,
        .on_renewed = on_loop_renewed,
        .on_ended = on_loop_ended,
        .user = app,
    };

    app->body_budget.max_bytes = (size_t)app->conf->bodies_max_bytes;
    metric_set(&app->metrics.loops[0].http.body_bytes_max, app->conf->bodies_max_bytes);
    app->metrics.loop_count = (size_t)wanted;
    for (int64_t i = 0; i < wanted; i++) {
        enum err_code code;
        options.index = (size_t)i;
        options.has_health = i == 0;
        (void)atomic_fetch_add(&app->running, 1);
        (void)atomic_fetch_add(&app->busy, 1);
        code = loop_start(&options, &app->loops[i], err);
        if (code)
            return code;
        app->loop_count++;
        options.port = loop_port(app->loops[0]);
    }
    log_line(LOG_INFO, "listening",
             LOG_FIELDS(log_int("port", options.port),
                        log_int("health_port", loop_health_port(app->loops[0])),
                        log_int("loops", wanted)));
    return ERR_OK;
}

enum err_code app_run(const struct ingestion_conf *conf, const struct conf_source *source,
                      struct err *err)
{
    static struct app app; /* loops may still run when a failed start returns */
    enum err_code code = redis_url_parse(conf->redis.url, &app.redis_url, err);

    app.conf = conf;
    app.source = source;
    if (!code)
        code = access_new(conf, &app.access, err);
    if (!code)
        code = http_conf_peers(&conf->http, access_proxies(app.access), &app.peers, err);
    if (!code)
        code = open_spool(&app, err);
    if (!code)
        code = salts_new(conf->visitor_day_starts_utc, &app.salts, err);
    if (!code)
        code = make_tables(&app, err);
    if (!code)
        code = start_main_loop(&app, err);
    if (!code)
        code = start_loops(&app, err);
    if (code)
        return code;
    (void)uv_run(&app.uv, UV_RUN_DEFAULT);
    for (int64_t i = 0; i < app.loop_count; i++)
        loop_join(app.loops[i]);
    (void)uv_loop_close(&app.uv); /* every handle was closed on the way */
    http_peers_free(app.peers);
    access_retire(app.retired);
    access_free(app.access);
    spool_files_close(app.spool_dir);
    salts_free(app.salts);
    arrivals_free(app.arrivals);
    tracker_free(app.tracker);
    agents_free(app.agents);
    bot_names_free(app.bot_names);
    words_release(&app.url_keys);
    log_line(LOG_INFO, "stopped", NULL);
    return ERR_OK;
}
