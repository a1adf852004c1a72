/* query.h -- the query string of a URL.
 *
 * name=value pairs between & signs; + is a space, %XX a byte.  What decodes to a NUL or to
 * invalid UTF-8 is refused, and so is a name that comes twice.  Pure.
 */
#ifndef SHARED_TEXT_QUERY_H
#define SHARED_TEXT_QUERY_H

#include <stddef.h>

#include "shared/base/err.h"

enum {
    QUERY_PAIRS_MAX = 32,
    QUERY_BYTES_MAX = 8192
};

struct query_pair {
    const char *name; /* NUL-terminated, in the struct query */
    const char *value;
};

/* A value: copying it would leave the pairs pointing at the original. */
struct query {
    size_t count;
    struct query_pair pairs[QUERY_PAIRS_MAX];
    char text[QUERY_BYTES_MAX + 1]; /* decoded names and values */
};

/* Decodes text.  ERR_INVALID with a sentence for the client: a name given twice, a broken
 * %XX is taken literally, a NUL or invalid UTF-8, more than QUERY_PAIRS_MAX pairs,
 * more than QUERY_BYTES_MAX bytes. */
enum err_code query_parse(const char *text, struct query *ret_query,
                          struct err *err) MUST_CHECK;

/* The value of a name, or NULL. */
const char *query_get(const struct query *query, const char *name);

#endif
