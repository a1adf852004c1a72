/* answer.c -- answers; see http.h.
 *
 * An answer is made where the handler gives it and queued with MHD only from MHD's own
 * callback for that connection: 0.9.75 would otherwise run its state machine inside
 * itself.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/http/internal.h"
#include "shared/text/json.h"

enum {
    ERROR_BODY_MAX = 2048
};

static const char json_type[] = HTTP_TYPE_JSON;
static const char ok_body[] = "{\"status\":\"ok\"}";

/* MHD takes a pointer that is not const but does not write through it. */
static struct MHD_Response *response_of(const char *body, size_t len,
                                        enum MHD_ResponseMemoryMode mode)
{
    union {
        const char *in;
        void *out;
    } bytes = {.in = body};

    return MHD_create_response_from_buffer(len, bytes.out, mode);
}

bool http_answer_add(struct MHD_Response *response, const char *name, const char *value)
{
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool closes(const struct http_request *req)
{
    return req->must_close || (req->server && req->server->is_stopping);
}

/* The holder's answer to a request that has one already, from http_answer_force(). */
static void finish_forced(struct http_request *req)
{
    if (req->server)
        req->server->waiting--; /* the connection is still to end: freed then */
    else
        http_conn_free(req);
}

static void take_answer(struct http_request *req, const struct answer *answer)
{
    req->status = answer->status;
    req->response = answer->response;
    req->shares_response = answer->is_shared;
    req->answer_body = answer->body;
    req->answer_len = answer->body_len;
    req->flow = answer->flow;
}

/* Gives req its answer; takes over the response unless it is shared (NULL: the connection
 * is closed instead). */
static void finish(struct http_request *req, const struct answer *answer)
{
    bool was_held = req->is_held;

    req->is_held = false;
    if (req->status) {
        assert(was_held); /* exactly one answer to a request */
        if (answer->response && !answer->is_shared)
            MHD_destroy_response(answer->response);
        finish_forced(req);
        return;
    }
    take_answer(req, answer);
    if (!was_held)
        return; /* still inside the handler: request.c queues it */
    if (!req->server) {
        http_conn_free(req);
        return;
    }
    req->server->waiting--;
    http_wait_end(req);
}

bool http_is_private(const struct http_request *req)
{
    return req->server && req->server->options.has_secret && req->route &&
           req->route->access == HTTP_GUARDED;
}

/* No browser shall ask for a password for the sake of a route that pages write to. */
static bool names_scheme(const struct http_request *req)
{
    return !req->route || req->route->cors != HTTP_CORS_WRITE;
}

static bool add_headers(struct http_request *req, struct MHD_Response *response,
                        unsigned status, const char *content_type)
{
    /* The text may be somebody else's: no browser shall take it for anything else. */
    if (content_type && !(http_answer_add(response, "Content-Type", content_type) &&
                          http_answer_add(response, "X-Content-Type-Options", "nosniff")))
        return false;
    if ((status == 503 || status == 429) &&
        !http_answer_add(response, "Retry-After", "1"))
        return false;
    if (closes(req) && !http_answer_add(response, "Connection", "close"))
        return false;
    if (status == 401 && names_scheme(req) &&
        !http_answer_add(response, "WWW-Authenticate", "Bearer"))
        return false;
    if (http_is_private(req) && !MHD_get_response_header(response, "Cache-Control") &&
        !http_answer_add(response, "Cache-Control", "no-store"))
        return false;
    return http_cors_add(req, response);
}

void http_answer_forget(struct answer *answer)
{
    MHD_destroy_response(answer->response);
    answer->response = NULL;
    answer->flow = NULL;
}

void http_answer_finish(struct http_request *req, struct answer *answer,
                        const char *content_type)
{
    if (answer->response &&
        !add_headers(req, answer->response, answer->status, content_type))
        http_answer_forget(answer);
    finish(req, answer);
}

void http_answer_with(struct http_request *req, struct answer *answer,
                      const char *content_type, const struct http_header *headers)
{
    for (; answer->response && headers && headers->name; headers++) {
        if (!http_answer_add(answer->response, headers->name, headers->value))
            http_answer_forget(answer);
    }
    http_answer_finish(req, answer, content_type);
}

struct MHD_Response *http_answer_static(const char *body, size_t len)
{
    return response_of(body, len, MHD_RESPMEM_PERSISTENT);
}

/* The body is copied here: MHD's own copy could not be read again. */
void http_answer_reply(struct http_request *req, const struct http_reply *reply)
{
    struct answer answer = {.status = reply->status, .body_len = reply->len};
    char *copy = mem_alloc(reply->len);

    if (copy) {
        memcpy(copy, reply->body, reply->len);
        answer.body = copy;
        answer.response = response_of(copy, reply->len, MHD_RESPMEM_MUST_FREE);
        if (!answer.response)
            mem_free(copy);
    }
    http_answer_with(req, &answer, reply->content_type, reply->headers);
}

void http_answer_text(struct http_request *req, unsigned status, const char *content_type,
                      const char *text, size_t len)
{
    http_answer_reply(req, &(struct http_reply){.status = status,
                                                .content_type = content_type,
                                                .body = text,
                                                .len = len});
}

void http_answer_json(struct http_request *req, unsigned status, const char *json,
                      size_t len)
{
    http_answer_text(req, status, json_type, json, len);
}

void http_answer_error(struct http_request *req, unsigned status, const char *sentence)
{
    struct buf body;

    buf_init(&body, ERROR_BODY_MAX);
    if (json_add_error(&body, sentence) == ERR_OK)
        http_answer_json(req, status, body.data, body.len);
    else
        finish(req, &(struct answer){.status = 500});
    buf_release(&body);
}

void http_answer_refuse(struct http_request *req, enum http_refusal why, unsigned status,
                        const char *sentence)
{
    metric_add(&req->server->metrics->refusals[why], 1);
    http_answer_error(req, status, sentence);
}

void http_answer_allow(struct http_request *req, unsigned status, const char *allow)
{
    static const char body[] = "{\"error\":\"method not allowed\"}";
    struct answer answer = {.status = status, .body = body, .body_len = sizeof(body) - 1};

    answer.response = http_answer_static(body, answer.body_len);
    if (answer.response && !http_answer_add(answer.response, "Allow", allow))
        http_answer_forget(&answer);
    http_answer_finish(req, &answer, json_type);
}

void http_answer_preflight(struct http_request *req, const char *methods)
{
    struct answer answer = {.status = 204, .body = ""};

    answer.response = http_answer_static("", 0);
    if (answer.response && !http_cors_add_preflight(req, answer.response, methods))
        http_answer_forget(&answer);
    http_answer_finish(req, &answer, NULL);
}

void http_answer_ok(struct http_request *req)
{
    struct answer answer = {.status = 200, .is_shared = true, .body = ok_body};

    answer.body_len = sizeof(ok_body) - 1;
    if (req->server && req->route->answer_ok) {
        req->route->answer_ok(req);
        return;
    }
    if (req->server && !http_cors_is_plain(req)) {
        http_answer_json(req, 200, ok_body, answer.body_len);
        return;
    }
    if (req->server)
        answer.response = req->server->ok[(closes(req) ? HTTP_OK_CLOSES : 0) |
                                          (http_is_private(req) ? HTTP_OK_PRIVATE : 0)];
    finish(req, &answer);
}

void http_answer_force(struct http_request *req)
{
    static const char body[] = "{\"error\":\"shutting down\"}";
    struct answer answer = {.status = 503, .body = body, .body_len = sizeof(body) - 1};

    assert(req->is_held && !req->status);
    answer.response = http_answer_static(body, answer.body_len);
    if (answer.response && !add_headers(req, answer.response, 503, json_type))
        http_answer_forget(&answer);
    metric_add(&req->server->metrics->refusals[HTTP_REFUSAL_SHUTDOWN], 1);
    take_answer(req, &answer);
    req->must_close = true;
    http_wait_end(req);
}

void http_answer_drop(struct http_request *req)
{
    http_stream_drop(req);
    if (req->response && !req->shares_response)
        MHD_destroy_response(req->response);
    req->response = NULL;
    req->shares_response = false;
}

void http_server_set_access(struct http_server *server, const struct origins *origins,
                            bool has_secret)
{
    server->options.origins = origins;
    server->options.has_secret = has_secret;
}

enum err_code http_answer_prepare(struct http_server *server, struct err *err)
{
    for (int i = 0; i < HTTP_OK_COUNT; i++) {
        struct MHD_Response *ok = http_answer_static(ok_body, sizeof(ok_body) - 1);
        server->ok[i] = ok;
        if (!ok || !http_answer_add(ok, "Content-Type", json_type) ||
            !http_answer_add(ok, "Access-Control-Allow-Origin", "*") ||
            ((i & HTTP_OK_PRIVATE) &&
             !http_answer_add(ok, "Cache-Control", "no-store")) ||
            ((i & HTTP_OK_CLOSES) && !http_answer_add(ok, "Connection", "close")))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return ERR_OK;
}

void http_answer_release(struct http_server *server)
{
    for (int i = 0; i < HTTP_OK_COUNT; i++) {
        if (server->ok[i])
            MHD_destroy_response(server->ok[i]);
        server->ok[i] = NULL;
    }
}

enum MHD_Result http_answer_queue(struct http_request *req)
{
    req->step = STEP_ANSWERED;
    if (!req->response)
        return MHD_NO; /* memory ran out: MHD closes the connection */
    http_conn_enter(req, PHASE_WRITING);
    metric_add(&req->server->metrics->answers[http_metric_status(req->status)], 1);
    req->server->queued = req;
    return MHD_queue_response(req->mhd, req->status, req->response);
}
