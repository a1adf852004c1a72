/* json.c -- JSON out; see json.h. */
#include "shared/text/json.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/text/json_plain.h"
#include "shared/text/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The letter after the backslash, or 0 where there is no short form. */
static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* \u001f: control characters without a short form are all below 0x20. */
static char *put_hex_escape(char *out, char c)
{
    static const char digits[] = "0123456789abcdef";
    static const char head[] = {'\\', 'u', '0', '0'};

    memcpy(out, head, sizeof(head));
    out[4] = digits[(unsigned char)c >> 4];
    out[5] = digits[(unsigned char)c & 0x0f];
    return out + 6;
}

/* Bytes from the start that stand in a JSON string as they are. */
static size_t plain_len(const char *bytes, size_t len)
{
    size_t at = json_plain_len(bytes, len);

    while (at < len) {
        size_t char_len = utf8_char_len(bytes + at, len - at);
        if (char_len < 2)
            break; /* to be escaped, or invalid */
        at += char_len;
        at += json_plain_len(bytes + at, len - at);
    }
    return at;
}

/* What one byte that is not plain becomes: its length, and its text. */
static size_t special_size(char c)
{
    if ((unsigned char)c >= 0x80)
        return sizeof(replacement) - 1;
    return short_escape(c) ? 2 : 6;
}

static char *put_special(char *out, char c)
{
    char letter = short_escape(c);

    if ((unsigned char)c >= 0x80) {
        memcpy(out, replacement, sizeof(replacement) - 1);
        return out + sizeof(replacement) - 1;
    }
    if (!letter)
        return put_hex_escape(out, c);
    *out++ = '\\';
    *out++ = letter;
    return out;
}

size_t json_string_size(const char *bytes, size_t len)
{
    size_t size = len + 2;

    for (size_t at = plain_len(bytes, len); at < len;) {
        size += special_size(bytes[at]) - 1;
        at++;
        at += plain_len(bytes + at, len - at);
    }
    return size;
}

char *json_put_string(char *out, const char *bytes, size_t len)
{
    size_t at = 0;

    *out++ = '"';
    while (at < len) { /* no bytes may be NULL */
        size_t plain = plain_len(bytes + at, len - at);
        memcpy(out, bytes + at, plain);
        out += plain;
        at += plain;
        if (at < len)
            out = put_special(out, bytes[at++]);
    }
    *out++ = '"';
    return out;
}

enum err_code json_add_string(struct buf *out, const char *bytes, size_t len)
{
    enum err_code code = buf_reserve(out, json_string_size(bytes, len));

    if (!code)
        out->len =
            (size_t)(json_put_string(out->data + out->len, bytes, len) - out->data);
    return code;
}

enum err_code json_add_error(struct buf *out, const char *sentence)
{
    size_t start = out->len;
    enum err_code code = buf_add_text(out, "{\"error\":");

    if (!code)
        code = json_add_string(out, sentence, strlen(sentence));
    if (!code)
        code = buf_add(out, "}", 1);
    if (code)
        out->len = start;
    return code;
}
