/* server.c -- libmicrohttpd's daemon on a libuv loop; see http.h.
 *
 * MHD runs in one place only, run_turn(): when its epoll descriptor is readable, when it
 * said that it has more to do, and at the end of a turn of the loop in which an answer
 * became ready.  Its sockets are edge-triggered, so after every run it is asked whether
 * it wants another one.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/mem.h"
#include "shared/http/internal.h"
#include "shared/http/listen.h"

enum {
    RUNS_MAX = 64, /* runs of MHD in one turn; the rest waits for the next */
    AGAIN_MS = 1,  /* until the next turn when MHD has more to do */
    TICK_MS = 100, /* how often deadlines are looked at */
    POOL_BYTES =
        8192, /* MHD's memory of a connection: pieces of a body, heads of answers */
    BUFFER_STEP = 4096, /* MHD grows a read buffer by this much */
    STOP_IDLE_MS =
        300, /* a stopping server still serves its keep-alive clients so long */
    STOP_WRITE_MS = 500, /* to send the last answers, after the grace is over */
};

/* --- turns ---------------------------------------------------------------- */

static bool wants_another_run(const struct http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms = 1;

    return MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES && timeout_ms == 0;
}

static void on_again(uv_timer_t *timer);

static void run_turn(struct http_server *server)
{
    bool has_more = true;

    server->has_woken = false;
    for (int i = 0; i < RUNS_MAX && has_more; i++) {
        uint64_t before = server->progress;
        server->accepts_again = false;
        http_wire_run(server);
        server->queued = NULL;
        has_more = wants_another_run(server) || server->accepts_again;
        if (http_wait_is_polled(server) && server->progress == before)
            break; /* it only asks for those that wait */
    }
    /* Not at 0 ms: libuv 1.44 would run such a timer again and again before any I/O. */
    if (has_more)
        (void)uv_timer_start(&server->again, on_again, AGAIN_MS, 0);
    else
        (void)uv_timer_stop(&server->again);
    if (server->options.on_turn_end)
        server->options.on_turn_end(server->options.user);
}

static void on_again(uv_timer_t *timer)
{
    run_turn(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    (void)status; /* an error on an epoll descriptor shows itself in MHD_run() */
    run_turn(poll->data);
}

static void on_check(uv_check_t *check)
{
    struct http_server *server = check->data;

    if (server->has_woken)
        run_turn(server);
}

void http_server_wake(struct http_server *server)
{
    server->has_woken = true;
}

bool http_server_is_over(const struct http_server *server)
{
    return server->is_stopping && (int64_t)uv_now(server->loop) >= server->stop_limit_ms;
}

/* --- stopping ------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    void (*on_stopped)(void *user) = server->on_stopped;
    void *user = server->stopped_user;

    if (--server->open_handles > 0)
        return;
    http_answer_release(server);
    mem_free(server->fds);
    mem_free(server);
    if (on_stopped)
        on_stopped(user);
}

static void close_handles(struct http_server *server)
{
    uv_close((uv_handle_t *)&server->poll, on_closed);
    uv_close((uv_handle_t *)&server->again, on_closed);
    uv_close((uv_handle_t *)&server->tick, on_closed);
    uv_close((uv_handle_t *)&server->check, on_closed);
}

static void force_answers(struct http_server *server)
{
    struct http_request *req = TAILQ_FIRST(&server->phases[PHASE_WAITING]);

    while (req) {
        struct http_request *next = TAILQ_NEXT(req, entry);
        if (req->flow)
            http_stream_fail(req);
        else if (!req->status)
            http_answer_force(req);
        req = next;
    }
}

/* MHD_stop_daemon() aborts the process while a connection is suspended, so everybody has
 * been answered, or is about to be forced, before it is called. */
static void stop_daemon(struct http_server *server)
{
    force_answers(server);
    http_wire_run(server); /* takes the resumed ones up */
    (void)uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    close_handles(server);
}

static void step_stop(struct http_server *server, int64_t now_ms)
{
    if (server->connections == 0 || now_ms >= server->stop_limit_ms + STOP_WRITE_MS) {
        stop_daemon(server);
        return;
    }
    if (now_ms >= server->stop_idle_ms)
        http_conn_cut_idle(server);
    if (now_ms >= server->stop_limit_ms)
        force_answers(server);
    run_turn(server);
}

static void on_tick(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    int64_t now_ms = (int64_t)uv_now(server->loop);

    http_conn_expire(server, now_ms);
    http_conn_notice_ends(server, now_ms);
    http_room_make(server);
    if (server->is_stopping)
        step_stop(server, now_ms);
}

/* Takes the connections that wait in the backlog: closing the socket would reset them. */
static void drain_backlog(struct http_server *server)
{
    size_t before;
    int runs = 0;

    do {
        before = server->connections;
        http_wire_run(server);
    } while (server->connections > before && ++runs < RUNS_MAX * 4);
}

void http_server_stop(struct http_server *server, int64_t grace_ms,
                      void (*on_stopped)(void *user), void *user)
{
    int64_t now_ms;

    assert(!server->is_stopping);
    uv_update_time(server->loop);
    now_ms = (int64_t)uv_now(server->loop);
    drain_backlog(server);
    server->is_stopping = true;
    server->on_stopped = on_stopped;
    server->stopped_user = user;
    server->stop_limit_ms = now_ms + grace_ms;
    server->stop_idle_ms = now_ms + (grace_ms < STOP_IDLE_MS ? grace_ms : STOP_IDLE_MS);
    (void)MHD_quiesce_daemon(server->daemon); /* gives back the descriptor we know */
    (void)close(server->listen_fd);
    server->listen_fd = -1;
    (void)uv_timer_start(&server->tick, on_tick, 0, TICK_MS / 5);
    http_server_wake(server);
}

/* --- starting ------------------------------------------------------------- */

static void ignore_log(void *user, const char *format, va_list args)
{
    /* MHD's own messages hold bytes of clients, unescaped. */
    (void)user;
    (void)format;
    (void)args;
}

static enum err_code start_daemon(struct http_server *server, struct err *err)
{
    const struct http_options *options = &server->options;
    unsigned limit = (unsigned)(options->max_connections +
                                http_server_spare(options->max_connections));

    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, http_request_on_access,
        server, MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        server->listen_fd, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)BUFFER_STEP,
        MHD_OPTION_CONNECTION_TIMEOUT, 0U, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, http_conn_on_notify, server, MHD_OPTION_END);
    if (!server->daemon)
        return err_set(err, ERR_UNAVAILABLE, "could not start the HTTP server: %s",
                       strerror(errno));
    return ERR_OK;
}

