/* request.c -- one request, from its first header to its answer; see http.h.
 *
 *   on_target     the request line: which path, which query
 *   on_access     1st call: the headers        -> take_headers()
 *                 then: pieces of the body     -> take_piece()
 *                 then: the end of the body    -> take_end(), the route's handler
 *                 then, if it waits: is there an answer?
 *   on_completed  the answer is sent, or the client is gone
 *
 * A refusal that the headers alone decide is kept until the body has been read and thrown
 * away, so that the client reads its answer instead of a reset; except that a hostile
 * request is cut off at once.
 */
#include <assert.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "shared/http/internal.h"

enum {
    ALLOW_MAX = 64
};

/* --- the request line ----------------------------------------------------- */

/* The path of an absolute target (http://host/path), which servers must understand. */
static const char *path_of(const char *target)
{
    const char *authority;

    if (strncasecmp(target, "http://", 7) == 0)
        authority = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        authority = target + 8;
    else
        return target;
    return authority + strcspn(authority, "/?");
}

static bool is_path(const char *path, size_t len, const char *wanted)
{
    size_t wanted_len = strlen(wanted);

    if (wanted_len > 2 && strcmp(wanted + wanted_len - 2, "/*") == 0)
        return len > wanted_len - 1 && strncasecmp(path, wanted, wanted_len - 1) == 0 &&
               !memchr(path + wanted_len - 1, '/', len - (wanted_len - 1));
    if (len == wanted_len + 1 && path[len - 1] == '/')
        len--;
    return len == wanted_len && strncasecmp(path, wanted, len) == 0;
}

static bool has_route(const struct http_server *server, const struct http_route *route)
{
    switch (server->options.listener) {
    case HTTP_LISTENER_CLIENTS:
        return route->kind != HTTP_ROUTE_METRICS;
    case HTTP_LISTENER_HEALTH:
        return route->kind != HTTP_ROUTE_CLIENT;
    case HTTP_LISTENER_ALL:
        break;
    }
    return true;
}

static const char *find_path(const struct http_server *server, const char *path,
                             size_t len)
{
    for (const struct http_route *at = server->options.routes; at->path; at++) {
        if (has_route(server, at) && is_path(path, len, at->path))
            return at->path;
    }
    return NULL;
}

static void start_request(struct http_request *req)
{
    http_answer_drop(req);
    req->step = STEP_HEADERS;
    req->route = NULL;
    req->status = 0;
    req->must_close = false;
    req->is_head = false;
    req->path = NULL;
    req->drained_bytes = 0;
    buf_clear(&req->query);
    http_conn_enter(req, PHASE_HEADERS);
}

/* The head of a request that is refused as it stands. */
static void take_refusal(struct http_request *req)
{
    http_head_init(&req->head, false);
    req->head.status = req->raw.status;
    req->head.sentence = req->raw.sentence;
    req->head.is_hostile = true;
    req->is_head = req->raw.refuses_answer_body;
}

/* False when memory ran out. */
static bool take_target(struct http_request *req, const struct http_raw_head *head)
{
    const char *path = path_of(http_raw_target(head));
    size_t path_len = strcspn(path, "?#");

    req->head = head->head;
    req->is_head = strcmp(http_raw_method(head), "HEAD") == 0;
    req->path = find_path(req->server, path, path_len);
    return path[path_len] != '?' ||
           buf_add(&req->query, path + path_len + 1, strlen(path + path_len)) == ERR_OK;
}

/* MHD has begun with a request.  The target it knows is of wire.c's making. */
void *http_request_on_target(void *user, const char *target, struct MHD_Connection *mhd)
{
    struct http_request *req = http_conn_of(mhd);
    struct http_server *server = user;
    const struct http_raw_head *head;

    (void)target;
    server->progress++;
    server->queued = NULL;
    if (!req)
        return NULL; /* memory ran out as it connected */
    start_request(req);
    head = http_raw_take(&req->raw);
    if (!head)
        take_refusal(req);
    else if (!take_target(req, head))
        return NULL; /* MHD calls the handler without a context: it closes */
    return req;
}

