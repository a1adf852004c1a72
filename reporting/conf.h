/* conf.h -- the settings of the reporting daemon. */
#ifndef REPORTING_CONF_H
#define REPORTING_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/daemon/conf.h"
#include "shared/settings/guard_conf.h"
#include "shared/settings/http_conf.h"
#include "shared/settings/pg_conf.h"

struct reporting_conf {
    struct http_conf http;
    struct pg_conf pg;
    struct guard_conf guard;
    int64_t connections;
    int64_t query_timeout_ms;
    int64_t answers_max_bytes;
    int64_t exports_max;
    int64_t export_timeout_ms;
    int64_t reconnect_max_ms;
    int64_t connection_lifetime_s;
    int64_t queries_waiting_max;
    int64_t raw_connections;
    int64_t raw_query_timeout_ms;
    bool raw_needs_token;
    int64_t shutdown_timeout_ms;
    char *share; /* NULL: run; else print a link to this site */
    char *url;
    char *token;
    char *token_file;
    char *ingestion_url;
    char *cors_origins;
    char *allowed_hosts;
    char *log_level; /* owned */
};

extern const struct conf_program reporting_program;

#endif
