/* conf_mask.c -- shows a connection string without its password; see conf.h. */
#include <stdbool.h>
#include <string.h>

#include "shared/conf.h"

static const char mask[] = "***";

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
 * it, so that a password with an unescaped @ is masked whole. */
static const char *find_url_password(const char *url, size_t *ret_len)
{
    const char *authority = strstr(url, "://");
    const char *colon;
    const char *at;

    if (!authority)
        return NULL;
    authority += 3;
    at = memrchr(authority, '@', strcspn(authority, "/?#"));
    colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;
    if (!colon)
        return NULL;
    *ret_len = (size_t)(at - colon) - 1;
    return colon + 1;
}

/* The length of a conninfo value or query value that starts at text. */
static size_t value_len(const char *text)
{
    const char *at = text;

    if (*at != '\'')
        return strcspn(at, " &");
    for (at++; *at && *at != '\''; at++)
        at += *at == '\\' && at[1] != '\0';
    return (size_t)(at - text) + (*at == '\'');
}

/* True where "password =" (of password= or sslpassword=) stands; *ret_len is its length
 * up to the value. */
static bool is_password_word(const char *text, size_t *ret_len)
{
    size_t len = strlen("password");

    if (strncmp(text, "password", len) != 0)
        return false;
    len += strspn(text + len, " ");
    if (text[len] != '=')
        return false;
    len++;
    *ret_len = len + strspn(text + len, " ");
    return true;
}

void conf_mask_url(const char *url, char *out, size_t size)
{
    struct sink sink = {.out = out, .size = size};
    size_t url_len = 0;
    const char *password = find_url_password(url, &url_len);

    for (const char *at = url; *at;) {
        size_t len;
        if (at == password) {
            put(&sink, mask, strlen(mask));
            at += url_len;
        } else if (is_password_word(at, &len)) {
            put(&sink, at, len);
            put(&sink, mask, strlen(mask));
            at += len;
            at += value_len(at);
            continue;
        }
        if (*at)
            put(&sink, at++, 1);
    }
    out[sink.len] = '\0';
}
