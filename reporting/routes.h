/* routes.h -- what the reporting daemon answers: the dashboard, the reports of reports.h,
 * /openapi.json, /healthz, /readyz and /metrics. */
#ifndef REPORTING_ROUTES_H
#define REPORTING_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "reporting/report/report.h"
#include "shared/http/http.h"

struct document;
struct exports;
struct guard;
struct page;
struct pool;
struct replies;
struct reporting_metrics;

/* What the handlers need: the `user` of the server.  All borrowed from the app. */
struct routes {
    struct pool *pools[POOL_COUNT];
    struct exports *exports;
    struct replies *replies;
    struct guard *guard; /* another one after a reload */
    struct reporting_metrics *metrics;
    const struct page *page;
    const struct document *document;
    bool raw_needs_token;
    int64_t query_timeout_ms;
};

/* The table for http_server_start(). */
extern const struct http_route routes_table[];

/* Whether a request for figures is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

/* Answers a request whose export has failed before its first byte; see struct
 * exports_options. */
void routes_on_export_failed(struct http_request *req, const struct err *err, void *user);

#endif
