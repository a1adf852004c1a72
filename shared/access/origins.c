/* origins.c -- see origins.h. */
#include "shared/access/origins.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "shared/base/mem.h"
#include "shared/text/words.h"

enum {
    ORIGIN_MAX = 512 /* bytes of an Origin that is looked at; a host has 253 */
};

static const char not_origin[] =
    "\"%s\" is not an origin such as https://shop.example or https://*.shop.example "
    "(several are separated by commas)";

/* Bytes up to and with "://", or 0. */
static size_t scheme_len(const char *text)
{
    size_t len = 0;

    while (isalnum((unsigned char)text[len]) ||
           (len > 0 && strchr("+-.", text[len]) && text[len] != '\0'))
        len++;
    return len > 0 && isalpha((unsigned char)text[0]) &&
                   strncmp(text + len, "://", 3) == 0
               ? len + 3
               : 0;
}

/* Bytes of a name of labels, or of an IPv6 address in brackets; 0 when it is neither. */
static size_t host_len(const char *text)
{
    size_t len;

    if (text[0] == '[') {
        len = 1 + strspn(text + 1, "0123456789abcdef:.");
        return text[len] == ']' ? len + 1 : 0;
    }
    len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");
    if (len == 0 || text[0] == '.' || text[len - 1] == '.')
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (text[i] == '.' && text[i - 1] == '.')
            return 0;
    }
    return len;
}

static bool is_port(const char *text)
{
    size_t len = strspn(text + 1, "0123456789");

    return text[0] == ':' && len >= 1 && len <= 5 && text[1 + len] == '\0';
}

/* A browser leaves the port out where it is the scheme's own. */
static bool is_own_port(const char *scheme, const char *port)
{
    return (strncmp(scheme, "https://", 8) == 0 && strcmp(port, ":443") == 0) ||
           (strncmp(scheme, "http://", 7) == 0 && strcmp(port, ":80") == 0);
}

/* Makes text, a copy of a word in lower case, what a browser would send. */
static bool normalise(char *text, struct origin *origin)
{
    size_t scheme = scheme_len(text);
    char *host = text + scheme;
    size_t len = strlen(text);
    size_t host_bytes;
    char *port;

    if (scheme == 0 || len > ORIGIN_MAX)
        return false;
    if (text[len - 1] == '/')
        text[len - 1] = '\0';
    origin->is_wide = strncmp(host, "*.", 2) == 0;
    if (origin->is_wide)
        memmove(host, host + 2, strlen(host + 2) + 1);
    host_bytes = host_len(host);
    port = host + host_bytes;
    if (host_bytes == 0 || (*port && !is_port(port)))
        return false;
    if (is_own_port(text, port))
        *port = '\0';
    origin->text = text;
    origin->scheme_len = scheme;
    return true;
}

static enum err_code add(struct origins *origins, const char *word, bool named_only,
                         struct err *err)
{
    struct origin *origin = &origins->items[origins->count];

    if (strcmp(word, "*") == 0 && !named_only) {
        origins->has_all = true;
        return ERR_OK;
    }
    origin->text = mem_strdup(word);
    if (!origin->text)
        return err_set(err, ERR_NOMEM, "out of memory");
    origins->count++; /* from here on released with the others */
    for (char *at = origin->text; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (strcmp(origin->text, "null") == 0)
        return err_set(err, ERR_CONFIG, "\"null\" names no origin%s",
                       named_only ? "" : "; only * takes in such pages");
    if (normalise(origin->text, origin) && !(named_only && origin->is_wide))
        return ERR_OK;
    if (named_only && strchr(word, '*'))
        return err_set(err, ERR_CONFIG, "\"%s\" is refused: each origin is named", word);
    if (!strstr(word, "://") && host_len(origin->text) == strlen(origin->text))
        return err_set(err, ERR_CONFIG, "\"%s\" has no scheme; write https://%s", word,
                       word);
    return err_set(err, ERR_CONFIG, not_origin, word);
}

enum err_code origins_parse(const char *text, bool named_only,
                            struct origins *ret_origins, struct err *err)
{
    struct origins origins = {.count = 0};
    struct words words;
    enum err_code code = words_parse(text, &words, err);

    if (code)
        return code;
    origins.items = mem_calloc(words.count + 1, sizeof(*origins.items));
    if (!origins.items)
        code = err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < words.count && !code; i++)
        code = add(&origins, words.items[i], named_only, err);
    words_release(&words);
    if (code)
        origins_release(&origins);
    else
        *ret_origins = origins;
    return code;
}

void origins_release(struct origins *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        mem_free(origins->items[i].text);
    mem_free(origins->items);
    *origins = (struct origins){.count = 0};
}

static bool has(const struct origin *item, const char *origin, size_t len)
{
    const char *host = item->text + item->scheme_len;
    size_t tail = strlen(host);

    if (strcasecmp(origin, item->text) == 0)
        return true;
    return item->is_wide && len > item->scheme_len + tail + 1 &&
           strncasecmp(origin, item->text, item->scheme_len) == 0 &&
           origin[len - tail - 1] == '.' && strcasecmp(origin + len - tail, host) == 0;
}

bool origins_have(const struct origins *origins, const char *origin)
{
    size_t len = strlen(origin);

    if (len == 0 || len > ORIGIN_MAX)
        return false;
    if (origins->has_all)
        return true;
    for (size_t i = 0; i < origins->count; i++) {
        if (has(&origins->items[i], origin, len))
            return true;
    }
    return false;
}
