/* http.h -- an HTTP server on a libuv loop, for ingestion, reporting and health checks.
 *
 * It drives one libmicrohttpd daemon through that daemon's epoll descriptor.  For each
 * request it checks the headers (request smuggling, encodings), finds the route, reads and
 * inflates the body under a limit, and calls the route's handler once, with everything
 * there.  The handler answers at once, or waits: it keeps the request and answers later
 * from another callback of the same loop.
 *
 *   connect -> [IDLE] -> request line -> [HEADERS] -> [BODY] -> handler
 *           -> http_answer() -> [WRITING] -> [IDLE] or closed
 *           -> http_wait() -> [WAITING] -> http_answer() -> [WRITING] -> ...
 *
 * Each state but WAITING has an absolute deadline that no slow client can stretch; whoever
 * makes a request wait owns the deadline of that wait.
 *
 * Everything belongs to the loop's thread.  One process may run several servers, each on
 * a loop and thread of its own, sharing a port.
 */
#ifndef SHARED_HTTP_HTTP_H
#define SHARED_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct buf;
struct http_metrics;
struct sockaddr;
struct words;

struct http_server;  /* opaque */
struct http_request; /* opaque; borrowed by the handler, see http_wait() */

typedef void (*http_handler_fn)(struct http_request *req, void *user);

/* One path and method.  Paths match as they stand in the request line (not decoded), in
 * any case, with at most one slash more at the end. */
struct http_route {
    const char *method; /* "GET" (which serves HEAD too) or "POST" */
    const char *path;   /* "/stats"; NULL ends the table */
    http_handler_fn handler;
    bool reads_body;  /* otherwise a body is read and thrown away */
    bool allows_cors; /* answers carry Access-Control-Allow-Origin, OPTIONS is answered */
};

struct http_options {
    const char *host; /* numeric address or name; "" or NULL is every address */
    uint16_t port;    /* 0: the system chooses, see http_server_port() */
    bool shares_port; /* SO_REUSEPORT */
    bool suspends;    /* how a request waits, see wait.c */
    int64_t max_connections;
    int64_t connection_bytes;  /* memory of one connection's headers; a request line and
                                 headers past it are 414 or 431 */
    int64_t max_body_bytes;    /* after inflating */
    int64_t max_drain_bytes;   /* of a refused body: read and thrown away up to here, so
                                  that the client gets to read its answer */
    int64_t idle_timeout_ms;   /* connection open, no request line yet */
    int64_t header_timeout_ms; /* request line to last header */
    int64_t body_timeout_ms;   /* headers to the end of the body */
    int64_t write_timeout_ms;  /* answer queued to answer sent */
    struct http_metrics *metrics; /* counted in; must outlive the server; NULL: nowhere */
    const struct http_route *routes;
    const struct words *cors_origins; /* of routes that allow CORS; NULL or "*": all */
    void *user;                       /* passed to handlers and hooks */

    /* Called after each turn in which requests were read; NULL: none.  The place to send
     * what a turn has gathered, as one group. */
    void (*on_turn_end)(void *user);
};

/* Binds, listens and starts to serve on loop.  The options' routes must outlive the
 * server.  ERR_CONFIG or ERR_UNAVAILABLE: `could not listen on port 3000: ...`. */
enum err_code http_server_start(uv_loop_t *loop, const struct http_options *options,
                                struct http_server **ret_server,
                                struct err *err) MUST_CHECK;

/* The origins for answers from now on, as the option; they must outlive the server. */
void http_server_set_origins(struct http_server *server, const struct words *origins);

/* The port in use. */
uint16_t http_server_port(const struct http_server *server);

/* Stops in order: takes what is in the backlog, closes the listening socket, answers what
 * is under way (with Connection: close), closes idle connections, and after grace_ms at
 * the latest answers 503 to whoever still waits.  Then calls on_stopped once, after which
 * the server is freed and no callback comes. */
void http_server_stop(struct http_server *server, int64_t grace_ms,
                      void (*on_stopped)(void *user));

/* --- inside a handler ------------------------------------------------------ */

/* The body, inflated; valid until the request is answered. */
const char *http_request_body(const struct http_request *req, size_t *ret_len);

/* The query string as it stands after the ?, not decoded; "" when there is none. */
const char *http_request_query(const struct http_request *req);

/* The server that the request came in on, and the value of a header or NULL. */
struct http_server *http_request_server(const struct http_request *req);
const char *http_request_header(const struct http_request *req, const char *name);

/* Appends all values of a header that may come several times, in their order and with
 * commas between them; errors as buf_add(). */
enum err_code http_request_header_list(const struct http_request *req, const char *name,
                                       struct buf *list) MUST_CHECK;

/* The address at the other end, NULL when the client is gone. */
const struct sockaddr *http_request_peer(const struct http_request *req);

/* Keeps the request beyond the handler's return.  Exactly one http_answer...() must
 * follow, also when the client is gone by then. */
void http_wait(struct http_request *req);

/* True once the client has gone; the answer will be thrown away. */
bool http_is_gone(const struct http_request *req);

/* Each of these answers and ends the borrow of req.  All but http_answer_text() have
 * Content-Type application/json.  503 and 429 carry Retry-After. */
void http_answer_json(struct http_request *req, unsigned status, const char *json,
                      size_t len);
void http_answer_error(struct http_request *req, unsigned status, const char *sentence);
void http_answer_text(struct http_request *req, unsigned status, const char *content_type,
                      const char *text, size_t len);

/* The answer of ingestion, prepared once: 200 {"status":"ok"}. */
void http_answer_ok(struct http_request *req);

#endif
