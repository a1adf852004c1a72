/* body.h -- the body of a request: collected, inflated, and never past its limit. */
#ifndef SHARED_HTTP_BODY_H
#define SHARED_HTTP_BODY_H

#include <stddef.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/http/head.h"

enum {
    HTTP_BODY_PACKING_MAX = 4096 /* more than gzip adds to what it cannot make smaller */
};

struct http_inflate; /* opaque: zlib's state */

struct http_body {
    struct buf bytes;             /* what was collected, inflated */
    struct http_inflate *inflate; /* owned; NULL for identity */
    size_t taken_bytes;           /* as they came, compressed */
    enum err_code code;           /* what went wrong, ERR_OK so far */
    const char *sentence;         /* for the client; static */
};

void http_body_init(struct http_body *body, size_t max_bytes);
void http_body_release(struct http_body *body);

/* Prepares for the next request: forgets the last one, and its memory if it was large. */
void http_body_start(struct http_body *body, enum http_encoding encoding);

/* Takes the next piece.  After a failure further pieces are ignored.
 * ERR_TOO_BIG past the limit, ERR_INVALID for a corrupt stream, ERR_NOMEM. */
void http_body_add(struct http_body *body, const char *piece, size_t len);

/* Takes the end: a compressed stream that stops short is ERR_INVALID. */
void http_body_end(struct http_body *body);

#endif
