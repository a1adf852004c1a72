/* url.h -- REDIS_URL, taken apart.
 *
 *   redis://[user:password@]host[:port][/db]     (password alone: redis://:secret@host)
 *   unix:///path/to/socket[?db=n]                (credentials: unix://user:pw@/path)
 *
 * User and password may be percent-encoded; an IPv6 host stands in brackets.  Pure.
 */
#ifndef SHARED_REDIS_URL_H
#define SHARED_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    REDIS_URL_PART_MAX = 255
};

struct redis_url {
    bool is_unix;
    char host[REDIS_URL_PART_MAX + 1]; /* or the path of the socket */
    uint16_t port;                     /* 6379 unless given */
    char user[REDIS_URL_PART_MAX + 1]; /* "" for none */
    char password[REDIS_URL_PART_MAX + 1];
    int db;
};

/* ERR_CONFIG with a sentence that never has the password in it. */
enum err_code redis_url_parse(const char *text, struct redis_url *ret_url,
                              struct err *err) MUST_CHECK;

#endif