const char *http_request_last_segment(const struct http_request *req, size_t *ret_len)
{
    const char *path = path_of(http_raw_target(http_raw_current(&req->raw)));
    size_t len = strcspn(path, "?#");
    size_t begin = len;

    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    *ret_len = len - begin;
    return path + begin;
}

/* --- the headers ---------------------------------------------------------- */

/* Where a GET stores an event a HEAD, which has no effect anywhere, is none of its methods. */
static bool serves_head(const struct http_route *route)
{
    return strcmp(route->method, "GET") == 0 && !route->answer_ok;
}

static bool serves(const struct http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (serves_head(route) && strcmp(method, "HEAD") == 0);
}

static bool add_method(struct buf *list, const char *method)
{
    return (list->len == 0 || buf_add_text(list, ", ") == ERR_OK) &&
           buf_add_text(list, method) == ERR_OK;
}

/* The methods of a path, as an Allow header has them.  False when memory ran out. */
static bool list_methods(const struct http_request *req, struct buf *list)
{
    bool has_cors = false;
    bool is_added = true;

    for (const struct http_route *at = req->server->options.routes; at->path; at++) {
        if (strcmp(at->path, req->path) != 0)
            continue;
        has_cors = has_cors || http_cors_is_on(req->server, at);
        is_added = is_added && add_method(list, at->method);
        if (serves_head(at))
            is_added = is_added && add_method(list, "HEAD");
    }
    if (has_cors)
        is_added = is_added && add_method(list, "OPTIONS");
    return is_added && buf_add(list, "", 1) == ERR_OK;
}

/* Answers a method that no route of the path has. */
static void answer_method(struct http_request *req, const char *method)
{
    struct buf list;

    buf_init(&list, ALLOW_MAX);
    if (!list_methods(req, &list)) {
        http_answer_error(req, 503, "out of memory");
    } else if (http_cors_is_on(req->server, req->route) &&
               strcmp(method, "OPTIONS") == 0) {
        http_answer_preflight(req, list.data);
    } else {
        metric_add(&req->server->metrics->refusals[HTTP_REFUSAL_METHOD], 1);
        http_answer_allow(req, 405, list.data);
    }
    buf_release(&list);
}

/* Whoever opens the address in a browser, or has forgotten the path, is told where to go. */
static const char *hint_of(const struct http_request *req, const char *target)
{
    const char *hint = req->server->options.root_hint;
    const char *path = path_of(target);

    return hint && path[0] == '/' && strcspn(path, "?#") == 1 ? hint : "not found";
}

/* Finds the route, or gives the request its refusal. */
static void find_route(struct http_request *req)
{
    const struct http_raw_head *head = http_raw_current(&req->raw);
    const char *method = http_raw_method(head);

    if (!req->path) {
        http_answer_refuse(req, HTTP_REFUSAL_NOT_FOUND, 404,
                           hint_of(req, http_raw_target(head)));
        return;
    }
    for (const struct http_route *at = req->server->options.routes; at->path; at++) {
        if (strcmp(at->path, req->path) != 0)
            continue;
        req->route = at; /* also when the method is another: for its CORS headers */
        if (serves(at, method))
            return;
    }
    answer_method(req, method);
}

/* Whoever may not ask is told before his body costs anything. */
static void authorize(struct http_request *req)
{
    const struct http_options *options = &req->server->options;
    struct err err = {.msg = "forbidden"};
    unsigned status = 403;

    if (req->status || req->route->access == HTTP_OPEN)
        return;
    if (req->route->access == HTTP_GUARDED && options->authorize)
        status = options->authorize(req, options->user, &err);
    if (status)
        http_answer_error(req, status, err.msg);
}

