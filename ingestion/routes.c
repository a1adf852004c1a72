/* routes.c -- see routes.h. */
#include "ingestion/routes.h"

#include <stdbool.h>
#include <stddef.h>

#include "ingestion/access.h"
#include "ingestion/commit/readiness.h"
#include "ingestion/metrics.h"
#include "ingestion/ways/event.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

unsigned routes_authorize(const struct http_request *req, void *user, struct err *err)
{
    struct ways *ways = &((struct routes *)user)->ways;
    unsigned status = access_check_request(ways->access, req, err);

    if (status)
        metric_reject(ways->metrics,
                      status == 429 ? REJECTION_ADDRESS_RATE : REJECTION_KEY);
    return status;
}

static void on_event(struct http_request *req, void *user)
{
    struct routes *routes = user;

    way_event(req, &routes->ways);
}

static void on_readyz(struct http_request *req, void *user)
{
    struct routes *routes = user;
    struct readiness readiness = {.redis = routes->redis,
                                  .breaker = routes->breaker,
                                  .salts = routes->ways.salts,
                                  .committer = routes->ways.committer};

    readiness_answer(&readiness, req);
}

static void on_metrics(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    metrics_answer(routes->all_metrics, req);
}

const struct http_route ingestion_routes[] = {
    {"POST", "/event", on_event, HTTP_GUARDED, HTTP_CORS_WRITE, .reads_body = true},
    {"GET", "/healthz", http_health_alive, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/readyz", on_readyz, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/metrics", on_metrics, HTTP_OPEN, .kind = HTTP_ROUTE_METRICS},
    {.path = NULL},
};
