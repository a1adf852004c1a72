/* routes.h -- what ingestion answers: the table of its routes.  The ways in, each in a file of
 * ways/, and /healthz, /readyz and /metrics. */
#ifndef INGESTION_ROUTES_H
#define INGESTION_ROUTES_H

#include "ingestion/ways/accept.h"
#include "shared/http/http.h"

struct breaker;
struct ingestion_conf;
struct ingestion_metrics;
struct loop;
struct redis_uv;

enum {
    ROUTES_MAX = 24
};

/* What the handlers need; the `user` of the server's options. */
struct routes {
    struct ways ways;
    struct redis_uv *redis; /* borrowed, as all of these */
    struct breaker *breaker;
    const struct tracker *tracker;
    const struct ingestion_metrics *all_metrics;
    struct loop *loop;                   /* whose routes they are */
    struct http_route table[ROUTES_MAX]; /* ends with a NULL path */
};

/* The table of the routes, with the paths that the settings give: block lists go by names.
 * ERR_CONFIG names a setting whose path cannot be one, or is one already. */
enum err_code routes_init(struct routes *routes, const struct ingestion_conf *conf,
                          struct err *err) MUST_CHECK;

/* The table as it is unless settings give other paths; static. */
const struct http_route *routes_all(void);

/* Whether a POST is let in, by its headers; see struct http_options. */
unsigned routes_authorize(const struct http_request *req, void *user, struct err *err);

#endif
