/* app.c -- see app.h.
 *
 * The end, in order: http_server_stop() -> on_server_stopped -> pool_stop() ->
 * on_pool_stopped -> signals and timer closed -> the loop runs out.
 */
#include "reporting/app.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "reporting/conf.h"
#include "reporting/export/export.h"
#include "reporting/metrics.h"
#include "reporting/openapi/document.h"
#include "reporting/page/page.h"
#include "reporting/pool.h"
#include "reporting/replies.h"
#include "reporting/routes.h"
#include "shared/access/origins.h"
#include "shared/access/peers.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/process_watch.h"
#include "shared/http/guard.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

enum {
    /* Of a body, which no route here reads. */
    APP_BODY_MAX = 102400,
    /* For the connections to Postgres to end.  Only an attempt to connect, to a server that
     * hangs or a name that does not resolve, takes longer. */
    APP_END_MS = 500,
    RESERVED_FDS = 64 /* descriptors for everything that is no client, besides the pool */
};

struct app {
    const struct reporting_conf *conf; /* borrowed */
    const struct conf_source *source;  /* likewise */
    uv_loop_t loop;
    struct daemon daemon;
    struct guard *guard; /* owned */
    struct origins origins;
    struct pool *pools[POOL_COUNT]; /* each owned; NULL: not started */
    struct exports *exports;        /* likewise */
    size_t pools_running;           /* and exports */
    struct http_peers *peers;       /* owned; NULL: no limit for an address */
    struct http_server *server;     /* owned */
    struct http_server *health;     /* owned; NULL: no listener of its own for health */
    int open_servers;
    struct process_watch watch;
    struct reporting_metrics metrics;
    struct page *page;         /* owned */
    struct document *document; /* likewise */
    struct routes routes;      /* what the handlers see of all this */
};

/* --- the end ------------------------------------------------------------------ */

static void close_handles(struct app *app)
{
    daemon_close(&app->daemon);
    process_watch_stop(&app->watch);
}

static void on_pool_stopped(void *user)
{
    struct app *app = user;

    if (--app->pools_running == 0)
        close_handles(app);
}

static void on_server_stopped(void *user)
{
    struct app *app = user;

    if (--app->open_servers > 0)
        return;
    if (app->pools_running == 0) {
        close_handles(app);
        return;
    }
    /* Everyone has been answered by now.  A thread that sits in the resolver cannot be
     * ended, and exit() would wait for it. */
    daemon_limit_end(&app->daemon, APP_END_MS, "left a connection attempt behind",
                     EXIT_SUCCESS);
    for (size_t i = 0; i < POOL_COUNT; i++) {
        if (app->pools[i])
            pool_stop(app->pools[i], on_pool_stopped, app);
    }
    if (app->exports)
        exports_stop(app->exports, on_pool_stopped, app);
}

static void stop_servers(struct app *app, int64_t grace_ms)
{
    http_server_stop(app->server, grace_ms, on_server_stopped, app);
    if (app->health)
        http_server_stop(app->health, 0, on_server_stopped, app);
}

static void on_stop(void *user)
{
    struct app *app = user;
    int64_t limit_ms = app->conf->shutdown_timeout_ms;

    /* A quarter is kept for closing what is left after the last answer. */
    stop_servers(app, limit_ms - limit_ms / 4);
}

/* --- settings that change --------------------------------------------------------- */

/* Reads token and lists, at the start or again; what there was stays when that fails. */
static enum err_code load_access(struct app *app, const struct reporting_conf *conf,
                                 struct err *err)
{
    struct guard_options options = guard_conf_options(&conf->guard);
    struct origins origins;
    struct guard *guard;
    enum err_code code = origins_parse(conf->cors_origins, true, &origins, err);

