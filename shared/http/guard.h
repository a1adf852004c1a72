/* guard.h -- who may ask, and how often: judged by the headers, before a byte of the body.
 *
 * In this order: the Host, the address's limit, the key.  So an address that tries keys pays
 * for each of them.  All of it is off unless it is set, but for the Host of a server without
 * a key that is asked by way of 127.0.0.1, and for the limit of wrong keys: an address that
 * has brought too many has its keys not looked at for a while.  One that has brought the right
 * one is free of that for an hour, so that a stranger behind the same proxy keeps nobody out.
 * Shared by all loops; nothing in it changes but the buckets of the limits.
 */
#ifndef SHARED_HTTP_GUARD_H
#define SHARED_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct guard; /* opaque */
struct http_request;
struct networks;

struct guard_options {
    const char *key_setting; /* "INGEST_KEY", for messages */
    const char *key;         /* "" with key_file: none is asked for */
    const char *key_file;
    const char *trusted_proxies; /* whose X-Forwarded-For or Forwarded is believed */
    const char *allowed_hosts;   /* NULL: no Host is looked at; "": the default */
    int64_t per_address;         /* requests a second; IPv6 by /64; 0: no limit */
    int64_t per_network; /* likewise of an IPv6 /48; 0: GUARD_NETWORK_TIMES as many */
    int64_t burst_seconds;
    int64_t max_keys;   /* addresses that are remembered */
    int64_t wrong_keys; /* a second of one address, IPv6 by /64 and /48; 0: no limit */

    /* Called once, when the address that a trusted proxy has written cannot be read. */
    void (*on_unreadable)(void);
};

enum {
    GUARD_NETWORK_TIMES = 16 /* clients that an IPv6 /48 counts for unless it is set */
};

/* The options are read, not kept.  With an old guard (NULL: none) the new one takes over its
 * buckets, and its limits stay what they were; whoever still uses the old one may go on,
 * until guard_retire() frees what is its own.  ERR_CONFIG with the setting's name,
 * ERR_NOMEM. */
enum err_code guard_new(const struct guard_options *options, const struct guard *old,
                        struct guard **ret_guard, struct err *err) MUST_CHECK;

/* Both take NULL. */
void guard_retire(struct guard *guard);
void guard_free(struct guard *guard);

/* Networks whose word on their clients' addresses is taken. */
const struct networks *guard_proxies(const struct guard *guard);

/* Whether a key is asked for. */
bool guard_has_key(const struct guard *guard);

/* The key that is asked for, or NULL. */
const char *guard_key(const struct guard *guard);

/* Whether a key is asked for, and the request has it. */
bool guard_is_keyed(const struct guard *guard, const struct http_request *req);

/* Returns 0, or the status to refuse with (403 wrong Host, 429 address too fast, or with too
 * many wrong keys, 401 wrong key), and fills err->msg with the sentence.  After 401 the caller
 * says by guard_note_wrong() that the key is none of another kind either. */
unsigned guard_check(struct guard *guard, const struct http_request *req,
                     struct err *err) MUST_CHECK;

/* The same of the key alone: 0, 401 or 429. */
unsigned guard_check_key(struct guard *guard, const struct http_request *req,
                         struct err *err) MUST_CHECK;

/* The request has brought a wrong key, or none. */
void guard_note_wrong(struct guard *guard, const struct http_request *req);

/* Whether the address's limit has room for one thing more, for a request that was let in and
 * brings several: 0, or 429. */
unsigned guard_check_more(struct guard *guard, const struct http_request *req,
                          struct err *err) MUST_CHECK;

#endif