/* The first three cannot fail once the poll has been made. */
static enum err_code start_handles(struct http_server *server, struct err *err)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int status = uv_poll_init(server->loop, &server->poll, info->epoll_fd);

    if (status)
        return err_set(err, ERR_UNAVAILABLE, "could not watch the HTTP server: %s",
                       uv_strerror(status));
    (void)uv_timer_init(server->loop, &server->again);
    (void)uv_timer_init(server->loop, &server->tick);
    (void)uv_check_init(server->loop, &server->check);
    server->open_handles = 4;
    server->poll.data = server->again.data = server->tick.data = server->check.data =
        server;
    (void)uv_poll_start(&server->poll, UV_READABLE, on_readable);
    (void)uv_timer_start(&server->tick, on_tick, TICK_MS, TICK_MS);
    (void)uv_check_start(&server->check, on_check);
    return ERR_OK;
}

enum err_code http_server_start(uv_loop_t *loop, const struct http_options *options,
                                struct http_server **ret_server, struct err *err)
{
    struct http_server *server = mem_calloc(1, sizeof(*server));
    enum err_code code;

    if (!server)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        TAILQ_INIT(&server->phases[phase]);
    server->options = *options;
    server->metrics = options->metrics ? options->metrics : &server->uncounted;
    metric_set(&server->metrics->connections_max, options->max_connections);
    server->loop = loop;
    server->listen_fd = -1;
    code = http_wire_check(err);
    if (!code)
        code = http_answer_prepare(server, err);
    if (!code)
        code = listen_open(options->host, options->port, options->shares_port,
                           &server->listen_fd, err);
    if (!code)
        code = start_daemon(server, err);
    if (!code)
        code = start_handles(server, err);
    if (code)
        goto failed;
    server->port = listen_port(server->listen_fd);
    *ret_server = server;
    return ERR_OK;

failed:
    if (server->daemon)
        MHD_stop_daemon(server->daemon); /* closes the listening socket too */
    else if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    http_answer_release(server);
    mem_free(server->fds);
    mem_free(server);
    return code;
}

/* --- queries -------------------------------------------------------------- */

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}
