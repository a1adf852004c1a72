/* resp.c -- see resp.h. */
#include "tests/fuzz/resp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"

enum {
    DEPTH_MAX = 16
};

/* Types of the protocol's second and third version, which hiredis knows since 1.0.  All
 * others are a line. */
static const char strings[] = "$=!";
static const char containers[] = "*~>%";

static bool is_one_of(char type, const char *types)
{
    return type != '\0' && strchr(types, type);
}

/* After the next \r\n, or NULL. */
static const char *line_end(const char *at, const char *end)
{
    const char *found = memmem(at, (size_t)(end - at), "\r\n", 2);

    return found ? found + 2 : NULL;
}

/* The number between the type and the end of the line. */
static long long number_at(const char *at, const char *end)
{
    char text[24] = "";
    size_t len = (size_t)(end - at);

    memcpy(text, at, len < sizeof(text) - 1 ? len : sizeof(text) - 1);
    return strtoll(text, NULL, 10);
}

/* After the value, or NULL when it is not all there. */
static const char *value_end(const char *at, const char *end, unsigned depth)
{
    const char *rest = line_end(at, end);
    long long count;

    if (!rest || depth == DEPTH_MAX)
        return NULL;
    count = number_at(at + 1, rest);
    if (is_one_of(*at, strings) && count >= 0)
        return end - rest - 2 >= count ? rest + count + 2 : NULL;
    if (*at == '%' && count < INT32_MAX)
        count *= 2; /* keys and values */
    for (; is_one_of(*at, containers) && count > 0 && rest; count--)
        rest = value_end(rest, end, depth + 1);
    return rest;
}

bool resp_nth(const struct buf *stream, size_t n, struct resp_text *ret_value)
{
    const char *at = stream->data;
    const char *end = at + stream->len;

    while (stream->len > 0 && at && at < end) {
        const char *next = value_end(at, end, 0);
        if (next && n == 0) {
            *ret_value = (struct resp_text){.bytes = at, .len = (size_t)(next - at)};
            return true;
        }
        at = next;
        n--;
    }
    return false;
}

bool resp_says_written(struct resp_text info)
{
    static const char pending[] = "aof_pending_bio_fsync:";
    const char *text = line_end(info.bytes, info.bytes + info.len);
    size_t len = text ? (size_t)(info.bytes + info.len - text) : 0;
    const char *at;

    if (info.bytes[0] != '$')
        return info.bytes[0] == '-'; /* it may not be asked: believed */
    if (!text || len < 2)
        return false; /* nil */
    /* What comes before the \r\n, or before the NUL, where a C string ends. */
    at = memmem(text, strnlen(text, len - 2), pending, sizeof(pending) - 1);
    return !at || at[sizeof(pending) - 1] == '0';
}
