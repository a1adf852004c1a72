/* forwarded.h -- the client of trusted proxies, by the list that they write.
 *
 * Each proxy adds the address that it sees at the end of X-Forwarded-For, or of RFC 7239's
 * Forwarded.  So the list is read from its end, one entry for each proxy that is trusted;
 * what is in front of them may be made up.  Pure.
 */
#ifndef SHARED_ACCESS_FORWARDED_H
#define SHARED_ACCESS_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/access/address.h"

enum forwarded_form {
    FORWARDED_LIST,  /* X-Forwarded-For: 192.0.2.1, 198.51.100.2 */
    FORWARDED_PAIRS, /* Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]:4711" */
};

struct forwarded {
    enum forwarded_form form;
    const char *bytes;
    size_t len;
};

/* The last address in the list that is not a trusted proxy's, provided the peer itself is
 * one; else the peer.  *ret_is_read is false when an entry that a trusted proxy has written
 * is no address: then it is the address of that proxy. */
struct address forwarded_client(const struct forwarded *list, const struct address *peer,
                                const struct networks *trusted, bool *ret_is_read);

#endif
