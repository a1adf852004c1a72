/* csv_text.c -- see csv_text.h. */
#include "reporting/report/csv_text.h"

#include <stdbool.h>
#include <string.h>

#include "shared/base/buf.h"

enum {
    AROUND_MAX = 3 /* the quotes, and the ' */
};

static bool must_be_quoted(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"' || bytes[i] == ',' || bytes[i] == '\n' || bytes[i] == '\r')
            return true;
    }
    return false;
}

static bool is_formula(const char *bytes, size_t len)
{
    return len > 0 &&
           (bytes[0] == '=' || bytes[0] == '+' || bytes[0] == '-' || bytes[0] == '@');
}

/* Quotes inside are doubled. */
static char *put_quoted(char *at, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '"')
            *at++ = '"';
        *at++ = bytes[i];
    }
    return at;
}

enum err_code csv_add_text(struct buf *out, const char *bytes, size_t len)
{
    bool is_quoted = must_be_quoted(bytes, len);
    enum err_code code = buf_reserve(out, (is_quoted ? 2 * len : len) + AROUND_MAX);
    char *at;

    if (code)
        return code;
    at = out->data + out->len;
    if (is_quoted)
        *at++ = '"';
    if (is_formula(bytes, len))
        *at++ = '\'';
    if (is_quoted) {
        at = put_quoted(at, bytes, len);
        *at++ = '"';
    } else {
        memcpy(at, bytes, len);
        at += len;
    }
    out->len = (size_t)(at - out->data);
    return ERR_OK;
}
