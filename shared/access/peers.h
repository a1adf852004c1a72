/* peers.h -- how many connections each client address has, over all servers of a process.
 *
 * Addresses are IPv4 addresses and IPv6 networks of 64 bits, which is what one client may
 * vary at will.  Those of some networks (trusted proxies) are counted and never too many.
 *
 * Thread-safe.
 */
#ifndef SHARED_ACCESS_PEERS_H
#define SHARED_ACCESS_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct address;
struct http_peer;  /* opaque: an address with connections, one for all of them */
struct http_peers; /* opaque */
struct networks;

/* At most max_each connections of one address; `connections` is how many there may be in
 * all.  ERR_NOMEM, ERR_UNAVAILABLE (no entropy). */
enum err_code http_peers_new(int64_t max_each, int64_t connections,
                             struct http_peers **ret_peers, struct err *err) MUST_CHECK;
void http_peers_free(struct http_peers *peers); /* NULL is fine */

/* The networks that have no limit from now on; copied. */
void http_peers_exempt(struct http_peers *peers, const struct networks *networks);

/* Counts a connection; *ret_is_over tells that its address now has too many.  Returns what
 * http_peers_leave() takes; NULL when memory ran out, then the connection is not counted and
 * not over. */
struct http_peer *http_peers_enter(struct http_peers *peers,
                                   const struct address *address, bool *ret_is_over);
void http_peers_leave(struct http_peers *peers, struct http_peer *peer);

#endif
