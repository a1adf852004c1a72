/* app.c -- see app.h. */
#include "processor/app.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "processor/conf.h"
#include "processor/health.h"
#include "processor/lifecycle.h"
#include "processor/maintainer.h"
#include "processor/metrics.h"
#include "processor/queue/lease.h"
#include "processor/queue/queue.h"
#include "processor/routes.h"
#include "processor/sampler.h"
#include "processor/worker.h"
#include "shared/access/peers.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/http/health.h"
#include "shared/http/http.h"
#include "shared/redis/url.h"

enum {
    THREADS_MAX = HEALTH_THREADS_MAX + 1, /* the sampler reports no health */
    /* After SHUTDOWN_TIMEOUT_MS the lease thread needs a moment to hand batches back. */
    END_MARGIN_MS = 600,
    BODY_MAX = 65536, /* nothing here reads a body */
    RESERVED_FDS =
        64, /* descriptors for everything that is no client, besides the workers */
};

struct app {
    const struct processor_conf *conf; /* borrowed */
    const struct conf_source *source;  /* likewise */
    struct redis_url redis_url;
    struct lifecycle lifecycle;
    struct health health;
    struct leases leases;
    struct worker *workers; /* owned */
    size_t worker_count;
    struct lease_renewer lease_renewer;
    struct maintainer maintainer;
    struct sampler sampler;
    struct http_metrics http_metrics;
    struct routes routes; /* what the handlers see of all this */
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
    atomic_size_t ended; /* of the threads */
    uv_loop_t loop;
    struct daemon daemon;
    uv_async_t thread_ended;
    struct http_peers *peers;   /* owned; NULL: no limit for an address */
    struct http_server *server; /* owned */
    struct http_server
        *health_server; /* owned; NULL: no listener of its own for health */
    int open_servers;
    bool is_closed; /* the handles of the loop */
};

/* --- the end ---------------------------------------------------------------------- */

static void close_if_ended(struct app *app)
{
    if (app->is_closed || app->open_servers > 0 ||
        atomic_load(&app->ended) < app->thread_count)
        return;
    app->is_closed = true;
    daemon_close(&app->daemon);
    uv_close((uv_handle_t *)&app->thread_ended, NULL);
}

static void on_server_stopped(void *user)
{
    struct app *app = user;

    app->open_servers--;
    close_if_ended(app);
}

/* Before an end by force, beside threads that wait for a server. */
static void on_leave(void *user)
{
    struct app *app = user;

    for (size_t i = 0; i < app->thread_count; i++)
        (void)pthread_detach(app->threads[i]); /* nobody will join them */
}

/* A thread that still waits at the limit waits for a server that does not answer.  Its
 * batch has been handed back by then if Redis answers, and Postgres ends a transaction
 * whose client is gone. */
static void on_stop(void *user)
{
    struct app *app = user;

    lifecycle_stop(&app->lifecycle);
    daemon_limit_end(&app->daemon, app->conf->shutdown_timeout_ms + END_MARGIN_MS,
                     "left a server behind that did not answer in time", EXIT_SUCCESS);
    http_server_stop(app->server, 0, on_server_stopped, app);
    if (app->health_server)
        http_server_stop(app->health_server, 0, on_server_stopped, app);
}

static void on_reload(void *user)
{
    const struct app *app = user;
    struct processor_conf conf = {0};
    struct err err = {.code = ERR_OK};
    enum err_code code = conf_reload(app->source, &conf, &err);

    daemon_end_reload(code, &err, conf.log_level);
    conf_release(app->source->program, &conf);
}

static void stop(struct app *app)
{
    if (daemon_begin_stop(&app->daemon))
        on_stop(app);
}

/* A thread that ends before it was told to has refused the database. */
static void on_thread_ended(uv_async_t *handle)
{
    struct app *app = handle->data;

    stop(app);
    close_if_ended(app);
}

/* --- threads ---------------------------------------------------------------------- */

static void say_ended(struct app *app)
{
    atomic_fetch_add(&app->ended, 1);
    (void)uv_async_send(&app->thread_ended); /* fails only when the handle is closing */
}

/* What a worker's thread is given: its app and itself. */
struct worker_start {
    struct app *app;
    struct worker *worker;
};

