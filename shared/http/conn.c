/* conn.c -- connections and their deadlines; see internal.h.
 *
 * libmicrohttpd's own timeout is one of inactivity: a client that sends a byte a second
 * holds its connection for ever.  Ours are absolute.  At a deadline the socket is shut
 * down, MHD notices and closes the connection in its usual way.
 */
#include <sys/socket.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/internal.h"

enum {
    NOTICE_MS = 500 /* between two looks; each costs a system call a connection */
};

static int64_t phase_ms(const struct http_server *server, enum http_phase phase)
{
    switch (phase) {
    case PHASE_IDLE:
        return server->options.idle_timeout_ms;
    case PHASE_HEADERS:
        return server->options.header_timeout_ms;
    case PHASE_BODY:
        return server->options.body_timeout_ms;
    case PHASE_WRITING:
        return server->options.write_timeout_ms;
    case PHASE_WAITING:
    case PHASE_COUNT:
        break;
    }
    return INT64_MAX / 2; /* the holder's own deadline counts */
}

void http_conn_enter(struct http_request *req, enum http_phase phase)
{
    struct http_server *server = req->server;

    TAILQ_REMOVE(&server->phases[req->phase], req, entry);
    req->phase = phase;
    req->deadline_ms = (int64_t)uv_now(server->loop) + phase_ms(server, phase);
    TAILQ_INSERT_TAIL(&server->phases[phase], req, entry);
    if (phase == PHASE_IDLE)
        http_room_make(server);
}

void http_conn_cut(struct http_request *req)
{
    (void)shutdown(req->fd, SHUT_RDWR); /* gone already is as good */
    req->server->leaving += !req->is_leaving;
    req->is_leaving = true;
}

/* A connection that was cut stays at the head of its list until MHD has closed it, so its
 * deadline moves on; cutting it again would do no harm either. */
static void expire_list(struct http_list *list, int64_t now_ms)
{
    struct http_request *req;

    while ((req = TAILQ_FIRST(list)) != NULL && req->deadline_ms <= now_ms) {
        metric_add(&req->server->metrics->timeouts[req->phase], 1);
        http_rescue_late(req);
        http_conn_cut(req);
        req->deadline_ms = INT64_MAX / 2;
        TAILQ_REMOVE(list, req, entry);
        TAILQ_INSERT_TAIL(list, req, entry);
    }
}

/* libmicrohttpd's sockets are edge-triggered, and it takes a short read for the last one.
 * So an end that arrives together with the last bytes is never read, and the connection stays
 * until its deadline.  Shutting our reading side down changes nothing for the client, and
 * makes libmicrohttpd read again. */
static void notice_end(const struct http_request *req)
{
    char byte;

    if (recvfrom(req->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) == 0)
        (void)shutdown(req->fd, SHUT_RD);
}

void http_conn_notice_ends(struct http_server *server, int64_t now_ms)
{
    int64_t idle_ms = phase_ms(server, PHASE_IDLE);
    struct http_request *req;

    if (now_ms - server->noticed_ms < NOTICE_MS)
        return;
    for (int phase = PHASE_HEADERS; phase <= PHASE_BODY; phase++)
        TAILQ_FOREACH (req, &server->phases[phase], entry)
            notice_end(req);
    /* One that has been idle for longer was looked at the last time. */
    TAILQ_FOREACH_REVERSE (req, &server->phases[PHASE_IDLE], http_list, entry) {
        if (req->deadline_ms - idle_ms < server->noticed_ms)
            break;
        notice_end(req);
    }
    server->noticed_ms = now_ms;
}

void http_conn_expire(struct http_server *server, int64_t now_ms)
{
    for (int phase = PHASE_IDLE; phase <= PHASE_WRITING; phase++)
        expire_list(&server->phases[phase], now_ms);
}

void http_conn_cut_idle(struct http_server *server)
{
    struct http_request *req;

    TAILQ_FOREACH (req, &server->phases[PHASE_IDLE], entry)
        http_conn_cut(req);
}

static struct http_request *conn_new(struct http_server *server,
                                     struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_request *req = mem_calloc(1, sizeof(*req));

    if (!req || !info) {
        if (info)
            (void)shutdown(info->connect_fd,
                           SHUT_RDWR); /* nobody could judge what comes */
        mem_free(req);
        return NULL;
    }
    req->server = server;
    req->mhd = mhd;
    req->fd = info->connect_fd;
    if (!http_wire_add(server, req)) {
        (void)shutdown(req->fd, SHUT_RDWR);
        mem_free(req);
        return NULL;
    }
    http_raw_init(&req->raw, (size_t)server->options.max_head_bytes);
    buf_init(&req->query, (size_t)server->options.max_head_bytes + 1);
    http_body_init(&req->body);
    req->body.budget = server->options.body_budget;
    req->body.held = &server->metrics->body_bytes;
    req->phase = PHASE_IDLE;
    req->deadline_ms = (int64_t)uv_now(server->loop) + phase_ms(server, PHASE_IDLE);
    TAILQ_INSERT_TAIL(&server->phases[PHASE_IDLE], req, entry);
    server->connections++;
    metric_add(&server->metrics->accepted, 1);
    metric_set(&server->metrics->connections, (int64_t)server->connections);
    http_room_enter(req);
    return req;
}

void http_conn_free(struct http_request *req)
{
    http_answer_drop(req);
    buf_release(&req->query);
    http_raw_release(&req->raw);
    http_body_release(&req->body);
    mem_free(req);
}

/* The connection is closed.  A handler may still hold the request; answer.c frees
 * it then. */
static void conn_gone(struct http_request *req)
{
    struct http_server *server = req->server;

    TAILQ_REMOVE(&server->phases[req->phase], req, entry);
    http_room_leave(req);
    server->connections--;
    server->leaving -= req->is_leaving;
    server->accepts_again = true;
    server->waiting -= req->is_held;
    metric_set(&server->metrics->connections, (int64_t)server->connections);
    if (!req->is_answered)
        metric_add(&server->metrics->unanswered[req->phase], 1);
    http_wire_remove(server, req);
    req->server = NULL;
    req->mhd = NULL;
    if (!req->is_held)
        http_conn_free(req);
}

void http_conn_on_notify(void *user, struct MHD_Connection *mhd, void **socket_context,
                         enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;

    server->progress++;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *socket_context = conn_new(server, mhd); /* NULL: closed at its first request */
    else if (*socket_context)
        conn_gone(*socket_context);
}

struct http_request *http_conn_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}
