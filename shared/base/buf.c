/* buf.c -- see buf.h. */
#include "shared/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "shared/base/mem.h"

enum {
    BUF_FIRST_CAP = 256
};

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max_bytes = max_bytes};
}

void buf_release(struct buf *b)
{
    mem_free(b->data);
    buf_init(b, b->max_bytes);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
}

enum err_code buf_reserve(struct buf *b, size_t extra)
{
    size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
    char *data;

    if (extra > b->max_bytes - b->len)
        return ERR_TOO_BIG;
    if (b->len + extra <= b->cap)
        return ERR_OK;
    while (cap < b->len + extra)
        cap *= 2;
    if (cap > b->max_bytes)
        cap = b->max_bytes; /* still enough: checked above */
    data = mem_realloc(b->data, cap);
    if (!data)
        return ERR_NOMEM;
    b->data = data;
    b->cap = cap;
    return ERR_OK;
}

enum err_code buf_add(struct buf *b, const void *bytes, size_t len)
{
    enum err_code code = buf_reserve(b, len);

    if (code)
        return code;
    if (len)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    return ERR_OK;
}

enum err_code buf_add_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

enum err_code buf_printf(struct buf *b, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        return ERR_TOO_BIG; /* for short pieces; long ones go through buf_add() */
    return buf_add(b, text, (size_t)len);
}
