/* routes.h -- what the reporting daemon answers: the dashboard, /stats, /healthz, /readyz
 * and /metrics. */
#ifndef REPORTING_ROUTES_H
#define REPORTING_ROUTES_H

#include <stdbool.h>

#include "shared/http/http.h"

struct guard;
struct page;
struct pool;
struct reporting_metrics;

/* Who waits in one of the pools waits for nobody in the others. */
enum routes_pool {
    ROUTES_HEALTH, /* /readyz alone */
    ROUTES_STATS,  /* what the rollups answer */
    ROUTES_RAW,    /* what takes as long as there are raw events */
    ROUTES_POOL_COUNT
};

/* What the handlers need: the `user` of the server.  All borrowed from the app. */
struct routes {
    struct pool *pools[ROUTES_POOL_COUNT];
    struct guard *guard; /* another one after a reload */
    struct reporting_metrics *metrics;
    const struct page *page;
    bool raw_needs_token;
};

/* The table for http_server_start(). */
extern const struct http_route routes_table[];

/* Whether a request for figures is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

#endif
