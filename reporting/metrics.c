/* metrics.c -- see metrics.h: the names of all metrics of reporting but those of the HTTP
 * server (shared/http/metrics.c) and of the process (shared/daemon/process_stats.c). */
#include "reporting/metrics.h"

#define PREFIX       "analytics_reporting_"
#define FIELD(field) offsetof(struct reporting_metrics, field)

static const char *const uses[] = {
    [PG_LINK_USE_IDLE] = "idle",
    [PG_LINK_USE_BUSY] = "busy",
    [PG_LINK_USE_CONNECTING] = "connecting",
};

static const char *const servers[] = {"postgres", "postgres", "postgres"};
static const char *const troubles[] = {
    [METRIC_TROUBLE_NONE] = "none",
    [METRIC_TROUBLE_OUTAGE] = "outage",
    [METRIC_TROUBLE_HALT] = "halt",
};

#define REPORT_NAME(id, name, path, ...) [STATEMENT_##id] = name,
#define STATEMENT_NAME(id, name, ...)    [STATEMENT_##id] = name,
static const char *const statements[] = {REPORTS(REPORT_NAME, STATEMENT_NAME)};

static const struct metric_item items[] = {
    {.name = "stats_failed_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(failures),
     .help = "Requests for /stats that were answered with an error, by error.",
     .count = ERR_CODE_COUNT,
     .labels = {{"error", metric_errors}}},
    {.name = "query_seconds",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(query_us),
     .help = "From sending a query to its last row or its failure, by statement.",
     .per_unit = 1000000,
     .buckets = &metric_times_us,
     .count = STATEMENT_COUNT,
     .labels = {{"statement", statements}}},
    {.name = "query_failures_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(query_failures),
     .help = "Queries that were sent and failed, by error.",
     .count = ERR_CODE_COUNT,
     .labels = {{"error", metric_errors}}},
    {.name = "queries_repeated_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(queries_repeated),
     .help = "Queries sent once more because their connection was lost."},
    {.name = "requests_coalesced_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(coalesced),
     .help = "Requests that joined a query of another request that waited to be sent."},
    {.name = "answers_reused_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(answers_reused),
     .help = "Answers that were kept from an earlier request."},
    {.name = "requests_waiting",
     .kind = METRIC_GAUGE,
     .offset = FIELD(stats.requests_waiting),
     .help = "Requests that wait for Postgres."},
    {.name = "queries_waiting",
     .kind = METRIC_GAUGE,
     .offset = FIELD(stats.queries_waiting),
     .help = "Queries that wait for a connection."},
    {.name = "queries_waiting_max",
     .kind = METRIC_GAUGE,
     .offset = FIELD(stats.queries_waiting_max),
     .help = "Queries that may wait for a connection."},
    {.name = "pool_connections",
     .kind = METRIC_GAUGE,
     .offset = FIELD(stats.links),
     .help = "Connections to Postgres, by state.",
     .count = PG_LINK_USE_COUNT,
     .labels = {{"state", uses}}},
    {.name = "raw_requests_waiting",
     .kind = METRIC_GAUGE,
     .offset = FIELD(raw.requests_waiting),
     .help = "Requests that wait for an answer from raw events."},
    {.name = "raw_queries_waiting",
     .kind = METRIC_GAUGE,
     .offset = FIELD(raw.queries_waiting),
     .help = "Queries of raw events that wait for a connection."},
    {.name = "raw_pool_connections",
     .kind = METRIC_GAUGE,
     .offset = FIELD(raw.links),
     .help = "Connections to Postgres for questions of raw events, by state.",
     .count = PG_LINK_USE_COUNT,
     .labels = {{"state", uses}}},
    {.name = "raw_queries_cancelled_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(cancelled),
     .help = "Queries of raw events that were ended because nobody waited for them any "
             "more."},
    {.name = "exports_running",
     .kind = METRIC_GAUGE,
     .offset = FIELD(exports_running),
     .help = "Exports that are under way, each with a connection to Postgres."},
    {.name = "exports_cut_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(exports_cut),
     .help = "Exports that ended in the middle, by the client or by a failure."},
    {.name = "exported_rows_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(exported_rows),
     .help = "Rows that exports have read from Postgres."},
    {.name = "pool_connections_lost_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(links_lost),
     .help = "Times a connection to Postgres was lost or could not be made."},
    {.name = "trouble",
     .kind = METRIC_GAUGE,
     .offset = FIELD(trouble),
     .help =
         "1 for the trouble the server is in: none, an outage, or a halt that needs a "
         "person.",
     .count = METRIC_TROUBLE_COUNT,
     .labels = {{"server", servers}, {"kind", troubles}}},
    {.name = NULL},
};

void metrics_answer(const struct reporting_metrics *metrics, struct http_request *req)
{
    const struct metrics_part parts[] = {
        {PREFIX, http_metric_items, &metrics->http, 1, 0},
        {PREFIX, items, metrics, 1, 0},
        {PREFIX, daemon_metric_items, &metrics->process, 1, 0},
        {"process_", process_metric_items, &metrics->process, 1, 0},
    };

    http_answer_metrics(req, parts, sizeof(parts) / sizeof(parts[0]));
}
