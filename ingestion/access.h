/* access.h -- who may send events, and how many; and what their addresses tell.
 *
 * All of it is off unless it is set: a key (INGEST_KEY), a list of sites (ALLOWED_SITES),
 * limits of events a second for each client address and each site.  The databases of places
 * and of bots are here because they are read again with the rest.  Shared by all loops;
 * nothing in it changes but the buckets of the limits; settings that are read again make a
 * new one, see access_renew().
 */
#ifndef INGESTION_ACCESS_H
#define INGESTION_ACCESS_H

#include <stdbool.h>

#include "shared/base/err.h"

struct access; /* opaque */
struct bots;
struct event;
struct http_request;
struct ingestion_conf;
struct networks;
struct origins;
struct places;

/* ERR_CONFIG with the setting's name, ERR_NOMEM. */
enum err_code access_new(const struct ingestion_conf *conf, struct access **ret_access,
                         struct err *err) MUST_CHECK;
void access_free(struct access *access);

/* A new access with the key and the lists of these settings, and the buckets of the old one,
 * whose limits stay what they were.  Whoever still uses the old one may go on; after that
 * access_retire() frees what is its own (NULL is fine).  Errors as access_new(). */
enum err_code access_renew(const struct access *old, const struct ingestion_conf *conf,
                           struct access **ret_access, struct err *err) MUST_CHECK;
void access_retire(struct access *access);

/* The origins whose pages may send events and read our answers (CORS_ORIGINS). */
const struct origins *access_origins(const struct access *access);

/* Whether a key is asked for. */
bool access_has_key(const struct access *access);

/* Proxies whose word on their clients' addresses is taken (TRUSTED_PROXIES). */
const struct networks *access_proxies(const struct access *access);

/* What drops an event as none of a visitor (IGNORE_IPS, REFERRER_SPAM_FILE), and where an
 * address is (GEOIP_DB, GEOIP_TEXT_DIR). */
const struct bots *access_bots(const struct access *access);
const struct places *access_places(const struct access *access);

/* Each returns 0, or the status to refuse with, and fills err->msg with the sentence:
 * before the body is read (429 address too fast, 401 wrong key), for each further event of a
 * request (429), and when the event is known (403 site not on the list, 429 site too fast). */
unsigned access_check_request(struct access *access, const struct http_request *req,
                              struct err *err) MUST_CHECK;
unsigned access_check_more(struct access *access, const struct http_request *req,
                           struct err *err) MUST_CHECK;
/* The same of the key alone, for a request that needs none otherwise (401, 429). */
unsigned access_check_key(struct access *access, const struct http_request *req,
                          struct err *err) MUST_CHECK;
/* Whether it comes from a page that may send, or does not say from which (403). */
unsigned access_check_origin(const struct access *access, const struct http_request *req,
                             struct err *err) MUST_CHECK;

unsigned access_check_event(struct access *access, const struct event *event,
                            struct err *err) MUST_CHECK;

#endif
