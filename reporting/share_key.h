/* share_key.h -- keys that read one site's figures, for links that are passed on.
 *
 *   <32 hexadecimal digits>.<site_id>
 *
 * The digits are an HMAC-SHA-256 of the site_id under REPORTING_TOKEN, cut to 128 bits, so
 * nothing is stored, and all keys end when the token changes.  In the site_id what is neither
 * a letter, a digit, - nor _ is written as ~ and two hexadecimal digits.
 */
#ifndef REPORTING_SHARE_KEY_H
#define REPORTING_SHARE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct buf;
struct query;

enum {
    /* A token that is shorter could be found by trying, with a key to try it on. */
    SHARE_TOKEN_MIN = 32,
    SHARE_SITE_MAX = 1020 /* bytes: 255 characters of four */
};

/* Appends the key of a site.  ERR_CONFIG when the token is NULL or too short. */
enum err_code share_key_add(const char *token, const char *site_id, struct buf *out,
                            struct err *err) MUST_CHECK;

/* Whether a key is one of those under the token (NULL: there are none); then its site stands
 * in ret_site_id. */
bool share_key_read(const char *token, const char *key,
                    char ret_site_id[SHARE_SITE_MAX + 1]);

/* Whether such a key may ask this of that site.  ERR_DENIED. */
enum err_code share_check_query(const char *site_id, const struct query *query,
                                struct err *err) MUST_CHECK;

/* Appends <base>/site/<site_id>#key=<key>.  Errors as share_key_add(). */
enum err_code share_add_link(const char *token, const char *base, const char *site_id,
                             struct buf *out, struct err *err) MUST_CHECK;

#endif
