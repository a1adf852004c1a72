/* conf.h -- the settings of the processor; conf.c has the table of them. */
#ifndef PROCESSOR_CONF_H
#define PROCESSOR_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/daemon/conf.h"
#include "shared/settings/http_conf.h"
#include "shared/settings/pg_conf.h"
#include "shared/settings/redis_conf.h"

struct processor_conf {
    struct http_conf http;
    struct redis_conf redis;
    struct pg_conf pg;
    int64_t workers;
    int64_t batch_max;
    int64_t batch_max_bytes;
    int64_t batch_pause_ms;
    int64_t lease_ms;
    int64_t retry_base_ms;
    int64_t retry_max_ms;
    int64_t halt_retry_ms;
    int64_t statement_timeout_ms;
    int64_t lock_timeout_ms;
    int64_t rollup_poll_ms;
    int64_t rollup_lag_max_ms;
    int64_t rollup_pause_times;
    int64_t rollup_max_rows;
    int64_t rollup_chunk_ms;
    int64_t rollup_max_bytes;
    int64_t rollup_timeout_ms;
    int64_t sites_max;
    int64_t rollup_values_max;
    int64_t rollup_hours_days;
    int64_t partition_months_back;
    int64_t partition_months_ahead;
    int64_t retention_months;
    bool has_paths_index;
    int64_t upkeep_interval_ms;
    int64_t salts_poll_ms;
    int64_t log_jobs_max;
    char *log_level;
    int64_t shutdown_timeout_ms;
    bool migrate;
};

extern const struct conf_program processor_program;

#endif
