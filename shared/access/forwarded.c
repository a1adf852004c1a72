/* forwarded.c -- see forwarded.h. */
#include "shared/access/forwarded.h"

#include <string.h>
#include <strings.h>

enum {
    HOPS_MAX = 32 /* entries that are looked at */
};

struct span {
    const char *bytes;
    size_t len;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct span trim(struct span span)
{
    while (span.len > 0 && is_blank(span.bytes[span.len - 1]))
        span.len--;
    while (span.len > 0 && is_blank(span.bytes[0])) {
        span.bytes++;
        span.len--;
    }
    return span;
}

/* Takes the last entry off the list.  A comma in quotes separates nothing.  Quotes are
 * counted from the end, so that one which a client has made up changes no entry of ours. */
static struct span take_last(struct span *list)
{
    size_t start = list->len;
    bool is_quoted = false;
    struct span entry;

    for (; start > 0 && (is_quoted || list->bytes[start - 1] != ','); start--)
        is_quoted ^= list->bytes[start - 1] == '"';
    entry = (struct span){list->bytes + start, list->len - start};
    list->len = start > 0 ? start - 1 : 0;
    return trim(entry);
}

static size_t pair_len(struct span entry)
{
    bool is_quoted = false;
    size_t len = 0;

    for (; len < entry.len && (is_quoted || entry.bytes[len] != ';'); len++)
        is_quoted ^= entry.bytes[len] == '"';
    return len;
}

/* The value of `for` among the pairs of an entry; empty when there is none. */
static struct span node_of(struct span entry)
{
    while (entry.len > 0) {
        size_t len = pair_len(entry);
        struct span pair = trim((struct span){entry.bytes, len});
        if (pair.len > 4 && strncasecmp(pair.bytes, "for=", 4) == 0)
            return (struct span){pair.bytes + 4, pair.len - 4};
        if (len < entry.len)
            len++; /* the semicolon */
        entry.bytes += len;
        entry.len -= len;
    }
    return (struct span){entry.bytes, 0};
}

struct address forwarded_client(const struct forwarded *list, const struct address *peer,
                                const struct networks *trusted, bool *ret_is_read)
{
    struct span rest = {list->bytes, list->len};
    struct address client = *peer;

    *ret_is_read = true;
    /* The rest is the word of an address that is not trusted, and may be made up. */
    for (int hops = 0; rest.len > 0 && hops < HOPS_MAX && networks_have(trusted, &client);
         hops++) {
        struct span entry = take_last(&rest);
        struct address before;
        if (entry.len == 0)
            continue; /* an empty entry is none */
        if (list->form == FORWARDED_PAIRS)
            entry = node_of(entry);
        *ret_is_read = address_parse_node(entry.bytes, entry.len, &before);
        if (!*ret_is_read)
            break;
        client = before;
    }
    return client;
}
