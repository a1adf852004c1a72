/* app.c -- see app.h.  The main thread has a loop of its own for signals only. */
#include "ingestion/app.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "ingestion/access.h"
#include "ingestion/conf.h"
#include "ingestion/loop.h"
#include "ingestion/metrics.h"
#include "ingestion/spool/files.h"
#include "shared/base/log.h"
#include "shared/daemon/process_watch.h"
#include "shared/redis/url.h"

enum {
    RESERVED_FDS = 64, /* descriptors for everything that is not a client */
    EXIT_BY_FORCE = 1, /* the status after a second signal, or when time is up */
    IDLE_MS = 500,     /* for what the resolver is asked, once everyone is answered */
};

struct app {
    struct ingestion_metrics metrics; /* first: aligned to cache lines */
    const struct ingestion_conf *conf;
    struct redis_url redis_url;
    struct access *access;       /* owned; shared by the loops */
    struct spool_dir *spool_dir; /* likewise; NULL: no spool */
    uv_loop_t uv;
    uv_signal_t term;
    uv_signal_t intr;
    uv_async_t ended; /* a loop has ended, or is idle */
    uv_timer_t limit; /* of the shutdown */
    struct process_watch watch;
    struct loop *loops[LOOPS_MAX];
    int64_t loop_count;
    _Atomic int64_t running;
    _Atomic int64_t busy; /* of those: not idle yet */
    bool is_stopping;
};

/* --- the end ---------------------------------------------------------------- */

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    log_line(LOG_ERROR, "could not shut down in time", NULL);
    _exit(EXIT_BY_FORCE);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct app *app = handle->data;

    if (app->is_stopping) {
        log_line(LOG_WARN, "ended by a second signal", NULL);
        _exit(EXIT_BY_FORCE);
    }
    app->is_stopping = true;
    log_line(LOG_INFO, "shutting down", LOG_FIELDS(log_int("signal", number)));
    (void)uv_timer_start(&app->limit, on_limit, (uint64_t)app->conf->shutdown_timeout_ms,
                         0);
    for (int64_t i = 0; i < app->loop_count; i++)
        loop_stop(app->loops[i]);
}

/* Everyone has been answered by now.  A thread that sits in the resolver cannot be ended,
 * and exit() would wait for it. */
static void on_idle_limit(uv_timer_t *timer)
{
    (void)timer;
    log_line(LOG_WARN, "left a question to the resolver behind", NULL);
    _exit(EXIT_SUCCESS);
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

static void on_ended(uv_async_t *async)
{
    struct app *app = async->data;
    uint64_t left_ms = uv_timer_get_due_in(&app->limit);

    if (atomic_load(&app->running) > 0) {
        if (atomic_load(&app->busy) == 0)
            (void)uv_timer_start(&app->limit, on_idle_limit,
                                 left_ms < IDLE_MS ? left_ms : IDLE_MS, 0);
        return;
    }
    uv_close((uv_handle_t *)&app->term, NULL);
    uv_close((uv_handle_t *)&app->intr, NULL);
    uv_close((uv_handle_t *)&app->limit, NULL);
    uv_close((uv_handle_t *)&app->ended, NULL);
    process_watch_stop(&app->watch);
}

/* --- the beginning ---------------------------------------------------------- */

/* Raises the limit of open files and returns how many clients fit under it. */
static int64_t fit_connections(int64_t wanted)
{
    struct rlimit limit;
    int64_t room;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* the limit stays what it is, then */
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    room = (int64_t)limit.rlim_cur - RESERVED_FDS;
    if (room < 1)
        room = 1;
    if (wanted <= room)
        return wanted;
    log_line(LOG_WARN, "fewer connections than wanted: the limit of open files is low",
             LOG_FIELDS(log_int("wanted", wanted), log_int("possible", room)));
    return room;
}

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
    code = spool_dir_open(conf->spool_dir, conf->spool_max_bytes, &app->spool_dir, err);
    if (code)
        return code;
    metric_set(&app->metrics.loops[0].spool_bytes_max, conf->spool_max_bytes);
    bytes = spool_dir_bytes(app->spool_dir);
    if (bytes > 0)
        log_line(LOG_INFO, "events of an earlier run wait in the spool",
                 LOG_FIELDS(log_int("bytes", bytes)));
    return ERR_OK;
}

static enum err_code start_signals(struct app *app, struct err *err)
{
    if (uv_loop_init(&app->uv) != 0 || uv_signal_init(&app->uv, &app->term) != 0 ||
        uv_signal_init(&app->uv, &app->intr) != 0 ||
        uv_async_init(&app->uv, &app->ended, on_ended) != 0 ||
        uv_timer_init(&app->uv, &app->limit) != 0 ||
        uv_signal_start(&app->term, on_signal, SIGTERM) != 0 ||
        uv_signal_start(&app->intr, on_signal, SIGINT) != 0)
        return err_set(err, ERR_UNAVAILABLE, "could not make an event loop");
    process_watch_start(&app->watch, &app->uv, &app->metrics.process);
    app->term.data = app->intr.data = app->ended.data = app->limit.data = app;
    return ERR_OK;
}

static enum err_code start_loops(struct app *app, struct err *err)
{
    int64_t wanted = count_loops(app->conf);
    int64_t connections = fit_connections(app->conf->max_connections);
    struct loop_options options = {
        .conf = app->conf,
        .redis_url = &app->redis_url,
        .access = app->access,
        .spool_dir = app->spool_dir,
        .port = (uint16_t)app->conf->port,
        .max_connections = (connections + wanted - 1) / wanted,
        .metrics = &app->metrics,
        .on_idle = on_loop_idle,
        .on_ended = on_loop_ended,
        .user = app,
    };

    app->metrics.loop_count = (size_t)wanted;
    for (int64_t i = 0; i < wanted; i++) {
        enum err_code code;
        options.index = (size_t)i;
        (void)atomic_fetch_add(&app->running, 1);
        (void)atomic_fetch_add(&app->busy, 1);
        code = loop_start(&options, &app->loops[i], err);
        if (code)
            return code;
        app->loop_count++;
        options.port = loop_port(app->loops[0]);
    }
    log_line(LOG_INFO, "listening",
             LOG_FIELDS(log_int("port", options.port), log_int("loops", wanted)));
    return ERR_OK;
}

enum err_code app_run(const struct ingestion_conf *conf, struct err *err)
{
    static struct app app; /* loops may still run when a failed start returns */
    enum err_code code = redis_url_parse(conf->redis_url, &app.redis_url, err);

    app.conf = conf;
    if (!code)
        code = access_new(conf, &app.access, err);
    if (!code)
        code = open_spool(&app, err);
    if (!code)
        code = start_signals(&app, err);
    if (!code)
        code = start_loops(&app, err);
    if (code)
        return code;
    (void)uv_run(&app.uv, UV_RUN_DEFAULT);
    for (int64_t i = 0; i < app.loop_count; i++)
        loop_join(app.loops[i]);
    (void)uv_loop_close(&app.uv); /* every handle was closed on the way */
    access_free(app.access);
    spool_dir_close(app.spool_dir);
    log_line(LOG_INFO, "stopped", NULL);
    return ERR_OK;
}