static int64_t body_limit(const struct http_request *req)
{
    const struct http_options *options = &req->server->options;

    return req->route && req->route->is_bulk ? options->max_bulk_bytes
                                             : options->max_body_bytes;
}

/* The longest body that is not refused at once; of one that nobody reads, the longest that
 * is thrown away. */
static int64_t longest_body(const struct http_request *req)
{
    if (!req->route->reads_body)
        return req->server->options.max_drain_bytes;
    if (req->head.encoding != HTTP_IDENTITY)
        return body_limit(req) + HTTP_BODY_PACKING_MAX;
    return body_limit(req);
}

/* Its type and encoding matter only to those who read it. */
static void check_body(struct http_request *req)
{
    if (req->status)
        return;
    if (req->head.status && req->route->reads_body) {
        http_answer_refuse(req, HTTP_REFUSAL_HEADERS, req->head.status,
                           req->head.sentence);
        return;
    }
    if (req->head.content_length <= longest_body(req))
        return;
    req->must_close = true;
    http_answer_refuse(req, HTTP_REFUSAL_LENGTH, 413, "the body is too large");
}

/* True when a refusal cannot wait for the end of the body. */
static bool must_answer_now(const struct http_request *req)
{
    return req->status &&
           (req->head.is_hostile || req->head.expects_continue ||
            req->head.content_length > req->server->options.max_drain_bytes);
}

/* A body too large is refused before it comes: the answer goes out at once, and what comes
 * of the body is thrown away. */
static bool answers_early(const struct http_request *req)
{
    return req->status == 413 && !req->head.is_hostile && !req->head.expects_continue;
}

static enum MHD_Result take_headers(struct http_request *req)
{
    req->must_close = req->head.is_hostile;
    if (req->head.is_hostile)
        http_answer_refuse(req, HTTP_REFUSAL_HOSTILE, req->head.status,
                           req->head.sentence);
    else
        find_route(req);
    authorize(req);
    check_body(req);
    if (!(answers_early(req) && http_rescue_early(req)) && must_answer_now(req))
        return http_answer_queue(req);
    req->step = STEP_BODY;
    http_body_start(&req->body,
                    !req->status && req->route->reads_body ? req->head.encoding
                                                           : HTTP_IDENTITY,
                    (size_t)body_limit(req));
    http_conn_enter(req, PHASE_BODY);
    return MHD_YES;
}

/* --- the body ------------------------------------------------------------- */

static enum MHD_Result take_piece(struct http_request *req, const char *upload,
                                  size_t *upload_len)
{
    size_t len = *upload_len;

    *upload_len = 0;
    if (!req->status && req->route->reads_body)
        http_body_add(&req->body, upload, len);
    if (!req->status && req->route->reads_body && !req->body.code)
        return MHD_YES;
    req->drained_bytes += (int64_t)len;
    if (req->drained_bytes <= req->server->options.max_drain_bytes)
        return MHD_YES;
    http_rescue_late(req);
    return MHD_NO; /* MHD closes the connection */
}

/* The chunks or trailers went wrong: nothing more is read from the connection, so it ends,
 * whatever the headers were to be answered with. */
static void refuse_framing(struct http_request *req)
{
    http_answer_drop(req);
    req->status = 0;
    req->must_close = true;
    http_answer_refuse(req, HTTP_REFUSAL_HOSTILE, req->raw.status, req->raw.sentence);
}

void http_request_refuse_body(struct http_request *req)
{
    enum err_code code = req->body.code;
    enum http_refusal why = code == ERR_TOO_BIG ? HTTP_REFUSAL_LENGTH
                            : code == ERR_BUSY  ? HTTP_REFUSAL_BUSY
                                                : HTTP_REFUSAL_BODY;

    http_answer_refuse(req, why, err_http_status(code), req->body.sentence);
}

static enum MHD_Result take_end(struct http_request *req)
{
    struct http_server *server = req->server;

