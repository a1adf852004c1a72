/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "reporting/conf.h"

#include <stddef.h>

#include "reporting/share_key.h"
#include "shared/access/secret.h"

#define FIELD(field) offsetof(struct reporting_conf, field)

static const struct conf_item items[] = {
    HTTP_CONF_LISTEN(struct reporting_conf, "4000",
                     "TCP port of GET /stats; 0: any free one"),
    PG_CONF_URL(struct reporting_conf),
    CONF_ROW("REPORTING_CONNECTIONS", CONF_INT, FIELD(connections), .initial = "4",
             .min = 1, .max = 64,
             .help = "Connections to Postgres, each with one query at a time"),
    CONF_ROW("QUERY_TIMEOUT_MS", CONF_INT, FIELD(query_timeout_ms), .initial = "1500",
             .min = 50, .max = 600000,
             .help = "Longest wait of a request for the answer of Postgres, in ms; "
                     "then 503"),
    PG_CONF_CONNECT(struct reporting_conf, "1500"),
    CONF_ROW("RECONNECT_MAX_MS", CONF_INT, FIELD(reconnect_max_ms), .initial = "1000",
             .min = 10, .max = 60000,
             .help = "Longest pause between two attempts to connect to Postgres, "
                     "in ms"),
    CONF_ROW("CONNECTION_LIFETIME_S", CONF_INT, FIELD(connection_lifetime_s),
             .initial = "600", .max = 86400,
             .help = "Age at which a connection to Postgres is made anew, in s, "
                     "varied by up to a fifth; 0: never"),
    CONF_ROW("QUERIES_WAITING_MAX", CONF_INT, FIELD(queries_waiting_max),
             .initial = "1000", .min = 1, .max = 100000,
             .help = "Different queries that may wait for a connection; beyond it "
                     "503 at once"),
    CONF_ROW("RAW_CONNECTIONS", CONF_INT, FIELD(raw_connections), .initial = "2",
             .min = 1, .max = 16,
             .help = "Connections to Postgres for queries of raw events "
                     "(exact=true, filters beyond the counts), besides the others"),
    CONF_ROW("RAW_QUERY_TIMEOUT_MS", CONF_INT, FIELD(raw_query_timeout_ms),
             .initial = "1500", .min = 50, .max = 600000,
             .help = "Longest wait of a query of raw events for the answer of "
                     "Postgres, in ms; then 503"),
    CONF_ROW("RAW_NEEDS_TOKEN", CONF_BOOL, FIELD(raw_needs_token), .initial = "false",
             .help = "Whether raw events are answered only with REPORTING_TOKEN; "
                     "without one, to nobody"),
    CONF_ROW("ANSWERS_MAX_BYTES", CONF_INT, FIELD(answers_max_bytes),
             .initial = "16777216", .min = 0, .max = 4294967296,
             .help = "Bytes of answers at most that are kept until something is "
                     "counted; 0: none"),
    CONF_ROW("EXPORTS_MAX", CONF_INT, FIELD(exports_max), .initial = "2", .min = 1,
             .max = 64,
             .help = "Exports at the same time, each with a connection to Postgres; "
                     "beyond it 503"),
    CONF_ROW("EXPORT_TIMEOUT_MS", CONF_INT, FIELD(export_timeout_ms),
             .initial = "3600000", .min = 1000, .max = 86400000,
             .help = "Longest time of an export from first to last byte, in ms; then "
                     "it is cut"),
    HTTP_CONF_WAIT(struct reporting_conf),
    HTTP_CONF_LIMITS(struct reporting_conf, "1000", 1000000),
    HTTP_CONF_TIMEOUTS(struct reporting_conf, "620000"),
    CONF_ROW("SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms),
             .initial = "4000", .min = 100, .max = 60000,
             .help = "Longest time after SIGTERM to answer the requests under way, "
                     "in ms"),
    CONF_ROW("REPORTING_TOKEN", CONF_SECRET, FIELD(token), .initial = "",
             .max = SECRET_MAX,
             .help = "Token that GET /stats must bring as Authorization: Bearer; "
                     "empty: none is asked for"),
    CONF_ROW("REPORTING_TOKEN_FILE", CONF_TEXT, FIELD(token_file), .initial = "",
             .max = 4096,
             .help = "File whose first line is that token, in place of "
                     "REPORTING_TOKEN"),
    CONF_ROW("REPORTING_URL", CONF_TEXT, FIELD(url), .initial = "", .max = 1024,
             .help =
                 "URL at which people reach the dashboard, for the links of --share and "
                 "for /openapi.json; empty: localhost and the port"),
    CONF_ROW("INGESTION_URL", CONF_TEXT, FIELD(ingestion_url), .initial = "", .max = 1024,
             .help = "URL that the dashboard and /openapi.json tell pages to send events "
                     "to; empty: its own host at port 3000"),
    CONF_ROW("REPORTING_CORS_ORIGINS", CONF_TEXT, FIELD(cors_origins), .initial = "",
             .max = 8192,
             .help = "Origins whose pages may read the answers, separated by "
                     "commas; empty: none"),
    CONF_ROW("ALLOWED_HOSTS", CONF_TEXT, FIELD(allowed_hosts), .initial = "", .max = 8192,
             .help = "Names that a Host header may have, separated by commas "
                     "(*.a.example); addresses and localhost always may"),
    GUARD_CONF_RATES(struct reporting_conf),
    GUARD_CONF_CLIENTS(struct reporting_conf),
    CONF_LOG_LEVEL(struct reporting_conf),
    CONF_ROW("share", CONF_TEXT, FIELD(share), .max = SHARE_SITE_MAX,
             .help =
                 "Site to print a link for, which shows its dashboard and nothing else"),
    {.name = NULL},
};

const struct conf_program reporting_program = {
    .name = "reporting",
    .summary = "answers GET /stats from the rollups in Postgres",
    .items = items,
};