    if (code)
        return err_wrap(err, "REPORTING_CORS_ORIGINS");
    options.key_setting = "REPORTING_TOKEN";
    options.key = conf->token;
    options.key_file = conf->token_file;
    options.allowed_hosts = conf->allowed_hosts;
    code = guard_new(&options, app->guard, &guard, err);
    if (code) {
        origins_release(&origins);
        return code;
    }
    guard_retire(app->guard);
    origins_release(&app->origins);
    app->guard = guard;
    app->routes.guard = guard;
    if (app->peers)
        http_peers_exempt(app->peers, guard_proxies(guard));
    app->origins = origins;
    return ERR_OK;
}

static void on_reload(void *user)
{
    struct app *app = user;
    struct reporting_conf conf = {0};
    struct err err = {.code = ERR_OK};
    enum err_code code = conf_reload(app->source, &conf, &err);

    if (!code)
        code = load_access(app, &conf, &err);
    if (!code)
        http_server_set_access(app->server, &app->origins, guard_has_key(app->guard));
    daemon_end_reload(code, &err, conf.log_level);
    conf_release(app->source->program, &conf);
}

/* --- the start ------------------------------------------------------------------ */

/* What a turn has gathered is sent together, so that equal questions become one. */
static void on_turn_end(void *user)
{
    const struct routes *routes = user;

    for (size_t i = 0; i < POOL_COUNT; i++) {
        if (routes->pools[i])
            pool_dispatch(routes->pools[i]);
    }
}

static enum err_code start_loop(struct app *app, struct err *err)
{
    const struct daemon_options options = {
        .on_stop = on_stop, .on_reload = on_reload, .user = app};
    int status = uv_loop_init(&app->loop);

    if (status)
        return err_set(err, ERR_UNAVAILABLE, "could not start the event loop: %s",
                       uv_strerror(status));
    process_watch_start(&app->watch, &app->loop, &app->metrics.process);
    return daemon_start(&app->daemon, &app->loop, &options, err);
}

static struct pool_options pool_options(struct app *app, enum report_pool which)
{
    const struct reporting_conf *conf = app->conf;
    struct pool_options options = {
        .pg = &conf->pg,
        .connections = 1,
        .waiting_max = (size_t)conf->queries_waiting_max,
        .query_timeout_ms = conf->query_timeout_ms,
        .reconnect_max_ms = conf->reconnect_max_ms,
        .lifetime_ms = conf->connection_lifetime_s * 1000,
        .metrics = &app->metrics,
    };

    if (which == POOL_ROLLUP) {
        options.connections = (size_t)conf->connections;
        options.is_main = true;
        options.gauges = &app->metrics.stats;
    } else if (which == POOL_RAW) {
        options.connections = (size_t)conf->raw_connections;
        options.query_timeout_ms = conf->raw_query_timeout_ms;
        options.cancels = true;
        options.gauges = &app->metrics.raw;
    }
    return options;
}

/* /readyz connects first: it has to answer also where Postgres has too few connections for
 * all pools. */
static enum err_code start_pools(struct app *app, struct err *err)
{
    static const enum report_pool order[POOL_COUNT] = {POOL_HEALTH, POOL_ROLLUP,
                                                       POOL_RAW};

    for (size_t i = 0; i < POOL_COUNT; i++) {
        enum report_pool which = order[i];
        struct pool_options options = pool_options(app, which);
        app->pools[which] = pool_start(&app->loop, &options);
        if (!app->pools[which])
            return err_set(err, ERR_NOMEM, "out of memory");
        app->routes.pools[which] = app->pools[which];
        app->pools_running++;
    }
    return ERR_OK;
}

static enum err_code start_exports(struct app *app, struct err *err)
{
    const struct exports_options options = {
        .pg = &app->conf->pg,
        .most = app->conf->exports_max,
        .timeout_ms = app->conf->export_timeout_ms,
        .metrics = &app->metrics,
        .on_failed = routes_on_export_failed,
        .user = &app->routes,
    };

