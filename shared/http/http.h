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

struct address;
struct buf;
struct http_budget;
struct http_metrics;
struct http_peers;
struct networks;
struct origins;

struct http_server;  /* opaque */
struct http_request; /* opaque; borrowed by the handler, see http_wait() */

typedef void (*http_answer_fn)(struct http_request *req);
typedef void (*http_handler_fn)(struct http_request *req, void *user);

/* Who may ask for a route.  One that does not say is closed to everybody. */
enum http_access {
    HTTP_DENIED,
    HTTP_OPEN,    /* everybody */
    HTTP_GUARDED, /* whom the options' authorize lets in */
};

/* What pages of other origins may do.  Both kinds go by the options' origins. */
enum http_cors {
    HTTP_CORS_NONE,
    HTTP_CORS_WRITE, /* send, with credentials too: the route answers nothing about anyone */
    HTTP_CORS_READ, /* read, never with credentials; nothing at all without origins */
};

/* Which listeners have a route, see enum http_listener. */
enum http_route_kind {
    HTTP_ROUTE_CLIENT,
    HTTP_ROUTE_HEALTH, /* /healthz, /readyz */
    HTTP_ROUTE_METRICS
};

/* What a server listens for.  With a listener for health the one for clients has no
 * metrics. */
enum http_listener {
    HTTP_LISTENER_ALL,
    HTTP_LISTENER_CLIENTS, /* all routes but metrics */
    HTTP_LISTENER_HEALTH   /* health and metrics */
};

/* One path and method.  Paths match as they stand in the request line (not decoded), in
 * any case, with at most one slash more at the end.  A path that ends in a segment * matches
 * any one segment there. */
struct http_route {
    const char *method; /* "GET" (which serves HEAD too) or "POST" */
    const char *path;   /* "/stats", or with a last segment *; NULL ends the table */
    http_handler_fn handler;
    enum http_access access;
    enum http_cors cors;
    bool reads_body; /* otherwise a body is read and thrown away */
    bool is_bulk;    /* its limit is max_bulk_bytes, not max_body_bytes */
    int id;          /* the table's own, for a handler that serves several routes */
    http_answer_fn answer_ok; /* what http_answer_ok() gives; NULL: its own */
    enum http_route_kind kind;
};

struct http_options {
    const char *host; /* numeric address or name; "" or NULL is every address */
    uint16_t port;    /* 0: the system chooses, see http_server_port() */
    enum http_listener listener;
    bool shares_port;        /* SO_REUSEPORT */
    bool suspends;           /* how a request waits, see wait.c */
    int64_t max_connections; /* beyond it the oldest idle one gives way, else more wait */
    struct http_peers *peers; /* limits those of one address; must outlive the server, and
                               * servers may share it; NULL: no limit */
    int64_t max_head_bytes;   /* request line and headers, to the empty line after them;
                                 past it 414 or 431 */
    int64_t max_body_bytes;   /* after inflating */
    int64_t max_bulk_bytes;   /* the same for routes that take many things at once */
    struct http_budget *body_budget; /* of unfinished bodies; must outlive the server;
                                        NULL: no limit but that of each */
    int64_t max_drain_bytes;   /* of a refused body: read and thrown away up to here, so
                                  that the client gets to read its answer */
    int64_t idle_timeout_ms;   /* connection open, no byte of a request yet */
    int64_t header_timeout_ms; /* first byte to last header */
    int64_t body_timeout_ms;   /* headers to the end of the body */
    int64_t write_timeout_ms;  /* answer queued to answer sent */
    struct http_metrics *metrics; /* counted in; must outlive the server; NULL: nowhere */
    const struct http_route *routes;
    const struct origins *origins; /* of routes with CORS; NULL: none */
    const char *root_hint;         /* the sentence of the 404 of "/"; NULL: "not found" */
    bool has_secret; /* answers of guarded routes are for nobody else: Cache-Control */
    void *user;      /* passed to handlers and hooks */

    /* Judges a request for a HTTP_GUARDED route by its headers, before its body is read.
     * Returns 0, or the status to refuse it with and the sentence in err->msg; NULL: all of
     * them are refused. */
    unsigned (*authorize)(const struct http_request *req, void *user, struct err *err);

    /* Called after each turn in which requests were read; NULL: none.  The place to send
     * what a turn has gathered, as one group. */
    void (*on_turn_end)(void *user);
};

/* Binds, listens and starts to serve on loop.  The options' routes must outlive the
 * server.  ERR_CONFIG or ERR_UNAVAILABLE: `could not listen on port 3000: ...`. */
enum err_code http_server_start(uv_loop_t *loop, const struct http_options *options,
                                struct http_server **ret_server,
                                struct err *err) MUST_CHECK;

/* The options of these names, from now on. */
void http_server_set_access(struct http_server *server, const struct origins *origins,
                            bool has_secret);

