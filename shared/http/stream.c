/* stream.c -- answers that are made while they are sent; see http.h.
 *
 * libmicrohttpd asks for a piece whenever the one before is with the kernel.  While there is
 * none the connection is suspended, and belongs to the phase of those that wait: the deadline
 * is its owner's.  Each piece that goes out has the whole time for writing.
 */
#include "shared/base/mem.h"
#include "shared/http/internal.h"

enum {
    PIECE_BYTES = 65536 /* at most: MHD takes what its own memory has room for */
};

/* Belongs to the response, which libmicrohttpd may keep a little longer than the request. */
struct http_flow {
    struct http_request *req; /* NULL: over */
    struct http_stream stream;
    bool fails;
    bool has_ended;
};

static void end_once(struct http_flow *flow)
{
    if (flow->has_ended)
        return;
    flow->has_ended = true;
    flow->req = NULL;
    flow->stream.end(flow->stream.user);
}

static void on_free(void *user)
{
    end_once(user);
    mem_free(user);
}

static ssize_t wait_for_more(struct http_request *req)
{
    req->is_suspended = true;
    http_conn_enter(req, PHASE_WAITING);
    MHD_suspend_connection(req->mhd);
    return 0;
}

static ssize_t on_read(void *user, uint64_t at, char *out, size_t size)
{
    struct http_flow *flow = user;
    struct http_request *req = flow->req;
    int64_t len;

    (void)at;
    if (!req || flow->fails)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    req->server->progress++;
    req->server->queued = NULL;
    len = flow->stream.read(flow->stream.user, out, size);
    if (len == HTTP_STREAM_WAITS)
        return wait_for_more(req);
    if (len == HTTP_STREAM_FAILS)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    http_conn_enter(req, PHASE_WRITING);
    return len == HTTP_STREAM_ENDS ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)len;
}

static struct http_flow *flow_new(struct http_request *req,
                                  const struct http_stream *stream)
{
    struct http_flow *flow = mem_calloc(1, sizeof(*flow));

    if (flow)
        *flow = (struct http_flow){.req = req, .stream = *stream};
    return flow;
}

void http_answer_stream(struct http_request *req, const char *content_type,
                        const struct http_header *headers,
                        const struct http_stream *stream)
{
    struct answer answer = {.status = 200, .flow = flow_new(req, stream)};

    if (answer.flow)
        answer.response = MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, PIECE_BYTES, on_read, answer.flow, on_free);
    if (!answer.response) {
        stream->end(stream->user);
        mem_free(answer.flow);
        answer.flow = NULL;
    }
    http_answer_with(req, &answer, content_type, headers);
}

void http_stream_wake(struct http_request *req)
{
    if (!req->flow || !req->is_suspended)
        return; /* it is asked for more without that */
    http_conn_enter(req, PHASE_WRITING);
    http_wait_end(req);
}

void http_stream_fail(struct http_request *req)
{
    req->flow->fails = true;
    http_stream_wake(req);
}

void http_stream_drop(struct http_request *req)
{
    if (req->flow)
        end_once(req->flow);
    req->flow = NULL;
}
