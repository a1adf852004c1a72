/* url.c -- see url.h. */
#include "shared/redis/url.h"

#include <stddef.h>
#include <string.h>

#include "shared/base/hex.h"

enum {
    DEFAULT_PORT = 6379,
    PORT_MAX = 65535,
    DB_MAX = 1000000,
};

/* A piece of the URL, not NUL-terminated. */
struct piece {
    const char *text;
    size_t len;
};

/* An @ after the first of these stands where no password is looked for: that had one of them
 * in it.  So many a host, port or database that is none is the half of a password. */
static bool has_raw_password(const char *text)
{
    const char *slashes = strstr(text, "://");
    const char *end = slashes ? slashes + 3 + strcspn(slashes + 3, "/?#") : text;

    return strchr(end, '@') != NULL;
}

/* No sentence quotes the URL: the password may stand anywhere in one that is wrong. */
static enum err_code refuse(struct err *err, const char *complaint)
{
    return err_set(err, ERR_CONFIG,
                   "REDIS_URL: %s (redis://[user:password@]host[:port][/db] or "
                   "unix:///path[?db=n])",
                   complaint);
}

/* Copies a piece with each %XX decoded; `name` is for the sentence. */
static enum err_code decode(const struct piece *piece, const char *name, char *out,
                            struct err *err)
{
    size_t len = 0;

    for (size_t i = 0; i < piece->len; i++) {
        int byte = (unsigned char)piece->text[i];
        if (byte == '%') {
            byte = i + 2 < piece->len ? hex_percent(piece->text + i) : -1;
            i += 2;
        }
        if (byte <= 0)
            return err_set(err, ERR_CONFIG,
                           "REDIS_URL: a %% in the %s is not followed by two "
                           "hexadecimal digits: write it as %%25",
                           name);
        if (len == REDIS_URL_PART_MAX)
            return err_set(err, ERR_CONFIG, "REDIS_URL: the %s is longer than %d bytes",
                           name, REDIS_URL_PART_MAX);
        out[len++] = (char)byte;
    }
    out[len] = '\0';
    return ERR_OK;
}

/* 1 to 7 digits with a value from min to max. */
static bool parse_number(const struct piece *piece, int min, int max, int *ret_number)
{
    int number = 0;

    if (piece->len == 0 || piece->len > 7)
        return false;
    for (size_t i = 0; i < piece->len; i++) {
        if (piece->text[i] < '0' || piece->text[i] > '9')
            return false;
        number = number * 10 + (piece->text[i] - '0');
    }
    *ret_number = number;
    return number >= min && number <= max;
}

/* Splits what stands before the first byte of `at` off the piece. */
static struct piece split_before(struct piece *piece, const char *at)
{
    struct piece head = {piece->text, (size_t)(at - piece->text)};

    piece->text += head.len;
    piece->len -= head.len;
    return head;
}

static void skip(struct piece *piece, size_t count)
{
    piece->text += count;
    piece->len -= count;
}

/* user:password@ in front, if there is an @ at all; the last one counts, so that a password
 * may have one in it. */
static enum err_code take_credentials(struct piece *authority, struct redis_url *url,
                                      struct err *err)
{
    const char *at = memrchr(authority->text, '@', authority->len);
    const char *colon;
    struct piece user;
    enum err_code code;

    if (!at)
        return ERR_OK;
    user = split_before(authority, at);
    skip(authority, 1);
    colon = memchr(user.text, ':', user.len);
    if (colon) {
        struct piece password = user;
        user = split_before(&password, colon);
        skip(&password, 1);
        code = decode(&password, "password", url->password, err);
        if (code)
            return code;
    }
    return decode(&user, "user", url->user, err);
}

static enum err_code take_host(struct piece *authority, struct redis_url *url,
                               struct err *err)
{
    const char *end = authority->text + authority->len;
    const char *stop;
    struct piece host;

