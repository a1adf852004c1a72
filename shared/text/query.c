/* query.c -- see query.h. */
#include "shared/text/query.h"

#include <stdbool.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/text/utf8.h"

enum {
    NAME_SHOWN_MAX = 64 /* bytes of a name in a sentence */
};

/* Decodes len bytes to *out and ends them with a NUL; *out is after it then.  What is
 * written is at most as long as what was read, and the NUL takes the place of the & or =
 * after it, or of the text's own.  ERR_INVALID for what a C string or a text in Postgres cannot
 * hold. */
static enum err_code decode(const char *text, size_t len, char **out, struct err *err)
{
    char *start = *out;
    char *at = start;

    for (size_t i = 0; i < len; i++) {
        int byte = hex_percent(text + i); /* no & or = or NUL is a hex digit */
        if (byte == 0)
            return err_set(err, ERR_INVALID,
                           "the query must not contain the character %%00");
        if (byte > 0)
            i += 2;
        *at++ = byte > 0 ? (char)byte : text[i] == '+' ? ' ' : text[i];
    }
    if (!utf8_is_valid(start, (size_t)(at - start)))
        return err_set(err, ERR_INVALID, "the query must be valid UTF-8");
    *at++ = '\0';
    *out = at;
    return ERR_OK;
}

/* Decodes the piece between two & signs; without = the value is empty. */
static enum err_code add_pair(struct query *query, const char *piece, size_t len,
                              char **out, struct err *err)
{
    const char *equals = memchr(piece, '=', len);
    size_t name_len = equals ? (size_t)(equals - piece) : len;
    struct query_pair pair = {.name = *out};
    enum err_code code;

    if (query->count == QUERY_PAIRS_MAX)
        return err_set(err, ERR_INVALID, "the query has more than %d parameters",
                       QUERY_PAIRS_MAX);
    code = decode(piece, name_len, out, err);
    if (code)
        return code;
    if (query_get(query, pair.name))
        return err_set(err, ERR_INVALID, "\"%.*s\" is given twice",
                       (int)utf8_cut(pair.name, strlen(pair.name), NAME_SHOWN_MAX),
                       pair.name);
    pair.value = "";
    if (equals) {
        pair.value = *out;
        code = decode(equals + 1, len - name_len - 1, out, err);
        if (code)
            return code;
    }
    query->pairs[query->count++] = pair;
    return ERR_OK;
}

enum err_code query_parse(const char *text, struct query *ret_query, struct err *err)
{
    char *out = ret_query->text;

    ret_query->count = 0;
    if (strlen(text) > QUERY_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the query is longer than %d bytes",
                       QUERY_BYTES_MAX);
    for (;;) {
        size_t len = strcspn(text, "&");
        if (len > 0) {
            enum err_code code = add_pair(ret_query, text, len, &out, err);
            if (code)
                return code;
        }
        text += len;
        if (*text == '\0')
            return ERR_OK;
        text++;
    }
}

const char *query_get(const struct query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->pairs[i].name, name) == 0)
            return query->pairs[i].value;
    }
    return NULL;
}
