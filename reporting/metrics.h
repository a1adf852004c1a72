/* metrics.h -- what reporting counts, and GET /metrics.  All of it belongs to the loop. */
#ifndef REPORTING_METRICS_H
#define REPORTING_METRICS_H

#include "reporting/report/report.h"
#include "shared/base/err.h"
#include "shared/daemon/process_stats.h"
#include "shared/http/metrics.h"

struct http_request;
struct pool;

/* Of a connection to Postgres. */
enum pg_link_use {
    PG_LINK_USE_IDLE,
    PG_LINK_USE_BUSY,
    PG_LINK_USE_CONNECTING,
    PG_LINK_USE_COUNT
};

/* Of a pool at the moment of the scrape. */
struct pool_gauges {
    struct metric requests_waiting;
    struct metric queries_waiting;
    struct metric queries_waiting_max;
    struct metric links[PG_LINK_USE_COUNT];
};

struct reporting_metrics {
    struct http_metrics http;
    struct metric failures[ERR_CODE_COUNT]; /* of questions, by error */
    struct metric_histogram query_us[STATEMENT_COUNT];
    struct metric query_failures[ERR_CODE_COUNT];
    struct metric queries_repeated;
    struct metric coalesced;
    struct metric answers_reused;
    struct metric cancelled;
    struct metric exports_running;
    struct metric exports_cut;
    struct metric exported_rows;
    struct pool_gauges stats;
    struct pool_gauges raw;
    struct metric links_lost;
    struct metric trouble[METRIC_TROUBLE_COUNT];
    struct process_stats process;
};

/* Answers GET /metrics. */
void metrics_answer(const struct reporting_metrics *metrics, struct http_request *req);

#endif
