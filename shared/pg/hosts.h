/* hosts.h -- the servers that a connection string names, one by one.
 *
 * libpq walks a list of hosts by itself, but without a time limit for each: a first host
 * that accepts connections and never answers takes all the time there is.  So the list is
 * taken apart here, names resolved, and shared/pg/open.c makes one attempt for each.
 *
 * Everything that libpq would use is considered: the URL or keyword=value words, a service
 * file and the PG... variables of the environment.  Internal to shared/pg.
 */
#ifndef SHARED_PG_HOSTS_H
#define SHARED_PG_HOSTS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    PG_HOSTS_MAX = 32,         /* names, and the addresses that they have */
    PG_HOST_TIME_MIN_MS = 300, /* one of several hosts gets at least this */
    PG_HOST_ADDRESSES_MAX = 8, /* of one name; further ones are left out */
};

/* One address to try. */
struct pg_host {
    char *name;     /* owned; NULL: libpq's default */
    char *address;  /* owned; NULL: none is known, or a socket's folder */
    char *port;     /* owned */
    uint64_t id;    /* the same for the same three, never 0 */
    bool is_silent; /* did not answer in time */
};

struct pg_hosts {
    PQconninfoOption *options; /* owned; all that is in force, hosts included */
    char *sslmode;             /* owned; of options the value is of no use */
    struct pg_host list[PG_HOSTS_MAX];
    size_t count;
};

/* Reads the list and resolves its names, which may block.  A name that does not resolve is
 * left to libpq, which says why.  ERR_CONFIG; ERR_NOMEM.  Release in any case. */
enum err_code pg_hosts_load(struct pg_hosts *hosts, const char *url,
                            struct err *err) MUST_CHECK;

void pg_hosts_release(struct pg_hosts *hosts);

/* Shuffles the list if wanted, then puts the host with that id first, if it is there. */
void pg_hosts_order(struct pg_hosts *hosts, uint64_t first_id, bool shuffles);

/* The value of an option; NULL when it has none. */
const char *pg_hosts_option(const struct pg_hosts *hosts, const char *keyword);

/* How long an attempt may take when so many attempts have to share left_ms. */
int64_t pg_host_time_ms(int64_t left_ms, size_t attempts);

#endif
