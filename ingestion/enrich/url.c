/* url.c -- see url.h. */
#include "ingestion/enrich/url.h"

#include <string.h>
#include <strings.h>

#include "shared/access/address.h"
#include "shared/base/arena.h"
#include "shared/base/hex.h"
#include "shared/text/utf8.h"
#include "shared/text/words.h"

enum {
    PORT_MAX = 65535,
    CHAR_BYTES = 4, /* of the longest character */
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* --- characters -------------------------------------------------------------- */

static bool is_delimiter(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte <= ' ' || byte == 0x7f || c == '<' || c == '>' || c == '"';
}

/* A letter, a digit, what a name may have besides, or anything beyond ASCII. */
static bool is_of_name(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("-._~%!$&'()*+,;=", c));
}

static size_t find_any(const char *bytes, size_t len, const char *wanted)
{
    size_t at = 0;

    while (at < len && !strchr(wanted, bytes[at]))
        at++;
    return at;
}

struct event_text url_cut(struct event_text text, size_t max_chars)
{
    size_t at = 0;

    if (text.len <= max_chars || utf8_count(text.bytes, text.len) <= max_chars)
        return text;
    for (; max_chars > 0; max_chars--)
        at += utf8_char_len(text.bytes + at, text.len - at);
    text.len = at;
    return text;
}

/* --- host and port ----------------------------------------------------------- */

static bool is_name(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_of_name(bytes[i]))
            return false;
    }
    return len > 0 && (len <= URL_HOST_MAX || utf8_count(bytes, len) <= URL_HOST_MAX);
}

static bool is_port(const char *bytes, size_t len)
{
    unsigned long port = 0;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < '0' || bytes[i] > '9' || port > PORT_MAX)
            return false;
        port = port * 10 + (unsigned long)(bytes[i] - '0');
    }
    return port <= PORT_MAX;
}

static bool is_ipv6(const char *bytes, size_t len)
{
    struct address address;

    return memchr(bytes, ':', len) && address_parse(bytes, len, &address);
}

/* Reads host[:port]; a port may be empty. */
static bool parse_host(const char *bytes, size_t len, struct event_text *ret_host)
{
    bool is_bracketed = len > 0 && bytes[0] == '[';
    const char *end = memchr(bytes, is_bracketed ? ']' : ':', len);
    size_t host_len = end ? (size_t)(end - bytes) + is_bracketed : len;

    if (is_bracketed && (!end || !is_ipv6(bytes, host_len)))
        return false;
    if (!is_bracketed && !is_name(bytes, host_len))
        return false;
    if (host_len < len &&
        (bytes[host_len] != ':' || !is_port(bytes + host_len + 1, len - host_len - 1)))
        return false;
    *ret_host = (struct event_text){bytes, host_len};
    return true;
}

/* --- the URL ----------------------------------------------------------------- */

bool url_parse_rest(const char *bytes, size_t len, struct url *ret_url)
{
    size_t authority = find_any(bytes, len, "/?#");
    size_t path = authority;
    size_t user = 0;

    for (size_t i = 0; i < len; i++) {
        if (is_delimiter(bytes[i]))
            return false;
        if (i < authority && bytes[i] == '@')
            user = i + 1;
    }
    if (!parse_host(bytes + user, authority - user, &ret_url->host))
        return false;
    path += find_any(bytes + path, len - path, "?#");
    ret_url->path = path > authority
                        ? (struct event_text){bytes + authority, path - authority}
                        : (struct event_text){"/", 1};
    ret_url->query = (struct event_text){NULL, 0};
    if (path < len && bytes[path] == '?') {
        path++;
        ret_url->query =
            (struct event_text){bytes + path, find_any(bytes + path, len - path, "#")};
    }
    return true;
}

