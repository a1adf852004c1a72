/* body.h -- the body of a request: collected, inflated, and never past its limit. */
#ifndef SHARED_WIRE_BODY_H
#define SHARED_WIRE_BODY_H

#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/wire/head.h"

enum {
    HTTP_BODY_PACKING_MAX = 4096, /* more than gzip adds to what it cannot make smaller */
    HTTP_BODY_FREE_MAX = 4096,    /* a buffer up to this size costs no budget and is kept
                                     between requests: the number of connections bounds it */
    HTTP_BODY_INFLATE_BYTES = 44032 /* what zlib allocates to inflate, and our own part */
};

struct http_budget;
struct http_inflate; /* opaque: zlib's state */
struct metric;

struct http_body {
    struct buf bytes;             /* what was collected, inflated */
    struct http_inflate *inflate; /* owned; NULL for identity */
    size_t taken_bytes;           /* as they came, compressed */
    struct http_budget *budget;   /* borrowed; NULL: no limit */
    struct metric *held;          /* borrowed; what is charged is added; NULL: nowhere */
    size_t charged;               /* bytes taken from the budget */
    enum err_code code;           /* what went wrong, ERR_OK so far */
    const char *sentence;         /* for the client; static */
};

/* Its owner may set budget and held afterwards. */
void http_body_init(struct http_body *body);
void http_body_release(struct http_body *body);

/* Prepares for the next request, whose body may have max_bytes: forgets the last one, and its
 * memory if it was large. */
void http_body_start(struct http_body *body, enum http_encoding encoding,
                     size_t max_bytes);

/* Takes the next piece.  After a failure nothing is held, and further pieces are ignored.
 * ERR_TOO_BIG past the limit, ERR_INVALID for a corrupt stream, ERR_NOMEM, ERR_BUSY when the
 * budget is used up. */
void http_body_add(struct http_body *body, const char *piece, size_t len);

/* Takes the end: a compressed stream that stops short is ERR_INVALID. */
void http_body_end(struct http_body *body);

/* Forgets the bytes, when they have been looked into. */
void http_body_drop(struct http_body *body);

#endif
