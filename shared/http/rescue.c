/* rescue.c -- answers that libmicrohttpd cannot send any more, or not yet; see internal.h.
 *
 * libmicrohttpd has one piece of memory for all of a connection, the pool.  Its head of an
 * answer goes into what the request has left of it (build_header_response() in
 * connection.c), and when that is too little it closes the connection: an event would be
 * stored, and its client told nothing.  No check of ours before the event is stored can rule
 * that out: only MHD knows how much is left.  What a client sent after its request stays in
 * the read buffer, which connection_shrink_read_buffer() cuts down to it.
 *
 * But MHD_connection_close_() calls on_completed before it closes or shuts down the socket.
 * So the answer is written here, by one send().  It is the last one of its connection.
 *
 * That nothing of it has been sent is sure because both happen in one callback of ours: MHD
 * builds the head right after on_access has queued the answer, and on_completed is the next
 * callback.  (What else MHD can do in between is to begin with the sending and fail; then
 * this send() fails as well.)
 *
 * MHD takes no answer either while a request is still coming: not at the deadline of its
 * head or body, and not when its length alone is too much.  Then nothing has been sent of an
 * answer, and all those before it have been, so that it can be written here as well.
 */
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "shared/http/internal.h"

enum {
    HEAD_MAX = 16384, /* CORS_ORIGINS has half of it at the most */
    DATE_BYTES = 64,
    UNREAD_PIECE = 8192, /* of what came and was not read, */
    UNREAD_PIECES = 32   /* and how many of these are thrown away at a deadline */
};

static bool add_date(struct buf *text)
{
    char date[DATE_BYTES];
    time_t now = time(NULL);
    struct tm parts;

    return gmtime_r(&now, &parts) &&
           strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts) &&
           buf_add_text(text, date) == ERR_OK;
}

struct header_lines {
    struct buf *text; /* borrowed */
    enum err_code code;
};

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct header_lines *lines = user;

    (void)kind;
    if (!lines->code && strcmp(name, MHD_HTTP_HEADER_CONNECTION) != 0)
        lines->code = buf_printf(lines->text, "%s: %s\r\n", name, value);
    return MHD_YES;
}

static bool add_head(const struct http_request *req, struct buf *text)
{
    struct header_lines lines = {.text = text, .code = ERR_OK};

    return buf_printf(text, "HTTP/1.1 %u %s\r\n", req->status,
                      MHD_get_reason_phrase_for(req->status)) == ERR_OK &&
           add_date(text) && buf_add_text(text, "Connection: close\r\n") == ERR_OK &&
           MHD_get_response_headers(req->response, on_header, &lines) >= 0 && !lines.code;
}

/* The same bytes in the same order as MHD's.  False when memory ran out. */
static bool write_answer(const struct http_request *req, struct buf *text)
{
    if (!add_head(req, text))
        return false;
    if (req->status == MHD_HTTP_NO_CONTENT)
        return buf_add_text(text, "\r\n") == ERR_OK;
    return buf_printf(text, "Content-Length: %zu\r\n\r\n", req->answer_len) == ERR_OK &&
           (req->is_head || buf_add(text, req->answer_body, req->answer_len) == ERR_OK);
}

bool http_rescue(const struct http_request *req)
{
    bool is_sent = false;
    struct buf text;

    buf_init(&text, HEAD_MAX + req->answer_len);
    if (req->response && !req->flow && write_answer(req, &text))
        is_sent = send(req->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
                  (ssize_t)text.len;
    buf_release(&text);
    return is_sent;
}

/* The client sees the end of the answers. */
static bool send_last(struct http_request *req)
{
    if (!http_rescue(req))
        return false;
    metric_add(&req->server->metrics->answers[http_metric_status(req->status)], 1);
    (void)shutdown(req->fd, SHUT_WR);
    req->is_answered = true;
    return true;
}

bool http_rescue_early(struct http_request *req)
{
    return send_last(req);
}

/* To close a socket with unread bytes resets it, and the answer may be lost. */
static void throw_away(const struct http_request *req)
{
    char piece[UNREAD_PIECE];

    for (int i = 0; i < UNREAD_PIECES; i++) {
        if (recvfrom(req->fd, piece, sizeof(piece), MSG_DONTWAIT, NULL, NULL) <= 0)
            return;
    }
}

void http_rescue_late(struct http_request *req)
{
    if (req->is_answered || (req->phase != PHASE_HEADERS && req->phase != PHASE_BODY))
        return;
    if (req->phase == PHASE_HEADERS) { /* what is there is of the request before */
        req->status = 0;
        req->route = NULL;
        req->is_head = false;
    }
    req->must_close = true;
    if (!req->status && req->body.code && req->phase == PHASE_BODY)
        http_request_refuse_body(req);
    if (!req->status)
        http_answer_refuse(req, HTTP_REFUSAL_DEADLINE, 408, "the request took too long");
    throw_away(req);
    (void)send_last(req); /* a client that cannot take it now never will */
    req->is_cut = true;
}
