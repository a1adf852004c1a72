/* routes.h -- what ingestion answers: the table of its routes.  The ways in, each in a file of
 * ways/, and /healthz, /readyz and /metrics. */
#ifndef INGESTION_ROUTES_H
#define INGESTION_ROUTES_H

#include "ingestion/ways/accept.h"
#include "shared/http/http.h"

struct breaker;
struct ingestion_metrics;
struct loop;
struct redis_uv;

/* What the handlers need; the `user` of the server's options. */
struct routes {
    struct ways ways;
    struct redis_uv *redis; /* borrowed, as all of these */
    struct breaker *breaker;
    const struct ingestion_metrics *all_metrics;
    struct loop *loop; /* whose routes they are */
};

/* Ends with a NULL path. */
extern const struct http_route ingestion_routes[];

/* Whether POST /event is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

#endif
