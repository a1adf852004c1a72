/* hosts.h -- the names by which a server may be asked (the Host header).
 *
 * A page can have its own name resolve to 127.0.0.1 and then read, as its own origin, what a
 * server there answers ("DNS rebinding").  Its requests still name the page's host.  So a
 * Host that is an address, localhost or a name without a dot is always right, for no stranger
 * can own it; any other has to be on the list.  Pure.
 */
#ifndef SHARED_ACCESS_HOSTS_H
#define SHARED_ACCESS_HOSTS_H

#include <stdbool.h>

#include "shared/base/err.h"
#include "shared/text/words.h"

struct hosts {
    bool has_all; /* "*" is among them */
    struct words names;
};

/* Reads a list with commas of names such as stats.example, *.stats.example (that name and
 * those below it) or *.  ERR_CONFIG names the word, ERR_NOMEM. */
enum err_code hosts_parse(const char *text, struct hosts *ret_hosts,
                          struct err *err) MUST_CHECK;

/* Frees what is inside; fine for a zeroed struct. */
void hosts_release(struct hosts *hosts);

/* Whether a request with this Host (with or without a port) is for us. */
bool hosts_have(const struct hosts *hosts, const char *host);

#endif