bool url_parse(const char *bytes, size_t len, struct url *ret_url)
{
    size_t scheme = 0;

    if (len > 7 && strncasecmp(bytes, "http://", 7) == 0)
        scheme = 7;
    else if (len > 8 && strncasecmp(bytes, "https://", 8) == 0)
        scheme = 8;
    return scheme > 0 && url_parse_rest(bytes + scheme, len - scheme, ret_url);
}

/* --- the query --------------------------------------------------------------- */

static bool cut_pair(struct event_text *rest, struct event_text *ret_piece)
{
    size_t len = find_any(rest->bytes, rest->len, "&");

    *ret_piece = (struct event_text){rest->bytes, len};
    rest->bytes += len < rest->len ? len + 1 : len;
    rest->len -= len < rest->len ? len + 1 : len;
    return len > 0;
}

bool url_next_pair(struct event_text *rest, struct url_pair *ret_pair)
{
    while (rest->len > 0) {
        struct event_text piece;
        size_t key;
        if (!cut_pair(rest, &piece))
            continue; /* two & in a row */
        key = find_any(piece.bytes, piece.len, "=");
        ret_pair->key = (struct event_text){piece.bytes, key};
        key += key < piece.len;
        ret_pair->value = (struct event_text){piece.bytes + key, piece.len - key};
        return true;
    }
    return false;
}

/* The bytes that a value stands for, as many as the room takes. */
static size_t decode_bytes(const struct event_text *value, char *out, size_t room)
{
    size_t len = 0;

    for (size_t i = 0; i < value->len && len < room; i++) {
        const char *at = value->bytes + i;
        int byte = value->len - i > 2 ? hex_percent(at) : -1;
        if (byte >= 0)
            i += 2;
        out[len++] = byte >= 0 ? (char)byte : *at == '+' ? ' ' : *at;
    }
    return len;
}

size_t url_decode_form(const struct event_text *value, char out[URL_DECODED_BYTES])
{
    char bytes[URL_DECODED_BYTES + CHAR_BYTES]; /* no character of those is cut short */
    size_t len = decode_bytes(value, bytes, sizeof(bytes));
    size_t written = 0;
    size_t at = 0;

    for (size_t chars = 0; chars < URL_DECODED_MAX && at < len; chars++) {
        size_t char_len = utf8_char_len(bytes + at, len - at);
        bool is_good = char_len > 0 && bytes[at] != '\0';
        size_t out_len = is_good ? char_len : sizeof(replacement) - 1;
        memcpy(out + written, is_good ? bytes + at : replacement, out_len);
        written += out_len;
        at += char_len > 0 ? char_len : 1;
    }
    return written;
}

/* Appends a pair as it stands to a page's path. */
static size_t add_pair(char *out, size_t len, bool is_first, const struct url_pair *pair)
{
    size_t bytes = (size_t)(pair->value.bytes - pair->key.bytes) + pair->value.len;

    out[len++] = is_first ? '?' : '&';
    memcpy(out + len, pair->key.bytes, bytes);
    return len + bytes;
}

struct event_text url_page(const struct url *url, const struct words *keys,
                           size_t max_chars, struct arena *arena)
{
    struct event_text rest = url->query;
    struct url_pair pair;
    size_t len = 0;
    char *out = NULL;

    while (keys->count > 0 && url_next_pair(&rest, &pair)) {
        if (!words_has(keys, pair.key.bytes, pair.key.len))
            continue;
        if (!out) {
            out = arena_alloc(arena, url->path.len + url->query.len + 1);
            if (!out)
                return (struct event_text){NULL, 0};
            memcpy(out, url->path.bytes, url->path.len);
            len = url->path.len;
        }
        len = add_pair(out, len, len == url->path.len, &pair);
    }
    return url_cut(out ? (struct event_text){out, len} : url->path, max_chars);
}

struct event_text url_lower(const struct event_text *text, struct arena *arena)
{
    char *out = arena_alloc(arena, text->len);

    if (!out)
        return (struct event_text){NULL, 0};
    for (size_t i = 0; i < text->len; i++) {
        char c = text->bytes[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    return (struct event_text){out, text->len};
}
