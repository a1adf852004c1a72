/* buf.h -- a growing byte buffer with a maximum.
 *
 * - data[0..len) are the bytes; data may be NULL while len is 0.
 * - It never grows past max_bytes: growth beyond is ERR_TOO_BIG and changes nothing.
 * - buf_clear() keeps the memory, buf_release() gives it back.
 */
#ifndef SHARED_BASE_BUF_H
#define SHARED_BASE_BUF_H

#include <stddef.h>

#include "shared/base/err.h"

struct buf {
    char *data;       /* owned */
    size_t len;       /* bytes in use */
    size_t cap;       /* bytes allocated */
    size_t max_bytes; /* limit of len */
};

/* Allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b);

/* Forgets the bytes and keeps the memory. */
void buf_clear(struct buf *b);

/* Makes room for `extra` further bytes, so that b->data + b->len can be written to.
 * ERR_TOO_BIG past max_bytes, ERR_NOMEM; on failure b is unchanged. */
enum err_code buf_reserve(struct buf *b, size_t extra) MUST_CHECK;

/* Appends a copy of the bytes; errors as buf_reserve(). */
enum err_code buf_add(struct buf *b, const void *bytes, size_t len) MUST_CHECK;
enum err_code buf_add_text(struct buf *b, const char *text) MUST_CHECK;
enum err_code buf_printf(struct buf *b, const char *fmt, ...)
    PRINTF_LIKE(2, 3) MUST_CHECK;

#endif