/* Connections that a server takes beyond its max_connections, for newcomers: the files for
 * them must be there, too. */
int64_t http_server_spare(int64_t max_connections);

/* The port in use. */
uint16_t http_server_port(const struct http_server *server);

/* Stops in order: takes what is in the backlog, closes the listening socket, answers what
 * is under way (with Connection: close), closes idle connections, and after grace_ms at
 * the latest answers 503 to whoever still waits.  Then calls on_stopped once, after which
 * the server is freed and no callback comes. */
void http_server_stop(struct http_server *server, int64_t grace_ms,
                      void (*on_stopped)(void *user), void *user);

/* --- inside a handler ------------------------------------------------------ */

/* The route that the handler is called for. */
const struct http_route *http_request_route(const struct http_request *req);

/* The body, inflated; valid inside the handler only. */
const char *http_request_body(const struct http_request *req, size_t *ret_len);

/* The query string as it stands after the ?, not decoded; "" when there is none. */
const char *http_request_query(const struct http_request *req);

/* What stands after the last / of the path, not decoded: what the * of a route stands for.
 * Valid inside the handler. */
const char *http_request_last_segment(const struct http_request *req, size_t *ret_len);

/* The value of a header or NULL. */
const char *http_request_header(const struct http_request *req, const char *name);

/* The address that the request comes from, behind proxies whose X-Forwarded-For or Forwarded
 * is trusted.  False when it is not known, because the client is gone.  *ret_is_read is false
 * when such a proxy wrote one that cannot be read; then it is the proxy's. */
bool http_request_client(const struct http_request *req, const struct networks *trusted,
                         struct address *ret_client, bool *ret_is_read);

/* Whether the other end of the connection is in one of the networks, and whether our end of
 * it is a loopback address, to which only this machine can connect. */
bool http_request_is_of(const struct http_request *req, const struct networks *networks);
bool http_request_is_loopback(const struct http_request *req);

/* Keeps the request beyond the handler's return.  Exactly one http_answer...() must
 * follow, also when the client is gone by then. */
void http_wait(struct http_request *req);

/* True once the client has gone; the answer will be thrown away. */
bool http_is_gone(const struct http_request *req);

/* The same, or the client has closed its side of the connection.  A client that only ends
 * sending and still reads cannot be told from one that is gone.  Reads the socket. */
bool http_has_hung_up(const struct http_request *req);

/* Each of these answers and ends the borrow of req.  All but http_answer_text() have
 * Content-Type application/json.  503 and 429 carry Retry-After. */
void http_answer_json(struct http_request *req, unsigned status, const char *json,
                      size_t len);
void http_answer_error(struct http_request *req, unsigned status, const char *sentence);
void http_answer_text(struct http_request *req, unsigned status, const char *content_type,
                      const char *text, size_t len);

struct http_header {
    const char *name; /* NULL ends a list of them */
    const char *value;
};

/* An answer with headers of its own.  With a Cache-Control among them there is no other. */
struct http_reply {
    unsigned status;
    const char *content_type; /* NULL: none */
    const struct http_header *headers;
    const char *body; /* copied */
    size_t len;
};

#define HTTP_TYPE_JSON "application/json; charset=utf-8"

void http_answer_reply(struct http_request *req, const struct http_reply *reply);

/* Whether the client takes gzip, and whether it has what an entity tag in quotes stands for. */
bool http_takes_gzip(const struct http_request *req);
bool http_has_etag(const struct http_request *req, const char *etag);

/* Whether the answer is one that a key was asked for: it is not kept by anybody on its way. */
bool http_is_private(const struct http_request *req);

/* What the read of a stream returns in place of a number of bytes. */
enum {
    HTTP_STREAM_WAITS = 0,
    HTTP_STREAM_ENDS = -1,
    HTTP_STREAM_FAILS = -2 /* the client learns it from an answer without an end */
};

/* The bytes of an answer, made as they are sent. */
struct http_stream {
    /* Writes 1 to size bytes and returns their number.  After HTTP_STREAM_WAITS it is called
     * again once http_stream_wake() has been. */
    int64_t (*read)(void *user, char *out, size_t size);
    /* Called once: all is sent, or the client is gone, or the server stops.  The request
     * must not be used from then on. */
    void (*end)(void *user);
    void *user;
};

/* Answers 200 with a stream; the headers come on top of those that every answer has.  Nobody
 * has to take more than the system's buffers hold: the client's pace is that of read(). */
void http_answer_stream(struct http_request *req, const char *content_type,
                        const struct http_header *headers,
                        const struct http_stream *stream);

/* There is more to read of a stream that has not ended.  Not to be called from read(). */
void http_stream_wake(struct http_request *req);

/* The answer of ingestion, prepared once: 200 {"status":"ok"}. */
void http_answer_ok(struct http_request *req);

#endif
