/* conf.c -- see conf.h. */
#include "ingestion/conf.h"

#include <stddef.h>

#include "shared/conf.h"
#include "shared/event.h"
#include "shared/secret.h"

#define FIELD(field) offsetof(struct ingestion_conf, field)

static const struct conf_item items[] = {
    {"PORT", CONF_INT, FIELD(port), "3000", 0, 65535, NULL,
     "TCP port of POST /event; 0 lets the system choose"},
    {"HOST", CONF_TEXT, FIELD(host), "", 0, 255, NULL,
     "address to listen on; empty is every address, IPv6 and IPv4"},
    {"REDIS_URL", CONF_URL, FIELD(redis_url), "redis://127.0.0.1:6379", 0, 1024, NULL,
     "queue: redis://[user:password@]host:port[/db] or unix:///path"},
    {"INGEST_THREADS", CONF_INT, FIELD(ingest_threads), "0", 0, 64, NULL,
     "event loops; 0 is one for each core"},
    {"ENQUEUE_TIMEOUT_MS", CONF_INT, FIELD(enqueue_timeout_ms), "2000", 100, 60000, NULL,
     "a request that Redis has not confirmed by then has been answered 503"},
    {"REDIS_TIMEOUT_MS", CONF_INT, FIELD(redis_timeout_ms), "1000", 50, 60000, NULL,
     "a Redis that does not answer for so long is connected to anew"},
    {"GROUP_MAX_EVENTS", CONF_INT, FIELD(group_max_events), "1000", 1, 10000, NULL,
     "events sent to Redis in one LPUSH at most"},
    {"GROUPS_IN_FLIGHT", CONF_INT, FIELD(groups_in_flight), "1", 1, 64, NULL,
     "groups that may wait for Redis's reply at the same time, for each loop"},
    {"PENDING_MAX_BYTES", CONF_INT, FIELD(pending_max_bytes), "16777216", 1048576,
     1073741824, NULL,
     "events that wait for Redis, for each loop; beyond it 503 at once"},
    {"REQUEST_WAIT", CONF_CHOICE, FIELD(request_wait), "park", 0, 0, "park|suspend",
     "how the HTTP library keeps a request that waits"},
    {"MAX_CONNECTIONS", CONF_INT, FIELD(max_connections), "10000", 1, 1000000, NULL,
     "open connections, over all loops; more wait to be accepted"},
    {"CONNECTION_BYTES", CONF_INT, FIELD(connection_bytes), "12288", 4096, 32768, NULL,
     "memory for the request line and headers of a connection; beyond it 414 or 431"},
    {"MAX_BODY_BYTES", CONF_INT, FIELD(max_body_bytes), "102400", 1024, EVENT_BODY_MAX,
     NULL, "body of a request after decoding; beyond it 413"},
    {"MAX_DRAIN_BYTES", CONF_INT, FIELD(max_drain_bytes), "16777216", 0, 1073741824, NULL,
     "of a refused body, read and thrown away so that the client reads its answer"},
    {"IDLE_TIMEOUT_MS", CONF_INT, FIELD(idle_timeout_ms), "15000", 100, 3600000, NULL,
     "a connection without a request is closed then"},
    {"HEADER_TIMEOUT_MS", CONF_INT, FIELD(header_timeout_ms), "5000", 100, 600000, NULL,
     "from the request line to the last header"},
    {"BODY_TIMEOUT_MS", CONF_INT, FIELD(body_timeout_ms), "10000", 100, 600000, NULL,
     "from the last header to the end of the body"},
    {"WRITE_TIMEOUT_MS", CONF_INT, FIELD(write_timeout_ms), "10000", 100, 600000, NULL,
     "to take an answer"},
    {"SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms), "4000", 100, 60000,
     NULL, "after SIGTERM, to answer what is under way"},
    {"INGEST_KEY", CONF_SECRET, FIELD(ingest_key), "", 0, SECRET_MAX, NULL,
     "key that POST /event must bring as Authorization: Bearer; empty asks for none"},
    {"INGEST_KEY_FILE", CONF_TEXT, FIELD(ingest_key_file), "", 0, 4096, NULL,
     "file whose first line is that key, in place of INGEST_KEY"},
    {"ALLOWED_SITES", CONF_TEXT, FIELD(allowed_sites), "", 0, 65536, NULL,
     "site_ids that are taken, separated by commas; empty takes all"},
    {"CORS_ORIGINS", CONF_TEXT, FIELD(cors_origins), "*", 0, 8192, NULL,
     "origins whose pages may read the answers, separated by commas; * is all"},
    {"RATE_LIMIT_PER_IP", CONF_INT, FIELD(rate_limit_per_ip), "0", 0, 1000000, NULL,
     "events a second from one client address (IPv6: /64), then 429; 0 is no limit"},
    {"RATE_LIMIT_PER_SITE", CONF_INT, FIELD(rate_limit_per_site), "0", 0, 10000000, NULL,
     "events a second of one site_id, then 429; 0 is no limit"},
    {"RATE_LIMIT_BURST_SECONDS", CONF_INT, FIELD(rate_limit_burst_seconds), "2", 1, 3600,
     NULL, "a client or site that was idle may send so many seconds' worth at once"},
    {"RATE_LIMIT_MAX_KEYS", CONF_INT, FIELD(rate_limit_max_keys), "65536", 8, 16777216,
     NULL, "addresses, and sites, that are remembered for the limits"},
    {"TRUSTED_PROXIES", CONF_TEXT, FIELD(trusted_proxies), "", 0, 4096, NULL,
     "addresses or networks, by commas, whose X-Forwarded-For is believed"},
    {"LOG_LEVEL", CONF_CHOICE, FIELD(log_level), "info", 0, 0, "debug|info|warn|error",
     "lowest level that is logged"},
    {.name = NULL},
};

const struct conf_program ingestion_program = {
    .name = "ingestion",
    .summary = "takes events over HTTP and puts them on the Redis queue",
    .items = items,
};
