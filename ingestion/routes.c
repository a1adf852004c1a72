/* routes.c -- see routes.h.  One event, top down: the body, its rules, its place in the
 * group; the answer is given by commit/committer.c once Redis has confirmed the group. */
#include "ingestion/routes.h"

#include <stdbool.h>
#include <stddef.h>

#include "ingestion/access.h"
#include "ingestion/commit/committer.h"
#include "ingestion/commit/readiness.h"
#include "ingestion/metrics.h"
#include "shared/base/clock.h"
#include "shared/event/event.h"
#include "shared/http/health.h"
#include "shared/http/http.h"

static const char unavailable[] = "queue unavailable";

static void answer_failure(struct http_request *req, enum err_code code,
                           const struct err *err)
{
    unsigned status = err_http_status(code);

    http_answer_error(req, status, status == 503 ? unavailable : err->msg);
}

/* Why an event that the parser or the queue did not take is answered with an error. */
static enum rejection rejection_of(enum err_code code, const struct event_parser *parser)
{
    switch ((int)code) {
    case ERR_INVALID:
        return (enum rejection)event_parser_flaw(parser);
    case ERR_TOO_BIG:
        return REJECTION_TOO_LARGE;
    case ERR_BUSY:
        return REJECTION_QUEUE_FULL;
    default:
        return REJECTION_NO_MEMORY;
    }
}

static void reject(struct http_request *req, const struct routes *routes,
                   enum err_code code, const struct err *err)
{
    metric_reject(routes->metrics, rejection_of(code, routes->parser));
    answer_failure(req, code, err);
}

unsigned routes_authorize(const struct http_request *req, void *user, struct err *err)
{
    struct routes *routes = user;
    unsigned status = access_check_request(routes->access, req, err);

    if (status)
        metric_reject(routes->metrics,
                      status == 429 ? REJECTION_ADDRESS_RATE : REJECTION_KEY);
    return status;
}

/* A far future is a partition, a row of rollups and a day that nobody asks for, for ever. */
static bool is_too_far_ahead(const struct routes *routes, const struct event *event)
{
    return routes->timestamp_ahead_max_s > 0 &&
           event->timestamp_ms - event->received_at_ms >
               routes->timestamp_ahead_max_s * 1000;
}

static void reject_far_ahead(struct http_request *req, const struct routes *routes)
{
    struct err err;

    (void)err_set(&err, ERR_INVALID,
                  "\"timestamp\" must not lie more than %lld seconds ahead",
                  (long long)routes->timestamp_ahead_max_s);
    metric_reject(routes->metrics, REJECTION_TIMESTAMP_AHEAD);
    answer_failure(req, err.code, &err);
}

static void on_event(struct http_request *req, void *user)
{
    struct routes *routes = user;
    struct event event;
    struct err err = {.code = ERR_OK};
    enum err_code code;
    unsigned status;
    size_t len;
    const char *body = http_request_body(req, &len);

    code = event_parse(routes->parser, body, len, &event, &err);
    if (code) {
        reject(req, routes, code, &err);
        return;
    }
    event.received_at_ms = clock_wall_ms();
    if (is_too_far_ahead(routes, &event)) {
        reject_far_ahead(req, routes);
        return;
    }
    status = access_check_event(routes->access, &event, &err);
    if (status) {
        metric_reject(routes->metrics,
                      status == 429 ? REJECTION_SITE_RATE : REJECTION_SITE_DENIED);
        http_answer_error(req, status, err.msg);
        return;
    }
    if (!event.has_event_id) {
        event.event_id = uuid_v7();
        event.has_event_id = true;
    }
    code = committer_push(routes->committer, &event, req);
    if (code)
        reject(req, routes, code, &err);
}

static void on_readyz(struct http_request *req, void *user)
{
    struct routes *routes = user;
    struct readiness readiness = {.redis = routes->redis,
                                  .breaker = routes->breaker,
                                  .committer = routes->committer};

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