    if (authority->len > 0 && authority->text[0] == '[') {
        skip(authority, 1);
        stop = memchr(authority->text, ']', authority->len);
        if (!stop)
            return refuse(err, "there is no ] after the address");
        host = split_before(authority, stop);
        skip(authority, 1);
    } else {
        stop = memchr(authority->text, ':', authority->len);
        host = split_before(authority, stop ? stop : end);
    }
    if (host.len == 0)
        return refuse(err, "there is no host in it");
    return decode(&host, "host", url->host, err);
}

static enum err_code take_port(const struct piece *text, struct redis_url *url,
                               struct err *err)
{
    struct piece digits = *text;
    int port = DEFAULT_PORT;

    if (digits.len > 0) {
        if (digits.text[0] != ':')
            return refuse(err, "the host has no end");
        skip(&digits, 1);
        if (!parse_number(&digits, 1, PORT_MAX, &port))
            return refuse(err, "the port is not a whole number from 1 to 65535");
    }
    url->port = (uint16_t)port;
    return ERR_OK;
}

static enum err_code take_db(const char *text, struct redis_url *url, struct err *err)
{
    struct piece digits = {text, strlen(text)};

    if (!parse_number(&digits, 0, DB_MAX, &url->db))
        return refuse(err, "the database is not a whole number from 0 to 1000000");
    return ERR_OK;
}

static enum err_code parse_tcp(const char *text, struct redis_url *url, struct err *err)
{
    struct piece authority = {text, strcspn(text, "/?#")};
    const char *path = text + authority.len;
    enum err_code code = take_credentials(&authority, url, err);

    if (!code)
        code = take_host(&authority, url, err);
    if (!code)
        code = take_port(&authority, url, err);
    if (code)
        return code;
    if (path[0] == '\0' || strcmp(path, "/") == 0)
        return ERR_OK;
    if (path[0] != '/')
        return refuse(err, "there is something after the host that is no /db");
    return take_db(path + 1, url, err);
}

static enum err_code parse_unix(const char *text, struct redis_url *url, struct err *err)
{
    static const char db[] = "?db=";
    struct piece authority = {text, strcspn(text, "/")};
    struct piece path = {text + authority.len, strcspn(text + authority.len, "?")};
    const char *query = path.text + path.len;
    enum err_code code = take_credentials(&authority, url, err);

    url->is_unix = true;
    if (code)
        return code;
    if (authority.len > 0 || path.len == 0)
        return refuse(err, "a socket needs an absolute path");
    code = decode(&path, "path", url->host, err);
    if (code || query[0] == '\0')
        return code;
    if (strncmp(query, db, strlen(db)) != 0)
        return refuse(err, "there is something after the path that is no ?db=n");
    return take_db(query + strlen(db), url, err);
}

enum err_code redis_url_parse(const char *text, struct redis_url *ret_url,
                              struct err *err)
{
    static const char tcp[] = "redis://";
    static const char local[] = "unix://";
    static const char tls[] = "rediss://";
    struct redis_url url = {.port = DEFAULT_PORT};
    enum err_code code;

    if (has_raw_password(text))
        code =
            err_set(err, ERR_CONFIG,
                    "REDIS_URL: there is an @ after a /, ? or #: in a user or password "
                    "write / as %%2F, ? as %%3F, # as %%23, @ as %%40 and %% as %%25");
    else if (strncmp(text, tls, strlen(tls)) == 0)
        code = refuse(err, "TLS (rediss://) is not spoken: put a tunnel such as stunnel "
                           "in between, or use a network that nobody else can read");
    else if (strncmp(text, tcp, strlen(tcp)) == 0)
        code = parse_tcp(text + strlen(tcp), &url, err);
    else if (strncmp(text, local, strlen(local)) == 0)
        code = parse_unix(text + strlen(local), &url, err);
    else
        code = refuse(err, "it begins neither with redis:// nor with unix://");
    if (!code)
        *ret_url = url;
    return code;
}
