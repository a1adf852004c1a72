/* wait.c -- the two ways in which a request waits; see internal.h.
 *
 * suspend  MHD_suspend_connection(), the documented way.  Costs two epoll_ctl and a read
 *          that finds nothing for each request, and MHD does not watch the connection: a
 *          client that has closed its sending side may lose its answer.
 * park     The access handler returns without an answer, and MHD calls it again at every
 *          run: "try again next time" in its state machine (connection.c, the state
 *          MHD_CONNECTION_FULL_REQ_RECEIVED).  Faster, and resets are seen.
 *
 * docs/design.md has the figures of both.  With requests parked MHD always says that it
 * has more to do, so the server goes by whether a run made progress.
 */
#include "shared/http/internal.h"

void http_wait_begin(struct http_request *req)
{
    req->step = STEP_WAITING;
    http_conn_enter(req, PHASE_WAITING);
    if (req->server->options.suspends) {
        req->is_suspended = true;
        MHD_suspend_connection(req->mhd);
    }
}

void http_wait_end(struct http_request *req)
{
    if (req->is_suspended) {
        req->is_suspended = false;
        MHD_resume_connection(req->mhd);
    }
    http_server_wake(req->server);
}

bool http_wait_is_polled(const struct http_server *server)
{
    return !server->options.suspends && server->waiting > 0;
}
