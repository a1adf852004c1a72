/* room.c -- who gives way when there are too many connections; see internal.h.
 *
 * A server has MAX_CONNECTIONS, and a few more for newcomers (http_server_spare()).  When a
 * newcomer makes it too many, the connection that has been idle longest is closed for it,
 * unless it has only just become idle: where more clients come than there is room for, those
 * who are in are served, and do not throw each other out between two requests.  Without such
 * a one, it is that whose head has been coming for too long, and then that whose body has.
 * While all are at work the newcomer takes one of the spare ones, and those after it wait in
 * the backlog.
 *
 * An address that has too many connections gives one of its own, and when none of those is
 * idle, the new one.
 */
#include <sys/ioctl.h>

#include "shared/access/address.h"
#include "shared/access/peers.h"
#include "shared/http/internal.h"

enum {
    SPARE_SHARE = 64, /* one spare connection for so many */
    SPARE_MAX = 16,
    SLOW_HEAD_MS = 1000, /* far more than an honest client needs for a head */
    SLOW_BODY_MS = 3000, /* where it is read: an honest client may be on a slow line */
    FRESH_IDLE_MS = 100, /* a client that is at work sends its next request sooner */
    LOOK_MAX =
        1024 /* connections looked at for one of the same address; bounds the time */
};

int64_t http_server_spare(int64_t max_connections)
{
    int64_t spare = max_connections / SPARE_SHARE;

    if (spare < 1)
        return 1;
    return spare < SPARE_MAX ? spare : SPARE_MAX;
}

/* A request has come that libmicrohttpd has not begun with, or bytes that it has not read yet:
 * it accepts all newcomers first. */
static bool has_bytes(const struct http_request *req)
{
    int count = 0;

    return req->raw.taken < req->raw.passed ||
           (ioctl(req->fd, FIONREAD, &count) == 0 && count > 0);
}

static bool may_leave(const struct http_request *req, const struct http_peer *peer,
                      const struct http_request *newcomer)
{
    return req != newcomer && !req->is_leaving && (!peer || req->peer == peer) &&
           !(req->phase == PHASE_IDLE && has_bytes(req));
}

/* The oldest connection of the phase that may be closed; of this peer unless it is NULL. */
static struct http_request *oldest(const struct http_server *server,
                                   enum http_phase phase, const struct http_peer *peer,
                                   const struct http_request *newcomer)
{
    struct http_request *req;
    int looked = 0;

    TAILQ_FOREACH (req, &server->phases[phase], entry) {
        if (looked++ == LOOK_MAX)
            break;
        if (may_leave(req, peer, newcomer))
            return req;
    }
    return NULL;
}

/* A body that nobody reads is only waited for so that its client reads the answer. */
static int64_t slow_ms(const struct http_request *req)
{
    bool is_read = req->phase == PHASE_BODY && !req->status && req->route->reads_body;

    return is_read ? SLOW_BODY_MS : SLOW_HEAD_MS;
}

/* The request of the phase that has been coming longest, if that is too long. */
static struct http_request *slowest(const struct http_server *server,
                                    enum http_phase phase, int64_t timeout_ms,
                                    const struct http_peer *peer,
                                    const struct http_request *newcomer)
{
    struct http_request *req = oldest(server, phase, peer, newcomer);
    int64_t begun_ms = req ? req->deadline_ms - timeout_ms : 0;

    return req && (int64_t)uv_now(server->loop) - begun_ms >= slow_ms(req) ? req : NULL;
}

static struct http_request *find_victim(const struct http_server *server,
                                        const struct http_peer *peer,
                                        const struct http_request *newcomer)
{
    const struct http_options *options = &server->options;
    struct http_request *req = oldest(server, PHASE_IDLE, peer, newcomer);
    int64_t fresh_deadline_ms =
        (int64_t)uv_now(server->loop) + options->idle_timeout_ms - FRESH_IDLE_MS;

    if (req && (peer || req->deadline_ms <= fresh_deadline_ms))
        return req;
    req = slowest(server, PHASE_HEADERS, options->header_timeout_ms, peer, newcomer);
    return req ? req
               : slowest(server, PHASE_BODY, options->body_timeout_ms, peer, newcomer);
}

static void leave(struct http_request *req, enum http_leave why)
{
    metric_add(&req->server->metrics->leaves[why], 1);
    if (req->phase == PHASE_BODY)
        http_rescue_late(req); /* what it is refused with, or that it was too slow */
    http_conn_cut(req);
}

static void make_room(struct http_server *server, const struct http_request *newcomer)
{
    while (server->connections - server->leaving >
           (size_t)server->options.max_connections) {
        struct http_request *victim = find_victim(server, NULL, newcomer);

        if (!victim)
            return;
        leave(victim, HTTP_LEAVE_FULL);
    }
}

void http_room_make(struct http_server *server)
{
    make_room(server, NULL);
}

/* True when the address of req has too many connections, this one included. */
static bool enter(struct http_request *req)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_peers *peers = req->server->options.peers;
    struct address address;
    bool is_over = false;

    if (peers && info && address_of_socket(info->client_addr, &address))
        req->peer = http_peers_enter(peers, &address, &is_over);
    return is_over;
}

void http_room_enter(struct http_request *req)
{
    struct http_request *victim;

    if (enter(req)) {
        victim = find_victim(req->server, req->peer, req);
        leave(victim ? victim : req, victim ? HTTP_LEAVE_ADDRESS : HTTP_LEAVE_REFUSED);
    }
    make_room(req->server, req);
}

void http_room_leave(struct http_request *req)
{
    if (req->peer)
        http_peers_leave(req->server->options.peers, req->peer);
    req->peer = NULL;
}
