/* guard_conf.h -- the settings of a daemon that limits how fast a client may ask.  As
 * http_conf.h has it: a member `guard` of the daemon's struct, and the rows by macro. */
#ifndef SHARED_SETTINGS_GUARD_CONF_H
#define SHARED_SETTINGS_GUARD_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "shared/daemon/conf.h"
#include "shared/http/guard.h"

struct guard_conf {
    int64_t per_ip;      /* requests a second; 0: no limit */
    int64_t per_network; /* 0: a multiple of per_ip */
    int64_t burst_seconds;
    int64_t max_keys;
    int64_t wrong_keys;    /* a second; 0: no limit */
    char *trusted_proxies; /* owned */
};

#define GUARD_CONF_RATES(owner)                                                          \
    CONF_ROW(                                                                            \
        "RATE_LIMIT_PER_IP", CONF_INT, offsetof(owner, guard.per_ip), .initial = "0",    \
        .max = 1000000,                                                                  \
        .help =                                                                          \
            "Requests a second of one client address (IPv6: /64) at most, then 429; 0: " \
            "no limit"),                                                                 \
        CONF_ROW("RATE_LIMIT_PER_NETWORK", CONF_INT, offsetof(owner, guard.per_network), \
                 .initial = "0", .max = 10000000,                                        \
                 .help =                                                                 \
                     "Requests a second of one IPv6 /48 at most, then 429; 0: 16 times " \
                     "RATE_LIMIT_PER_IP")

#define GUARD_CONF_CLIENTS(owner)                                                        \
    CONF_ROW(                                                                            \
        "RATE_LIMIT_BURST_SECONDS", CONF_INT, offsetof(owner, guard.burst_seconds),      \
        .initial = "2", .min = 1, .max = 3600,                                           \
        .help =                                                                          \
            "Burst that a limit allows after an idle time, in seconds of that limit"),   \
        CONF_ROW("RATE_LIMIT_MAX_KEYS", CONF_INT, offsetof(owner, guard.max_keys),       \
                 .initial = "65536", .min = 8, .max = 16777216,                          \
                 .help = "Addresses, networks or sites that each limit remembers"),      \
        CONF_ROW(                                                                        \
            "RATE_LIMIT_WRONG_KEYS", CONF_INT, offsetof(owner, guard.wrong_keys),        \
            .initial = "10", .max = 1000000,                                             \
            .help = "Wrong keys a second of one client address (IPv6: /64) at most, 20 " \
                    "times as many at once, then 429 to any; 0: no limit"),              \
        CONF_ROW(                                                                        \
            "TRUSTED_PROXIES", CONF_TEXT, offsetof(owner, guard.trusted_proxies),        \
            .initial = "", .max = 4096,                                                  \
            .help =                                                                      \
                "Addresses or networks, separated by commas, whose X-Forwarded-For or "  \
                "Forwarded header is believed")

/* What the settings say of a guard; the daemon fills in its key and its hosts. */
struct guard_options guard_conf_options(const struct guard_conf *conf);

#endif
