/* routes.c -- see routes.h. */
#include "ingestion/routes.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "ingestion/access.h"
#include "ingestion/commit/readiness.h"
#include "ingestion/conf.h"
#include "ingestion/metrics.h"
#include "ingestion/ways/accept.h"
#include "ingestion/ways/batch.h"
#include "ingestion/ways/collect.h"
#include "ingestion/ways/event.h"
#include "ingestion/ways/tracker.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

/* Routes whose path is a setting; their id. */
enum {
    ROUTE_FIXED,
    ROUTE_TRACKER,
    ROUTE_COLLECT,
    ROUTE_PIXEL,
    ROUTE_NAMED_COUNT
};

/* Pages cannot keep a key. */
static unsigned authorize_page(struct ways *ways, const struct http_request *req,
                               struct err *err)
{
    unsigned status = access_check_origin(ways->access, req, err);

    if (status) {
        metric_reject(ways->metrics, REJECTION_ORIGIN_DENIED);
        return status;
    }
    return accept_judge_address(ways, req, err);
}

unsigned routes_authorize(const struct http_request *req, void *user, struct err *err)
{
    struct ways *ways = &((struct routes *)user)->ways;
    int id = http_request_route(req)->id;
    unsigned status;

    if (id == ROUTE_COLLECT || id == ROUTE_PIXEL)
        return authorize_page(ways, req, err);
    status = access_check_request(ways->access, req, err);
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

static void on_batch(struct http_request *req, void *user)
{
    struct routes *routes = user;

    way_batch(req, &routes->ways);
}

static void on_collect(struct http_request *req, void *user)
{
    struct routes *routes = user;

    way_collect(req, &routes->ways);
}

static void on_pixel(struct http_request *req, void *user)
{
    struct routes *routes = user;

    way_pixel(req, &routes->ways);
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

static void on_tracker(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    way_tracker(req, routes->tracker);
}

/* --- the table ---------------------------------------------------------------- */

static const struct http_route all_routes[] = {
    {"POST", "/event", on_event, HTTP_GUARDED, HTTP_CORS_WRITE, .reads_body = true},
    {"POST", "/batch", on_batch, HTTP_GUARDED, HTTP_CORS_WRITE, .reads_body = true,
     .is_bulk = true},
    {"POST", "/collect", on_collect, HTTP_GUARDED, HTTP_CORS_WRITE, .reads_body = true,
     .id = ROUTE_COLLECT},
    {"GET", "/pixel.gif", on_pixel, HTTP_GUARDED, .answer_ok = way_pixel_answer,
     .id = ROUTE_PIXEL},
    {"GET", "/t.js", on_tracker, HTTP_OPEN, .id = ROUTE_TRACKER},
    {"GET", "/healthz", http_health_alive, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/readyz", on_readyz, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/metrics", on_metrics, HTTP_OPEN, .kind = HTTP_ROUTE_METRICS},
    {.path = NULL},
};

const struct http_route *routes_all(void)
{
    return all_routes;
}

/* Letters that need no thought in a URL, and a path that is told from one with a slash more. */
static bool is_path(const char *path)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-._~/";
    size_t len = strlen(path);

    return len >= 2 && path[0] == '/' && path[len - 1] != '/' && !strstr(path, "//") &&
           strspn(path, letters) == len;
}

static bool is_taken(const struct routes *routes, const struct http_route *named)
{
    for (const struct http_route *at = routes->table; at->path; at++)
        if (at != named && strcasecmp(at->path, named->path) == 0)
            return true;
    return false;
}

static enum err_code check(const struct routes *routes, const struct http_route *named,
                           const char *setting, struct err *err)
{
    if (!is_path(named->path))
        return err_set(
            err, ERR_CONFIG,
            "%s must be a path such as \"/t.js\", of letters, digits and -._~/", setting);
    if (is_taken(routes, named))
        return err_set(err, ERR_CONFIG, "%s is the path of another route", setting);
    return ERR_OK;
}

enum err_code routes_init(struct routes *routes, const struct ingestion_conf *conf,
                          struct err *err)
{
    const struct {
        const char *setting;
        const char *path;
    } named[ROUTE_NAMED_COUNT] = {
        [ROUTE_TRACKER] = {"TRACKER_PATH", conf->tracker_path},
        [ROUTE_COLLECT] = {"COLLECT_PATH", conf->collect_path},
        [ROUTE_PIXEL] = {"PIXEL_PATH", conf->pixel_path},
    };
    enum err_code code = ERR_OK;

    static_assert(sizeof(all_routes) <= sizeof(routes->table), "ROUTES_MAX is too small");
    memcpy(routes->table, all_routes, sizeof(all_routes));
    for (struct http_route *at = routes->table; at->path; at++)
        if (at->id != ROUTE_FIXED)
            at->path = named[at->id].path;
    for (const struct http_route *at = routes->table; at->path && !code; at++)
        if (at->id != ROUTE_FIXED)
            code = check(routes, at, named[at->id].setting, err);
    return code;
}
