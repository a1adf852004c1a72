/* json.c -- JSON out; see json.h. */
#include "shared/json.h"

#include <stdbool.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The letter behind the backslash, or 0 where there is no short form. */
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

static enum err_code add_escaped(struct buf *out, char c)
{
    char letter = short_escape(c);

    if (letter)
        return buf_add(out, (const char[]){'\\', letter}, 2);
    return buf_printf(out, "\\u%04x", (unsigned)c);
}

static bool is_plain_ascii(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Bytes from the start that stand in a JSON string as they are. */
static size_t plain_len(const char *bytes, size_t len)
{
    size_t at = 0;

    while (at < len) {
        size_t char_len;
        if (is_plain_ascii((unsigned char)bytes[at])) {
            at++;
            continue;
        }
        char_len = utf8_char_len(bytes + at, len - at);
        if (char_len < 2)
            break; /* to be escaped, or invalid */
        at += char_len;
    }
    return at;
}

static enum err_code add_characters(struct buf *out, const char *bytes, size_t len)
{
    size_t at = 0;

    for (;;) {
        size_t plain = plain_len(bytes + at, len - at);
        enum err_code code = buf_add(out, bytes + at, plain);
        at += plain;
        if (code || at == len)
            return code;
        if ((unsigned char)bytes[at] < 0x80)
            code = add_escaped(out, bytes[at]);
        else
            code = buf_add_text(out, replacement);
        if (code)
            return code;
        at++;
    }
}

enum err_code json_add_string(struct buf *out, const char *bytes, size_t len)
{
    size_t start = out->len;
    enum err_code code = buf_add(out, "\"", 1);

    if (!code)
        code = add_characters(out, bytes, len);
    if (!code)
        code = buf_add(out, "\"", 1);
    if (code)
        out->len = start;
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
