/* routes.h -- what the reporting daemon answers: /stats, /healthz, /readyz and
 * /metrics. */
#ifndef REPORTING_ROUTES_H
#define REPORTING_ROUTES_H

#include "shared/http/http.h"

/* The table for http_server_start(); its handlers take the struct app * as `user`. */
extern const struct http_route routes_table[];

/* Whether a request for figures is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

#endif
