/* hosts.c -- see hosts.h. */
#include "shared/access/hosts.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "shared/access/address.h"

static bool is_name(const char *word)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

    if (strncmp(word, "*.", 2) == 0)
        word += 2;
    return word[0] && word[0] != '.' && strspn(word, letters) == strlen(word);
}

enum err_code hosts_parse(const char *text, struct hosts *ret_hosts, struct err *err)
{
    struct hosts hosts = {.has_all = false};
    enum err_code code = words_parse(text, &hosts.names, err);

    for (size_t i = 0; i < hosts.names.count && !code; i++) {
        const char *word = hosts.names.items[i];
        struct address address;
        if (strcmp(word, "*") == 0)
            hosts.has_all = true;
        else if (!is_name(word) && !address_parse(word, strlen(word), &address))
            code = err_set(err, ERR_CONFIG,
                           "\"%s\" is not the name of a host, without "
                           "scheme and port",
                           word);
    }
    if (code)
        hosts_release(&hosts);
    else
        *ret_hosts = hosts;
    return code;
}

void hosts_release(struct hosts *hosts)
{
    words_release(&hosts->names);
}

/* The name in a Host header, without port and without the dot of the root. */
static size_t name_len(const char *host)
{
    const char *end = host[0] == '[' ? strchr(host, ']') : strchr(host, ':');
    size_t len = end ? (size_t)(end - host) + (*end == ']') : strlen(host);

    return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

/* Whether the host is the name, or ends with a dot and the name. */
static bool is_below(const char *host, size_t len, const char *name, size_t name_bytes)
{
    return len >= name_bytes &&
           strncasecmp(host + len - name_bytes, name, name_bytes) == 0 &&
           (len == name_bytes || host[len - name_bytes - 1] == '.');
}

static bool is_nobodys(const char *host, size_t len)
{
    struct address address;

    return !memchr(host, '.', len) || address_parse(host, len, &address) ||
           is_below(host, len, "localhost", strlen("localhost"));
}

static bool matches(const char *word, const char *host, size_t len)
{
    size_t word_len = name_len(word);

    if (strncmp(word, "*.", 2) == 0)
        return is_below(host, len, word + 2, word_len - 2);
    return len == word_len && strncasecmp(host, word, len) == 0;
}

bool hosts_have(const struct hosts *hosts, const char *host)
{
    size_t len = name_len(host);

    if (hosts->has_all || is_nobodys(host, len))
        return true;
    for (size_t i = 0; i < hosts->names.count; i++) {
        if (matches(hosts->names.items[i], host, len))
            return true;
    }
    return false;
}
