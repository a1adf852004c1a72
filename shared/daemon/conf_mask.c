/* conf_mask.c -- shows a connection string without its password; see conf.h.
 *
 * When in doubt it masks too much: a string that is wrong is shown too, in the message
 * that says so.
 */
#include <stdbool.h>
#include <string.h>

#include "shared/daemon/conf.h"

static const char mask[] = "***";

/* What ends a value that is not quoted: white space, and in a URL also an &. */
static const char word_space[] = " \t\r\n\f\v";
static const char url_ends[] = " \t\r\n\f\v&";

struct sink {
    char *out;
    size_t size;
    size_t len;
};

static void put(struct sink *sink, const char *bytes, size_t len)
{
    size_t room = sink->size - 1 - sink->len;

    if (len > room)
        len = room;
    memcpy(sink->out + sink->len, bytes, len);
    sink->len += len;
}

/* The password of scheme://user:password@..., or NULL.  The last @ before the path ends
 * it, so that a password with an @ is masked whole; with no @ there, the last one of all,
 * since the password may have an unescaped / ? or # in it. */
static const char *find_url_password(const char *authority, size_t *ret_len)
{
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    const char *colon;

    if (!at)
        at = strrchr(authority, '@');
    colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (!colon)
        return NULL;
    *ret_len = (size_t)(at - colon) - 1;
    return colon + 1;
}

/* The length of a conninfo value or query value that starts at text. */
static size_t value_len(const char *text, const char *ends)
{
    const char *at = text;
    bool is_quoted = *at == '\'';

    for (at += is_quoted; *at; at++) {
        if (is_quoted ? *at == '\'' : strchr(ends, *at) != NULL)
            break;
        at += *at == '\\' && at[1] != '\0';
    }
    return (size_t)(at - text) + (is_quoted && *at == '\'');
}

/* True where "password =" (of password= or sslpassword=) stands; *ret_len is its length
 * up to the value. */
static bool is_password_word(const char *text, size_t *ret_len)
{
    size_t len = strlen("password");

    if (strncmp(text, "password", len) != 0)
        return false;
    len += strspn(text + len, word_space);
    if (text[len] != '=')
        return false;
    len++;
    *ret_len = len + strspn(text + len, word_space);
    return true;
}

bool conf_url_has_password(const char *url)
{
    const char *authority = strstr(url, "://");
    size_t len;

    if (authority && find_url_password(authority + strlen("://"), &len))
        return true;
    for (const char *at = url; *at; at++) {
        if (is_password_word(at, &len))
            return true;
    }
    return false;
}

void conf_mask_url(const char *url, char *out, size_t size)
{
    struct sink sink = {.out = out, .size = size};
    const char *scheme_end = strstr(url, "://");
    const char *ends = scheme_end ? url_ends : word_space;
    size_t url_len = 0;
    const char *password =
        scheme_end ? find_url_password(scheme_end + strlen("://"), &url_len) : NULL;

    for (const char *at = url; *at;) {
        size_t len;
        if (at == password) {
            put(&sink, mask, strlen(mask));
            at += url_len;
        } else if (is_password_word(at, &len)) {
            put(&sink, at, len);
            put(&sink, mask, strlen(mask));
            at += len;
            at += value_len(at, ends);
            continue;
        }
        if (*at)
            put(&sink, at++, 1);
    }
    out[sink.len] = '\0';
}
