/* http_conf.h -- the settings that every daemon with an HTTP server has: its listeners, the
 * limits of connections and the deadlines of a request.
 *
 * A daemon's struct has a member `http` of this type, and its table takes the rows from the
 * macros below.  Each is given the struct and what differs from daemon to daemon.  The rows
 * come in groups, so that the daemon's own settings can stand between them in --help.
 */
#ifndef SHARED_SETTINGS_HTTP_CONF_H
#define SHARED_SETTINGS_HTTP_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/daemon/conf.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

struct http_peers;
struct networks;

struct http_conf {
    int64_t port;
    char *host;          /* owned, as every text here; "": every address */
    int64_t health_port; /* -1: no listener for health alone */
    char *health_host;
    char *request_wait; /* "park" or "suspend"; NULL: the daemon has no such setting */
    int64_t max_connections;
    int64_t max_connections_per_ip; /* 0: no limit */
    int64_t max_head_bytes;
    int64_t idle_timeout_ms;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t write_timeout_ms;
};

#define HTTP_CONF_LISTEN(owner, port_initial, port_help)                                 \
    CONF_ROW("PORT", CONF_INT, offsetof(owner, http.port), .initial = (port_initial),    \
             .max = 65535, .help = (port_help)),                                         \
        CONF_ROW("HOST", CONF_TEXT, offsetof(owner, http.host), .initial = "",           \
                 .max = 255,                                                             \
                 .help = "Address to listen on; empty: every address, IPv6 and IPv4"),   \
        CONF_ROW("HEALTH_PORT", CONF_INT, offsetof(owner, http.health_port),             \
                 .initial = "-1", .min = -1, .max = 65535,                               \
                 .help =                                                                 \
                     "TCP port of a listener for /healthz, /readyz and /metrics alone, " \
                     "PORT then has no /metrics; 0: any free one; -1: none"),            \
        CONF_ROW("HEALTH_HOST", CONF_TEXT, offsetof(owner, http.health_host),            \
                 .initial = "127.0.0.1", .max = 255,                                     \
                 .help = "Address of that listener; :: is every address, IPv6 and IPv4")

/* Only where a request waits for another server. */
#define HTTP_CONF_WAIT(owner)                                                            \
    CONF_ROW("REQUEST_WAIT", CONF_CHOICE, offsetof(owner, http.request_wait),            \
             .initial = "park", .choices = "park|suspend",                               \
             .help = "Way in which the HTTP library keeps a request that waits")

#define HTTP_CONF_LIMITS(owner, connections_initial, connections_most)                   \
    CONF_ROW("MAX_CONNECTIONS", CONF_INT, offsetof(owner, http.max_connections),         \
             .initial = (connections_initial), .min = 1, .max = (connections_most),      \
             .help = "Open HTTP connections at most; beyond it the one that is "         \
                     "idle longest gives way"),                                          \
        CONF_ROW("MAX_CONNECTIONS_PER_IP", CONF_INT,                                     \
                 offsetof(owner, http.max_connections_per_ip), .initial = "0",           \
                 .max = 1000000,                                                         \
                 .help = "Open connections of one client address (IPv6: /64) at most; "  \
                         "0: no limit"),                                                 \
        CONF_ROW("MAX_HEAD_BYTES", CONF_INT, offsetof(owner, http.max_head_bytes),       \
                 .initial = "16384", .min = 2048, .max = 65536,                          \
                 .help = "Bytes of the request line and headers of a request at most; "  \
                         "beyond it 414 "                                                \
                         "or 431")

#define HTTP_CONF_TIMEOUTS(owner, idle_initial)                                          \
    CONF_ROW(                                                                            \
        "IDLE_TIMEOUT_MS", CONF_INT, offsetof(owner, http.idle_timeout_ms),              \
        .initial = (idle_initial), .min = 100, .max = 3600000,                           \
        .help =                                                                          \
            "Longest time of a connection without a request, in ms; longer than a load " \
            "balancer in front keeps it"),                                               \
        CONF_ROW("HEADER_TIMEOUT_MS", CONF_INT, offsetof(owner, http.header_timeout_ms), \
                 .initial = "5000", .min = 100, .max = 600000,                           \
                 .help = "Longest time from the first byte of a request to its last "    \
                         "header, in ms"),                                               \
        CONF_ROW("BODY_TIMEOUT_MS", CONF_INT, offsetof(owner, http.body_timeout_ms),     \
                 .initial = "10000", .min = 100, .max = 600000,                          \
                 .help = "Longest time from the last header of a request to the end of " \
                         "its body, in ms"),                                             \
        CONF_ROW("WRITE_TIMEOUT_MS", CONF_INT, offsetof(owner, http.write_timeout_ms),   \
                 .initial = "10000", .min = 100, .max = 600000,                          \
                 .help = "Longest time for a client to take its answer, in ms")

/* What the settings say of a server for clients; the daemon fills in the rest. */
struct http_options http_conf_options(const struct http_conf *conf);

/* Likewise of the listener for health. */
struct http_health_options http_conf_health(const struct http_conf *conf);

/* How many connections each of so many servers may take, with `reserved` files for what is no
 * client: MAX_CONNECTIONS, or fewer where the limit of open files is lower. */
int64_t http_conf_connections(const struct http_conf *conf, int64_t servers,
                              int64_t reserved);

/* The limit for one address, which the servers share; NULL in *ret_peers when there is none.
 * `exempt` has no limit and is copied; NULL: nobody.  Errors as http_peers_new(). */
enum err_code http_conf_peers(const struct http_conf *conf, const struct networks *exempt,
                              struct http_peers **ret_peers, struct err *err) MUST_CHECK;

#endif
