/* referrer.c -- see referrer.h. */
#include "ingestion/enrich/referrer.h"

#include <string.h>
#include <strings.h>

#include "ingestion/enrich/url.h"
#include "shared/base/arena.h"

static const char app_scheme[] = "android-app://";
static const char www[] = "www.";

#define LEN(literal) (sizeof(literal) - 1)

static bool starts(const struct event_text *text, const char *prefix, size_t len)
{
    return text->len > len && strncasecmp(text->bytes, prefix, len) == 0;
}

static struct event_text skip(const struct event_text *text, size_t len)
{
    return (struct event_text){text->bytes + len, text->len - len};
}

static struct event_text without_www(const struct event_text *host)
{
    return starts(host, www, LEN(www)) ? skip(host, LEN(www)) : *host;
}

/* Without a scheme only what looks like a host: a path alone says nothing. */
static bool parse_bare(const struct event_text *text, struct url *url)
{
    return url_parse_rest(text->bytes, text->len, url) &&
           memchr(url->host.bytes, '.', url->host.len) && url->host.bytes[0] != '.';
}

static bool parse(const struct event_text *text, struct url *url, bool *ret_is_app)
{
    struct event_text rest;

    *ret_is_app = starts(text, app_scheme, LEN(app_scheme));
    if (*ret_is_app) {
        rest = skip(text, LEN(app_scheme));
        return url_parse_rest(rest.bytes, rest.len, url);
    }
    return url_parse(text->bytes, text->len, url) || parse_bare(text, url);
}

static char *put(char *out, const char *bytes, size_t len)
{
    memcpy(out, bytes, len);
    return out + len;
}

bool referrer_read(const struct event_text *text, struct arena *arena,
                   struct referrer *ret_referrer)
{
    struct event_text host;
    struct url url;
    char *start;
    char *at;

    if (!parse(text, &url, &ret_referrer->is_app))
        return false;
    host = without_www(&url.host);
    host = url_lower(&host, arena);
    start = arena_alloc(arena, LEN(app_scheme) + url.host.len + url.path.len);
    if (!host.bytes || !start)
        return false;
    while (url.path.len > 0 && url.path.bytes[url.path.len - 1] == '/')
        url.path.len--;
    at = ret_referrer->is_app ? put(start, app_scheme, LEN(app_scheme)) : start;
    at = put(at, host.bytes, host.len);
    ret_referrer->host = (struct event_text){start, (size_t)(at - start)};
    at = put(at, url.path.bytes, url.path.len);
    ret_referrer->text =
        url_cut((struct event_text){start, (size_t)(at - start)}, REFERRER_MAX);
    return true;
}

bool referrer_is_own(const struct referrer *referrer, const struct event_text *hostname)
{
    struct event_text own;

    if (!hostname->bytes)
        return false;
    own = without_www(hostname);
    return own.len == referrer->host.len &&
           strncasecmp(own.bytes, referrer->host.bytes, own.len) == 0;
}
