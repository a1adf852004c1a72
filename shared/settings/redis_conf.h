/* redis_conf.h -- the settings of a daemon that talks to Redis.  As http_conf.h has it: a
 * member `redis` of the daemon's struct, and the rows by macro. */
#ifndef SHARED_SETTINGS_REDIS_CONF_H
#define SHARED_SETTINGS_REDIS_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "shared/daemon/conf.h"

struct redis_conf {
    char *url; /* owned, as every text here */
    char *url_file;
    int64_t timeout_ms;
};

#define REDIS_CONF_URL(owner)                                                            \
    CONF_ROW("REDIS_URL", CONF_URL, offsetof(owner, redis.url),                          \
             .initial = "redis://127.0.0.1:6379", .max = 1024,                           \
             .help = "Redis with the queue: redis://[user:password@]host:port[/db] or "  \
                     "unix:///path"),                                                    \
        CONF_ROW("REDIS_URL_FILE", CONF_TEXT, offsetof(owner, redis.url_file),           \
                 .initial = "", .max = 4096,                                             \
                 .help = "File whose first line is that URL, in place of REDIS_URL")

#define REDIS_CONF_TIMEOUT(owner, timeout_initial, timeout_least)                        \
    CONF_ROW("REDIS_TIMEOUT_MS", CONF_INT, offsetof(owner, redis.timeout_ms),            \
             .initial = (timeout_initial), .min = (timeout_least), .max = 60000,         \
             .help =                                                                     \
                 "Longest wait for Redis to connect or to answer, in ms; then a new "    \
                 "connection is made")

#endif
