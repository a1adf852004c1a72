/* routes.c -- see routes.h. */
#include "processor/routes.h"

#include "processor/health.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

static void on_readyz(struct http_request *req, void *user)
{
    struct health *health = ((const struct routes *)user)->sources.health;
    char complaint[128];

    http_health_answer(
        req, health_is_ready(health, complaint, sizeof(complaint)) ? NULL : complaint);
}

static void on_metrics(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    metrics_answer(&routes->sources, req);
}

static const struct http_route table[] = {
    {"GET", "/healthz", http_health_alive, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/readyz", on_readyz, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/metrics", on_metrics, HTTP_OPEN, .kind = HTTP_ROUTE_METRICS},
    {.path = NULL},
};

const struct http_route *routes_table(void)
{
    return table;
}
