/* conf.h -- the settings of ingestion; the table in conf.c is what --help prints. */
#ifndef INGESTION_CONF_H
#define INGESTION_CONF_H

#include <stdbool.h>
#include <stdint.h>

struct conf_program;

struct ingestion_conf {
    int64_t port;
    int64_t health_port; /* -1: none */
    char *health_host;
    char *host;
    char *redis_url;
    char *redis_url_file;
    int64_t ingest_threads; /* 0: number of cores */
    int64_t enqueue_timeout_ms;
    int64_t redis_timeout_ms;
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
    char *request_wait; /* "park" or "suspend" */
    int64_t max_connections;
    int64_t max_connections_per_ip; /* 0: no limit */
    int64_t max_head_bytes;
    int64_t max_body_bytes;
    int64_t bodies_max_bytes;
    int64_t max_drain_bytes;
    int64_t idle_timeout_ms;
    int64_t header_timeout_ms;
    int64_t body_timeout_ms;
    int64_t write_timeout_ms;
    int64_t shutdown_timeout_ms;
    char *ingest_key;
    char *ingest_key_file;
    int64_t timestamp_ahead_max_s;
    char *allowed_sites;
    char *cors_origins;
    int64_t rate_limit_per_ip;
    int64_t rate_limit_per_network;
    int64_t rate_limit_per_site;
    int64_t rate_limit_burst_seconds;
    int64_t rate_limit_max_keys;
    char *trusted_proxies;
    char *log_level;
};

extern const struct conf_program ingestion_program;

#endif