static void *worker_thread(void *user)
{
    struct worker_start start = *(struct worker_start *)user;

    mem_free(user);
    worker_run(start.worker);
    leases_leave(&start.app->leases);
    say_ended(start.app);
    return NULL;
}

static void *lease_thread(void *user)
{
    struct app *app = user;

    lease_renewer_run(&app->lease_renewer);
    say_ended(app);
    return NULL;
}

static void *maintainer_thread(void *user)
{
    struct app *app = user;

    maintainer_run(&app->maintainer);
    say_ended(app);
    return NULL;
}

static void *sampler_thread(void *user)
{
    struct app *app = user;

    sampler_run(&app->sampler);
    say_ended(app);
    return NULL;
}

/* Signals are the main thread's. */
static enum err_code start_thread(struct app *app, void *(*run)(void *), void *user,
                                  struct err *err)
{
    sigset_t all;
    sigset_t before;
    int failed;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* fails only for a wrong "how" */
    failed = pthread_create(&app->threads[app->thread_count], NULL, run, user);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(err, ERR_UNAVAILABLE, "could not start a thread: %s",
                       strerror(failed));
    app->thread_count++;
    return ERR_OK;
}

static enum err_code start_worker(struct app *app, size_t i, struct err *err)
{
    struct worker_start *start = mem_alloc(sizeof(*start));
    enum err_code code;

    if (!start)
        return err_set(err, ERR_NOMEM, "out of memory");
    *start = (struct worker_start){app, &app->workers[i]};
    leases_enter(&app->leases);
    code = start_thread(app, worker_thread, start, err);
    if (code) {
        leases_leave(&app->leases);
        mem_free(start);
    }
    return code;
}

static enum err_code start_threads(struct app *app, struct err *err)
{
    enum err_code code = start_thread(app, maintainer_thread, app, err);

    if (!code)
        code = start_thread(app, lease_thread, app, err);
    if (!code)
        code = start_thread(app, sampler_thread, app, err);
    for (size_t i = 0; i < app->worker_count && !code; i++)
        code = start_worker(app, i, err);
    return code;
}

static void join_threads(struct app *app)
{
    for (size_t i = 0; i < app->thread_count; i++)
        (void)pthread_join(app->threads[i], NULL); /* fails only for no thread of ours */
}

/* --- the start -------------------------------------------------------------------- */

static enum err_code init_workers(struct app *app, struct err *err)
{
    size_t count = (size_t)app->conf->workers;

    app->workers = mem_calloc(count, sizeof(*app->workers));
    if (!app->workers)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &app->workers[i];
        enum err_code code = worker_init(worker, app->conf, &app->redis_url, i, err);

        app->worker_count++; /* a half-built one is released too */
        if (code)
            return code;
        worker->lifecycle = &app->lifecycle;
        worker->health = &app->health;
        worker->leases = &app->leases;
    }
    return ERR_OK;
}

static enum err_code init_helpers(struct app *app, struct err *err)
{
    const struct processor_conf *conf = app->conf;

    app->lease_renewer = (struct lease_renewer){
        .leases = &app->leases,
        .lifecycle = &app->lifecycle,
        .health = &app->health,
        .queue = queue_of_conf(conf, &app->redis_url),
        .thread = app->worker_count,
        .lease_ms = conf->lease_ms,
        .shutdown_timeout_ms = conf->shutdown_timeout_ms,
    };
    if (!app->lease_renewer.queue)
        return err_set(err, ERR_NOMEM, "out of memory");
    app->maintainer.lifecycle = &app->lifecycle;
    app->maintainer.health = &app->health;
    app->maintainer.thread = app->worker_count + 1;
    app->sampler.redis_url = &app->redis_url;
    app->sampler.lifecycle = &app->lifecycle;
    app->routes.sources = (struct metrics_sources){
        .health = &app->health,
        .http = &app->http_metrics,
        .workers = &app->workers->metrics,
        .worker_count = app->worker_count,
        .worker_stride = sizeof(*app->workers),
        .maintainer = &app->maintainer.metrics,
        .sampler = &app->sampler.metrics,
    };
    /* Not ready before each has answered once. */
    health_set(&app->health, app->lease_renewer.thread, HEALTH_REDIS, ERR_UNAVAILABLE);
    health_set(&app->health, app->maintainer.thread, HEALTH_POSTGRES, ERR_UNAVAILABLE);
    return ERR_OK;
}

