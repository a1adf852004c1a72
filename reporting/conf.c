/* conf.c -- see conf.h; shared/conf.h says how the table is read. */
#include "reporting/conf.h"

#include <stddef.h>

#define FIELD(name) offsetof(struct reporting_conf, name)

static const struct conf_item items[] = {
    {"PORT", CONF_INT, FIELD(port), "4000", 0, 65535, NULL,
     "port of HTTP; 0: any free one"},
    {"HOST", CONF_TEXT, FIELD(host), "", 0, 255, NULL,
     "address to listen on; empty: all of IPv4 and IPv6"},
    {"DATABASE_URL", CONF_URL, FIELD(database_url),
     "postgresql://127.0.0.1:5432/analytics", 0, 4096, NULL,
     "Postgres: a URL or words that libpq takes"},
    {"REPORTING_CONNECTIONS", CONF_INT, FIELD(connections), "4", 1, 64, NULL,
     "connections to Postgres, each running one query at a time"},
    {"QUERY_TIMEOUT_MS", CONF_INT, FIELD(query_timeout_ms), "1800", 50, 600000, NULL,
     "longest wait for an answer of Postgres, then 503"},
    {"CONNECT_TIMEOUT_MS", CONF_INT, FIELD(connect_timeout_ms), "1500", 50, 60000, NULL,
     "longest attempt to connect to Postgres"},
    {"RECONNECT_MAX_MS", CONF_INT, FIELD(reconnect_max_ms), "1000", 10, 60000, NULL,
     "longest pause between attempts to connect"},
    {"QUERIES_WAITING_MAX", CONF_INT, FIELD(queries_waiting_max), "1000", 1, 100000, NULL,
     "different queries waiting for a connection, one more is 503"},
    {"LOG_LEVEL", CONF_CHOICE, FIELD(log_level), "info", 0, 0, "debug|info|warn|error",
     "lowest level that is logged"},
    {"MAX_CONNECTIONS", CONF_INT, FIELD(max_connections), "1000", 1, 100000, NULL,
     "HTTP connections open at once"},
    {"IDLE_TIMEOUT_MS", CONF_INT, FIELD(idle_timeout_ms), "15000", 100, 3600000, NULL,
     "longest idle time of an HTTP connection"},
    {"HEADER_TIMEOUT_MS", CONF_INT, FIELD(header_timeout_ms), "5000", 100, 600000, NULL,
     "longest time from request line to last header"},
    {"BODY_TIMEOUT_MS", CONF_INT, FIELD(body_timeout_ms), "10000", 100, 600000, NULL,
     "longest time from last header to the end of the body"},
    {"WRITE_TIMEOUT_MS", CONF_INT, FIELD(write_timeout_ms), "10000", 100, 600000, NULL,
     "longest time for a client to take its answer"},
    {"SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms), "4000", 0, 600000, NULL,
     "time for requests under way after SIGTERM"},
    {0},
};

const struct conf_program reporting_program = {
    .name = "reporting",
    .summary = "answers GET /stats from Postgres",
    .items = items,
};
