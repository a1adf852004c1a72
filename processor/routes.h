/* routes.h -- the processor's HTTP: GET /healthz, /readyz and /metrics. */
#ifndef PROCESSOR_ROUTES_H
#define PROCESSOR_ROUTES_H

struct http_route;

/* The table for http_server_start(); its `user` must be the struct app.  Static. */
const struct http_route *routes_table(void);

#endif