static enum err_code init_loop(struct app *app, struct err *err)
{
    const struct daemon_options options = {
        .on_stop = on_stop, .on_reload = on_reload, .on_leave = on_leave, .user = app};
    int status = uv_loop_init(&app->loop);

    if (!status)
        status = uv_async_init(&app->loop, &app->thread_ended, on_thread_ended);
    app->thread_ended.data = app;
    if (status)
        return err_set(err, ERR_UNAVAILABLE, "could not start the event loop: %s",
                       uv_strerror(status));
    return daemon_start(&app->daemon, &app->loop, &options, err);
}

static enum err_code start_server(struct app *app, struct err *err)
{
    const struct processor_conf *conf = app->conf;
    struct http_options options = http_conf_options(&conf->http);
    enum err_code code;

    options.max_connections =
        http_conf_connections(&conf->http, 1, RESERVED_FDS + 2 * conf->workers);
    options.peers = app->peers;
    options.max_body_bytes = BODY_MAX;
    options.max_drain_bytes = BODY_MAX;
    options.metrics = &app->http_metrics;
    options.routes = routes_table();
    options.root_hint = "not found; the processor answers /healthz, /readyz and /metrics";
    options.user = &app->routes;
    code = http_server_start(&app->loop, &options, &app->server, err);
    app->open_servers += !code;
    return code;
}

static enum err_code start_health(struct app *app, struct err *err)
{
    struct http_health_options options = http_conf_health(&app->conf->http);
    enum err_code code;

    options.routes = routes_table();
    options.user = &app->routes;
    code = http_health_start(&app->loop, &options, &app->health_server, err);
    app->open_servers += app->health_server != NULL;
    return code;
}

static enum err_code init(struct app *app, struct err *err)
{
    enum err_code code = redis_url_parse(app->conf->redis.url, &app->redis_url, err);

    if (!code)
        code = lifecycle_init(&app->lifecycle, err);
    if (!code)
        code = health_init(&app->health, err);
    if (!code)
        code = leases_init(&app->leases, err);
    if (!code)
        code = init_workers(app, err);
    if (!code)
        code = init_helpers(app, err);
    if (!code)
        code = sampler_init(&app->sampler, app->conf, err);
    if (!code)
        code = init_loop(app, err);
    if (!code)
        code = http_conf_peers(&app->conf->http, NULL, &app->peers, err);
    if (!code)
        code = start_server(app, err);
    if (!code)
        code = start_health(app, err);
    return code;
}

static void release(struct app *app)
{
    for (size_t i = 0; i < app->worker_count; i++)
        worker_release(&app->workers[i]);
    mem_free(app->workers);
    http_peers_free(app->peers);
    queue_free(app->lease_renewer.queue);
    sampler_release(&app->sampler);
    maintainer_release(&app->maintainer);
    leases_release(&app->leases);
    health_release(&app->health);
    lifecycle_release(&app->lifecycle);
    (void)uv_loop_close(&app->loop); /* everything in it was closed before */
}

static int64_t health_port(const struct app *app)
{
    return app->health_server ? http_server_port(app->health_server) : 0;
}

enum err_code app_run(const struct processor_conf *conf, const struct conf_source *source,
                      struct err *err)
{
    static struct app app; /* callbacks of the loop may outlive a failed start */
    enum err_code code;

    app = (struct app){.conf = conf, .source = source};
    maintainer_init(&app.maintainer, conf);
    code = init(&app, err);
    if (code)
        return code; /* the process ends; nothing of it runs yet */
    code = start_threads(&app, err);
    if (code)
        stop(&app);
    else
        log_line(LOG_INFO, "started",
                 LOG_FIELDS(log_int("port", http_server_port(app.server)),
                            log_int("health_port", health_port(&app)),
                            log_int("workers", conf->workers)));
    (void)uv_run(&app.loop, UV_RUN_DEFAULT);
    join_threads(&app);
    if (!code && app.maintainer.refusal.code) {
        *err = app.maintainer.refusal;
        code = err->code;
    }
    release(&app);
    return code;
}
