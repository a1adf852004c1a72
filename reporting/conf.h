/* conf.h -- the settings of the reporting daemon. */
#ifndef REPORTING_CONF_H
#define REPORTING_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/daemon/conf.h"

struct reporting_conf {
    int64_t port;
    int64_t health_port; /* -1: none */
    char *health_host;
    char *host;         /* owned */
    char *database_url; /* owned */
    char *database_url_file;
    int64_t connections;
    int64_t query_timeout_ms;
    int64_t connect_timeout_ms;
    int64_t reconnect_max_ms;
    int64_t connection_lifetime_s;
    int64_t queries_waiting_max;
    int64_t raw_connections;
    int64_t raw_query_timeout_ms;
    bool raw_needs_token;
    char *request_wait; /* owned */
    int64_t max_connections;
    int64_t max_connections_per_ip; /* 0: no limit */
    int64_t max_head_bytes;
    int64_t idle_timeout_ms;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t write_timeout_ms;
    int64_t shutdown_timeout_ms;
    char *token;
    char *token_file;
    char *cors_origins;
    char *allowed_hosts;
    int64_t rate_limit_per_ip;
    int64_t rate_limit_per_network;
    int64_t rate_limit_burst_seconds;
    int64_t rate_limit_max_keys;
    char *trusted_proxies;
    char *log_level; /* owned */
};

extern const struct conf_program reporting_program;

#endif
