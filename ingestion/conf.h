/* conf.h -- the settings of ingestion; the table in conf.c is what --help prints. */
#ifndef INGESTION_CONF_H
#define INGESTION_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/daemon/conf.h"
#include "shared/settings/guard_conf.h"
#include "shared/settings/http_conf.h"
#include "shared/settings/redis_conf.h"

struct ingestion_conf {
    struct http_conf http;
    struct redis_conf redis;
    struct guard_conf guard;
    int64_t ingest_threads; /* 0: number of cores */
    int64_t enqueue_timeout_ms;
    bool redis_confirms_write;
    int64_t group_max_events;
    int64_t groups_in_flight;
    int64_t group_linger_ms;
    int64_t group_poll_us;
    int64_t pending_max_bytes;
    int64_t queue_max_events; /* 0: no cap */
    char *spool_dir;          /* "": no spool */
    int64_t spool_max_bytes;
    int64_t spool_segment_bytes;
    int64_t max_body_bytes;
    int64_t max_batch_events;
    int64_t max_batch_bytes;
    int64_t bodies_max_bytes;
    int64_t max_drain_bytes;
    int64_t shutdown_timeout_ms;
    char *ingest_key;
    char *ingest_key_file;
    int64_t timestamp_ahead_max_s;
    int64_t visitor_day_starts_utc; /* an hour */
    bool respect_gpc;
    char *tracker_path;
    char *collect_path;
    char *pixel_path;
    char *url_query_keys;
    char *allowed_sites;
    char *geoip_db;       /* "": none */
    char *geoip_text_dir; /* "": none */
    char *country_header; /* "": none */
    char *ignore_ips;
    char *referrer_spam_file; /* "": none */
    int64_t agent_cache_entries;
    char *cors_origins;
    int64_t rate_limit_per_site;
    char *log_level;
};

extern const struct conf_program ingestion_program;

#endif