    app->exports = exports_new(&app->loop, &options);
    if (!app->exports)
        return err_set(err, ERR_NOMEM, "out of memory");
    app->routes.exports = app->exports;
    app->pools_running++;
    return ERR_OK;
}

static enum err_code start_server(struct app *app, struct err *err)
{
    const struct reporting_conf *conf = app->conf;
    struct http_options options = http_conf_options(&conf->http);
    enum err_code code;

    options.max_connections = http_conf_connections(
        &conf->http, 1,
        RESERVED_FDS + conf->connections + conf->raw_connections + conf->exports_max);
    options.peers = app->peers;
    options.max_body_bytes = APP_BODY_MAX;
    options.max_drain_bytes = APP_BODY_MAX;
    options.metrics = &app->metrics.http;
    options.routes = routes_table;
    options.origins = &app->origins;
    options.has_secret = guard_has_key(app->guard);
    options.authorize = routes_authorize;
    options.user = &app->routes;
    options.on_turn_end = on_turn_end;
    code = http_server_start(&app->loop, &options, &app->server, err);
    app->open_servers += !code;
    return code;
}

static enum err_code start_health(struct app *app, struct err *err)
{
    struct http_health_options options = http_conf_health(&app->conf->http);
    enum err_code code;

    options.routes = routes_table;
    options.user = &app->routes;
    options.on_turn_end = on_turn_end;
    code = http_health_start(&app->loop, &options, &app->health, err);
    app->open_servers += app->health != NULL;
    return code;
}

static void tell_started(const struct app *app)
{
    static const char *const everywhere[] = {"", "0.0.0.0", "::"};

    for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++) {
        if (!guard_has_key(app->guard) &&
            strcmp(app->conf->http.host, everywhere[i]) == 0)
            log_line(LOG_WARN,
                     "figures are open to all who reach the port: set REPORTING_TOKEN",
                     NULL);
    }
    log_line(LOG_INFO, "listening",
             LOG_FIELDS(log_int("port", http_server_port(app->server)),
                        log_int("health_port",
                                app->health ? http_server_port(app->health) : 0)));
}

enum err_code app_run(const struct reporting_conf *conf, const struct conf_source *source,
                      struct err *err)
{
    struct app app = {.conf = conf, .source = source};
    enum err_code code = load_access(&app, conf, err);

    app.routes.metrics = &app.metrics;
    app.routes.raw_needs_token = conf->raw_needs_token;
    app.routes.query_timeout_ms = conf->query_timeout_ms;
    if (!code)
        code = start_loop(&app, err);
    if (code)
        return code; /* what libuv has opened ends with the process */
    if (page_new(conf->ingestion_url, &app.page))
        code = err_set(err, ERR_NOMEM, "out of memory");
    app.routes.page = app.page;
    if (!code)
        code = document_new(routes_table, conf->url, conf->ingestion_url, &app.document,
                            err);
    app.routes.document = app.document;
    app.routes.replies = replies_new(conf->answers_max_bytes, &app.metrics);
    if (!code && !app.routes.replies)
        code = err_set(err, ERR_NOMEM, "out of memory");
    if (!code)
        code = http_conf_peers(&conf->http, guard_proxies(app.guard), &app.peers, err);
    if (!code)
        code = start_server(&app, err);
    if (!code)
        code = start_health(&app, err);
    if (!code)
        code = start_pools(&app, err);
    if (!code)
        code = start_exports(&app, err);
    if (!code)
        tell_started(&app);
    else if (app.server)
        stop_servers(&app, 0);
    else
        close_handles(&app);
    (void)uv_run(&app.loop, UV_RUN_DEFAULT); /* until nothing is left in it */
    (void)uv_loop_close(&app.loop);          /* empty, so it cannot be busy */
    http_peers_free(app.peers);
    page_free(app.page);
    document_free(app.document);
    replies_free(app.routes.replies);
    origins_release(&app.origins);
    guard_free(app.guard);
    return code;
}
