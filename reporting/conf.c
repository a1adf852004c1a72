/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "reporting/conf.h"

#include <stddef.h>

#include "shared/http/secret.h"

#define FIELD(field) offsetof(struct reporting_conf, field)

static const struct conf_item items[] = {
    {"PORT", CONF_INT, FIELD(port), "4000", 0, 65535, NULL,
     "TCP port of GET /stats; 0 lets the system choose"},
    {"HOST", CONF_TEXT, FIELD(host), "", 0, 255, NULL,
     "address to listen on; empty is every address, IPv6 and IPv4"},
    {"HEALTH_PORT", CONF_INT, FIELD(health_port), "-1", -1, 65535, NULL,
     "port for /healthz, /readyz and /metrics alone; PORT then has no /metrics; "
     "0 lets the system choose; -1 is none"},
    {"HEALTH_HOST", CONF_TEXT, FIELD(health_host), "127.0.0.1", 0, 255, NULL,
     "address of that listener; :: is every address, IPv6 and IPv4"},
    {"DATABASE_URL", CONF_URL, FIELD(database_url),
     "postgresql://127.0.0.1:5432/analytics", 0, 4096, NULL,
     "Postgres: a URL, or keyword=value words, as libpq takes them"},
    {"DATABASE_URL_FILE", CONF_TEXT, FIELD(database_url_file), "", 0, 4096, NULL,
     "file whose first line is that URL, in place of DATABASE_URL"},
    {"REPORTING_CONNECTIONS", CONF_INT, FIELD(connections), "4", 1, 64, NULL,
     "connections to Postgres, each with one query at a time"},
    {"QUERY_TIMEOUT_MS", CONF_INT, FIELD(query_timeout_ms), "1500", 50, 600000, NULL,
     "a request that Postgres has not answered by then has been answered 503"},
    {"CONNECT_TIMEOUT_MS", CONF_INT, FIELD(connect_timeout_ms), "1500", 50, 60000, NULL,
     "an attempt to connect to Postgres is given up then"},
    {"RECONNECT_MAX_MS", CONF_INT, FIELD(reconnect_max_ms), "1000", 10, 60000, NULL,
     "longest pause between two attempts to connect to Postgres"},
    {"CONNECTION_LIFETIME_S", CONF_INT, FIELD(connection_lifetime_s), "600", 0, 86400,
     NULL, "a connection to Postgres is made anew then, more or less a fifth; 0: never"},
    {"QUERIES_WAITING_MAX", CONF_INT, FIELD(queries_waiting_max), "1000", 1, 100000, NULL,
     "different queries that may wait for a connection; beyond it 503 at once"},
    {"REQUEST_WAIT", CONF_CHOICE, FIELD(request_wait), "park", 0, 0, "park|suspend",
     "how the HTTP library keeps a request that waits"},
    {"MAX_CONNECTIONS", CONF_INT, FIELD(max_connections), "1000", 1, 1000000, NULL,
     "open HTTP connections; beyond it the one that is idle longest gives way"},
    {"MAX_CONNECTIONS_PER_IP", CONF_INT, FIELD(max_connections_per_ip), "0", 0, 1000000,
     NULL, "open connections of one client address (IPv6: /64); 0 is no limit"},
    {"CONNECTION_BYTES", CONF_INT, FIELD(connection_bytes), "24576", 4096, 32768, NULL,
     "memory for the request line and headers of a connection; beyond it 414 or 431"},
    {"IDLE_TIMEOUT_MS", CONF_INT, FIELD(idle_timeout_ms), "620000", 100, 3600000, NULL,
     "a connection without a request is closed then; longer than a load balancer keeps "
     "it"},
    {"HEADER_TIMEOUT_MS", CONF_INT, FIELD(header_timeout_ms), "5000", 100, 600000, NULL,
     "from the request line to the last header"},
    {"BODY_TIMEOUT_MS", CONF_INT, FIELD(body_timeout_ms), "10000", 100, 600000, NULL,
     "from the last header to the end of the body"},
    {"WRITE_TIMEOUT_MS", CONF_INT, FIELD(write_timeout_ms), "10000", 100, 600000, NULL,
     "to take an answer"},
    {"SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms), "4000", 100, 60000,
     NULL, "after SIGTERM, to answer what is under way"},
    {"REPORTING_TOKEN", CONF_SECRET, FIELD(token), "", 0, SECRET_MAX, NULL,
     "token that GET /stats must bring as Authorization: Bearer; empty asks for none"},
    {"REPORTING_TOKEN_FILE", CONF_TEXT, FIELD(token_file), "", 0, 4096, NULL,
     "file whose first line is that token, in place of REPORTING_TOKEN"},
    {"REPORTING_CORS_ORIGINS", CONF_TEXT, FIELD(cors_origins), "", 0, 8192, NULL,
     "origins whose pages may read the answers, by commas; empty is none"},
    {"ALLOWED_HOSTS", CONF_TEXT, FIELD(allowed_hosts), "", 0, 8192, NULL,
     "names that a Host may have, by commas (*.a.example); addresses and localhost "
     "always may"},
    {"RATE_LIMIT_PER_IP", CONF_INT, FIELD(rate_limit_per_ip), "0", 0, 1000000, NULL,
     "requests a second from one client address (IPv6: /64), then 429; 0 is no limit"},
    {"RATE_LIMIT_PER_NETWORK", CONF_INT, FIELD(rate_limit_per_network), "0", 0, 10000000,
     NULL, "the same from one IPv6 /48; 0 is 16 times RATE_LIMIT_PER_IP"},
    {"RATE_LIMIT_BURST_SECONDS", CONF_INT, FIELD(rate_limit_burst_seconds), "2", 1, 3600,
     NULL, "a client that was idle may send so many seconds' worth at once"},
    {"RATE_LIMIT_MAX_KEYS", CONF_INT, FIELD(rate_limit_max_keys), "65536", 8, 16777216,
     NULL, "addresses that are remembered for the limits"},
    {"TRUSTED_PROXIES", CONF_TEXT, FIELD(trusted_proxies), "", 0, 4096, NULL,
     "addresses or networks, by commas, whose X-Forwarded-For or Forwarded is believed"},
    {"LOG_LEVEL", CONF_CHOICE, FIELD(log_level), "info", 0, 0, "debug|info|warn|error",
     "lowest level that is logged"},
    {.name = NULL},
};

const struct conf_program reporting_program = {
    .name = "reporting",
    .summary = "answers GET /stats from the rollups in Postgres",
    .items = items,
};
