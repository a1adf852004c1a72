/* body.c -- see body.h.
 *
 * A compressed body is inflated piece by piece into the collecting buffer, whose limit
 * cuts a bomb off as soon as it is seen to be one.
 */
#include "shared/wire/body.h"

#include <string.h>
#define ZLIB_CONST /* next_in is const: zlib only reads it */
#include <zlib.h>

#include "shared/base/mem.h"
#include "shared/base/metrics.h"
#include "shared/wire/budget.h"

enum {
    INFLATE_STEP = 8192 /* bytes inflated at a time */
};

struct http_inflate {
    z_stream stream;
    enum http_encoding encoding;
    bool has_ended; /* the stream is complete */
};

static const char too_big[] = "the body is too large";
static const char corrupt[] = "the compressed body is corrupt";
static const char no_memory[] = "out of memory";
static const char busy[] = "too many bodies are under way";

void http_body_init(struct http_body *body)
{
    *body = (struct http_body){.code = ERR_OK};
    buf_init(&body->bytes, 0);
}

static void end_inflate(struct http_body *body)
{
    if (!body->inflate)
        return;
    (void)inflateEnd(&body->inflate->stream); /* nothing to learn from it */
    mem_free(body->inflate);
    body->inflate = NULL;
}

static size_t cost_of(const struct http_body *body)
{
    size_t cap = body->bytes.cap > HTTP_BODY_FREE_MAX ? body->bytes.cap : 0;

    return cap + (body->inflate ? HTTP_BODY_INFLATE_BYTES : 0);
}

/* Charges the budget with what the body holds now; false when it has not so much. */
static bool charge(struct http_body *body)
{
    size_t cost = cost_of(body);

    if (!body->budget || cost == body->charged)
        return true;
    if (cost > body->charged && !http_budget_take(body->budget, cost - body->charged))
        return false;
    if (cost < body->charged)
        http_budget_give(body->budget, body->charged - cost);
    if (body->held)
        metric_add(body->held, (int64_t)cost - (int64_t)body->charged);
    body->charged = cost;
    return true;
}

void http_body_release(struct http_body *body)
{
    end_inflate(body);
    buf_release(&body->bytes);
    (void)charge(body); /* gives back */
}

static void fail(struct http_body *body, enum err_code code)
{
    body->code = code;
    body->sentence = code == ERR_TOO_BIG ? too_big
                     : code == ERR_NOMEM ? no_memory
                     : code == ERR_BUSY  ? busy
                                         : corrupt;
}

void http_body_drop(struct http_body *body)
{
    if (body->bytes.cap > HTTP_BODY_FREE_MAX)
        buf_release(&body->bytes);
    buf_clear(&body->bytes);
    (void)charge(body); /* gives back */
}

static void charge_or_fail(struct http_body *body)
{
    if (!body->code && !charge(body))
        fail(body, ERR_BUSY);
    if (body->code)
        http_body_release(body); /* nobody reads the rest */
}

void http_body_start(struct http_body *body, enum http_encoding encoding,
                     size_t max_bytes)
{
    /* 16 more than 15 window bits asks zlib for the gzip format. */
    int window_bits = encoding == HTTP_GZIP ? 15 + 16 : 15;

    end_inflate(body);
    body->code = ERR_OK;
    body->sentence = NULL;
    body->taken_bytes = 0;
    http_body_drop(body);
    body->bytes.max_bytes = max_bytes; /* no less than what is kept of small ones */
    if (encoding == HTTP_IDENTITY)
        return;
    body->inflate = mem_calloc(1, sizeof(*body->inflate));
    if (body->inflate)
        body->inflate->encoding = encoding;
    if (body->inflate && inflateInit2(&body->inflate->stream, window_bits) != Z_OK) {
        mem_free(body->inflate);
        body->inflate = NULL;
    }
    if (!body->inflate)
        fail(body, ERR_NOMEM);
    else
        charge_or_fail(body);
}

static void add_plain(struct http_body *body, const char *piece, size_t len)
{
    enum err_code code = buf_add(&body->bytes, piece, len);

    if (code)
        fail(body, code);
}

/* Inflates once into a step's buffer.  Returns false when the piece is used up, the stream
 * has ended or something is wrong. */
static bool inflate_step(struct http_body *body)
{
    z_stream *stream = &body->inflate->stream;
    char step[INFLATE_STEP];
    int status;

    stream->next_out = (Bytef *)step;
    stream->avail_out = sizeof(step);
    status = inflate(stream, Z_NO_FLUSH);
    if (status == Z_BUF_ERROR && stream->avail_in == 0)
        return false; /* this piece has been inflated to its end */
    if (status != Z_OK && status != Z_STREAM_END) {
        fail(body, status == Z_MEM_ERROR ? ERR_NOMEM : ERR_INVALID);
        return false;
    }
    add_plain(body, step, sizeof(step) - stream->avail_out);
    if (!body->code && !charge(body))
        fail(body, ERR_BUSY); /* before more is inflated for nothing */
    body->inflate->has_ended = status == Z_STREAM_END;
    return body->code == ERR_OK && status == Z_OK;
}

static void add_compressed(struct http_body *body, const char *piece, size_t len)
{
    struct http_inflate *inf = body->inflate;

    inf->stream.next_in = (const Bytef *)piece;
    inf->stream.avail_in = (uInt)len;
    for (;;) {
        /* A gzip body may have several members, one after the other (RFC 1952). */
        if (inf->has_ended && inf->stream.avail_in > 0) {
            if (inf->encoding != HTTP_GZIP || inflateReset(&inf->stream) != Z_OK) {
                fail(body, ERR_INVALID);
                return;
            }
            inf->has_ended = false;
        }
        if (!inflate_step(body) && (body->code || inf->stream.avail_in == 0))
            return;
    }
}

void http_body_add(struct http_body *body, const char *piece, size_t len)
{
    if (body->code || len == 0)
        return;
    body->taken_bytes += len;
    /* Empty gzip members, one after the other, are bytes without end that inflate to
     * nothing. */
    if (body->taken_bytes > body->bytes.max_bytes + HTTP_BODY_PACKING_MAX)
        fail(body, ERR_TOO_BIG);
    else if (body->inflate)
        add_compressed(body, piece, len);
    else
        add_plain(body, piece, len);
    charge_or_fail(body);
}

void http_body_end(struct http_body *body)
{
    /* No byte at all is an empty body, whatever its encoding was said to be. */
    if (body->inflate && !body->inflate->has_ended && body->code == ERR_OK &&
        body->inflate->stream.total_in > 0)
        fail(body, ERR_INVALID);
    end_inflate(body);
    (void)charge(body); /* gives back */
}
