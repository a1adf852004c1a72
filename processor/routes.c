/* routes.c -- see routes.h. */
#include "processor/routes.h"

#include <string.h>

#include "processor/app.h"
#include "processor/health.h"
#include "shared/http/http.h"

static void answer_json(struct http_request *req, const char *json)
{
    http_answer_json(req, 200, json, strlen(json));
}

static void on_healthz(struct http_request *req, void *user)
{
    (void)user;
    answer_json(req, "{\"status\":\"ok\"}");
}

static void on_readyz(struct http_request *req, void *user)
{
    struct health *health = app_health(user);
    char complaint[128];

    if (health_is_ready(health, complaint, sizeof(complaint)))
        answer_json(req, "{\"status\":\"ready\"}");
    else
        http_answer_error(req, 503, complaint);
}

static void on_metrics(struct http_request *req, void *user)
{
    app_answer_metrics(user, req);
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/healthz", .handler = on_healthz, .access = HTTP_OPEN},
    {.method = "GET", .path = "/readyz", .handler = on_readyz, .access = HTTP_OPEN},
    {.method = "GET", .path = "/metrics", .handler = on_metrics, .access = HTTP_OPEN},
    {.path = NULL},
};

const struct http_route *routes_table(void)
{
    return routes;
}
