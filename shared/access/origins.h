/* origins.h -- the origins of web pages that a setting names.
 *
 * An origin is a scheme, a host and a port, as a browser sends it: "https://shop.example".
 * The setting may have it in any case and with a slash at its end; with "*." in front of the
 * host it is that host and every host below it, "*" alone is every page.  Pure.
 */
#ifndef SHARED_ACCESS_ORIGINS_H
#define SHARED_ACCESS_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct origin {
    char *text;        /* owned; as browsers write it, without "*." */
    size_t scheme_len; /* up to the host */
    bool is_wide;      /* every host below it, too */
};

struct origins {
    bool has_all; /* "*" is among them */
    size_t count;
    struct origin *items; /* owned */
};

/* Reads a list with commas.  named_only: neither "*" nor "*." is taken.
 * ERR_CONFIG says what is wrong with which, ERR_NOMEM. */
enum err_code origins_parse(const char *text, bool named_only,
                            struct origins *ret_origins, struct err *err) MUST_CHECK;

/* Frees what is inside; fine for a zeroed struct. */
void origins_release(struct origins *origins);

/* Whether a page of this origin is meant.  "null", which a page has that is in a sandbox or
 * in a file, is only with "*". */
bool origins_have(const struct origins *origins, const char *origin);

#endif
