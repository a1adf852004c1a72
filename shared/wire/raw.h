/* raw.h -- the bytes of a connection, before libmicrohttpd sees them.
 *
 * One parser for heads, chunk lines and trailers, as strict as two programs have to be to
 * agree on where a request ends.  It keeps each head itself, and writes for libmicrohttpd
 * the same request in its plainest form: a head of a line or two, chunks without
 * extensions, no trailers.  So nothing odd ever reaches that library, whatever its version
 * would make of it, and a head takes none of its memory.
 *
 *   START -> request line -> FIELDS -> [BODY | SIZE -> DATA -> ... -> TRAILERS] -> START
 *   any of them -> REFUSED, from where nothing comes back
 *
 * What is refused becomes a request as well: a head that stands for the bad one, or the end
 * of a body that went wrong.  It is answered when its turn comes, after those before it.
 *
 * Pure and incremental: the same bytes give the same result however they are cut.
 */
#ifndef SHARED_WIRE_RAW_H
#define SHARED_WIRE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/wire/head.h"

enum {
    HTTP_RAW_PENDING = 256 /* what is written for a head that came in pieces */
};

enum http_raw_state {
    RAW_START,  /* before a request line; empty lines are skipped */
    RAW_FIELDS, /* the lines of a head */
    RAW_BODY,   /* bytes that Content-Length has counted */
    RAW_SIZE,   /* a chunk's size, RAW_SIZE_... its further parts */
    RAW_SIZE_BLANK,
    RAW_SIZE_EXTENSION,
    RAW_SIZE_LF,
    RAW_DATA,
    RAW_DATA_CR,
    RAW_DATA_LF,
    RAW_TRAILERS,
    RAW_REFUSED
};

/* A head as it is kept until its request is over.  After it in memory is its text: the
 * method, the target, and a name and a value for each header, each with a NUL after it. */
struct http_raw_head {
    struct http_head head;
    size_t target_at; /* in the text */
    size_t fields_at;
    size_t text_len;
};

struct http_raw {
    enum http_raw_state state;
    size_t max_head_bytes; /* of request line, headers and the empty line after them */
    size_t head_bytes;     /* so far; of trailers too */
    uint64_t left;         /* of the body or the chunk */
    size_t line_bytes;     /* digits of a chunk's size, bytes of its extension */
    struct buf line;       /* of a head or trailers: the beginning of a line */
    struct buf heads;      /* complete ones, and the one that is being read */
    size_t heads_end;      /* where the complete ones end */
    size_t next_at;        /* of the one to be taken next */
    size_t current_at;     /* of the one taken last */

    uint64_t passed;          /* requests given to libmicrohttpd, */
    uint64_t taken;           /* and how many of them it has begun */
    unsigned status;          /* of the refusal; it is that of the last request passed */
    const char *sentence;     /* static */
    bool refuses_head;        /* of that request there is no head to be taken */
    bool refuses_answer_body; /* it was a HEAD */

    char pending[HTTP_RAW_PENDING]; /* written, but not taken yet */
    size_t pending_at;
    size_t pending_len;
};

void http_raw_init(struct http_raw *raw, size_t max_head_bytes);
void http_raw_release(struct http_raw *raw);

/* Takes len bytes, at most cap, and writes to out what libmicrohttpd shall see of them.
 * Returns how much that is; what does not fit waits for http_raw_flush(), which must have
 * been called until nothing is left. */
size_t http_raw_feed(struct http_raw *raw, const char *in, size_t len, char *out,
                     size_t cap);
size_t http_raw_flush(struct http_raw *raw, char *out, size_t cap);

/* How many bytes of a body come next that need no look; http_raw_pass() takes note that so
 * many have been passed on as they are. */
size_t http_raw_plain(const struct http_raw *raw);
void http_raw_pass(struct http_raw *raw, size_t len);

/* libmicrohttpd has begun with the next request: its head.  Valid until the next call of
 * http_raw_feed() or http_raw_done().  NULL: the head is refused, see status. */
const struct http_raw_head *http_raw_take(struct http_raw *raw);
/* The head taken last; NULL: there is none, or it was refused. */
const struct http_raw_head *http_raw_current(const struct http_raw *raw);
/* The request is over. */
void http_raw_done(struct http_raw *raw);

/* True when the request taken last is the one that is refused. */
bool http_raw_is_refused(const struct http_raw *raw);
/* True when a head has begun and is not complete. */
bool http_raw_is_in_head(const struct http_raw *raw);

/* --- the text of a head ------------------------------------------------------- */

const char *http_raw_method(const struct http_raw_head *head);
const char *http_raw_target(const struct http_raw_head *head);

/* Steps through the headers: *at is 0 at first.  Returns the name, NULL at the end. */
const char *http_raw_field(const struct http_raw_head *head, size_t *at,
                           const char **ret_value);

#endif
