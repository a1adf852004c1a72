/* routes.h -- the processor's HTTP: GET /healthz, /readyz and /metrics. */
#ifndef PROCESSOR_ROUTES_H
#define PROCESSOR_ROUTES_H

#include "processor/metrics.h"

struct http_route;

/* What the handlers need: the `user` of the server. */
struct routes {
    struct metrics_sources sources;
};

/* The table for http_server_start().  Static. */
const struct http_route *routes_table(void);

#endif