    if (req->is_answered)
        return MHD_NO; /* MHD closes the connection */
    http_body_end(&req->body);
    req->step = STEP_HANDLER;
    if (http_raw_is_refused(&req->raw))
        refuse_framing(req);
    if (!req->status && req->body.code)
        http_request_refuse_body(req);
    /* A handler that waited now would wait when MHD is stopped, which aborts the process. */
    if (!req->status && http_server_is_over(server))
        http_answer_error(req, 503, "shutting down");
    if (!req->status)
        req->route->handler(req, server->options.user);
    http_body_drop(&req->body);
    if (req->status)
        return http_answer_queue(req);
    assert(req->is_held); /* a handler answers, or waits */
    http_wait_begin(req);
    return MHD_YES;
}

enum MHD_Result http_request_on_access(void *user, struct MHD_Connection *mhd,
                                       const char *url, const char *method,
                                       const char *version, const char *upload,
                                       size_t *upload_len, void **context)
{
    struct http_request *req = *context;
    struct http_server *server = user;

    (void)mhd;
    (void)url;
    (void)method;
    (void)version;
    server->queued = NULL;
    if (!req)
        return MHD_NO; /* memory ran out */
    if (req->step == STEP_WAITING && !req->status)
        return MHD_YES; /* parked, and nothing has changed */
    server->progress++;
    switch (req->step) {
    case STEP_HEADERS:
        return take_headers(req);
    case STEP_BODY:
        return *upload_len ? take_piece(req, upload, upload_len) : take_end(req);
    case STEP_WAITING:
        return http_answer_queue(req);
    case STEP_HANDLER:
    case STEP_ANSWERED:
        break;
    }
    return MHD_NO; /* MHD does not call again once it has an answer */
}

void http_request_on_completed(void *user, struct MHD_Connection *mhd, void **context,
                               enum MHD_RequestTerminationCode code)
{
    struct http_request *req = *context;
    struct http_server *server = user;
    bool is_unsent =
        req && server->queued == req && code == MHD_REQUEST_TERMINATED_WITH_ERROR;

    (void)mhd;
    server->progress++;
    server->queued = NULL;
    *context = NULL;
    if (!req)
        return;
    if (req->is_held)
        return; /* the connection ends while a handler holds the request */
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK && !req->is_answered &&
        !(is_unsent && http_rescue(req)))
        metric_add(&server->metrics->unanswered[req->phase], 1);
    http_answer_drop(req);
    http_raw_done(&req->raw);
    http_conn_enter(req, http_raw_is_in_head(&req->raw) ? PHASE_HEADERS : PHASE_IDLE);
}

/* --- for handlers ----------------------------------------------------------- */

const char *http_request_body(const struct http_request *req, size_t *ret_len)
{
    *ret_len = req->body.bytes.len;
    return req->body.bytes.len ? req->body.bytes.data : "";
}

const struct http_route *http_request_route(const struct http_request *req)
{
    return req->route;
}

const char *http_request_query(const struct http_request *req)
{
    return req->query.len ? req->query.data : "";
}

const char *http_request_header(const struct http_request *req, const char *name)
{
    const struct http_raw_head *head = http_raw_current(&req->raw);
    size_t at = 0;
    const char *field;
    const char *value;

    if (!head)
        return NULL;
    do
        field = http_raw_field(head, &at, &value);
    while (field && strcasecmp(field, name) != 0);
    return field ? value : NULL;
}

void http_wait(struct http_request *req)
{
    assert(req->step == STEP_HANDLER && !req->is_held);
    req->is_held = true;
    req->server->waiting++;
}

bool http_is_gone(const struct http_request *req)
{
    return !req->server;
}

bool http_has_hung_up(const struct http_request *req)
{
    const union MHD_ConnectionInfo *info =
        req->server ? MHD_get_connection_info(req->mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
                    : NULL;
    struct pollfd polled = {.events = POLLRDHUP};

    if (!info)
        return true;
    polled.fd = info->connect_fd;
    return poll(&polled, 1, 0) > 0;
}
