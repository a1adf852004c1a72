/* metrics.c -- see metrics.h. */
#include "shared/http/metrics.h"

#include "shared/base/buf.h"
#include "shared/http/http.h"

_Static_assert((int)HTTP_METRIC_PHASES == (int)PHASE_COUNT, "one cell for each phase");

static const char *const statuses[] = {
#define STATUS_NAME(status) #status,
    HTTP_METRIC_STATUSES(STATUS_NAME)
#undef STATUS_NAME
        "other",
};

static const char *const refusals[] = {
#define REFUSAL_NAME(name, text) text,
    HTTP_REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
};

static const char *const leaves[] = {
#define LEAVE_NAME(name, text) text,
    HTTP_LEAVES(LEAVE_NAME)
#undef LEAVE_NAME
};

/* A request that waits has no deadline of the server's. */
static const char *const timeouts[] = {
    [PHASE_IDLE] = "idle",      [PHASE_HEADERS] = "headers", [PHASE_BODY] = "body",
    [PHASE_WRITING] = "answer", [PHASE_WAITING] = NULL,
};

static const char *const unanswered[] = {
    [PHASE_IDLE] = NULL,        [PHASE_HEADERS] = "headers", [PHASE_BODY] = "body",
    [PHASE_WRITING] = "answer", [PHASE_WAITING] = "waiting",
};

#define FIELD(field) offsetof(struct http_metrics, field)

const struct metric_item http_metric_items[] = {
    {.name = "requests_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(answers),
     .help = "Requests answered, by status.",
     .count = HTTP_METRIC_STATUS_COUNT,
     .labels = {{"status", statuses}}},
    {.name = "requests_refused_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(refusals),
     .help = "Requests refused before they were looked into, by reason.",
     .count = HTTP_REFUSAL_COUNT,
     .labels = {{"reason", refusals}}},
    {.name = "requests_unanswered_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(unanswered),
     .help = "Connections that ended within a request, by what was under way.",
     .count = HTTP_METRIC_PHASES,
     .labels = {{"phase", unanswered}}},
    {.name = "connections",
     .kind = METRIC_GAUGE,
     .offset = FIELD(connections),
     .help = "Connections open now."},
    {.name = "connections_max",
     .kind = METRIC_GAUGE,
     .offset = FIELD(connections_max),
     .help = "Connections that may be open at once."},
    {.name = "connections_accepted_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(accepted),
     .help = "Connections accepted."},
    {.name = "connections_closed_early_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(leaves),
     .help = "Connections closed because there were too many, by reason.",
     .count = HTTP_LEAVE_COUNT,
     .labels = {{"reason", leaves}}},
    {.name = "connection_timeouts_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(timeouts),
     .help = "Connections cut at a deadline, by what was under way.",
     .count = HTTP_METRIC_PHASES,
     .labels = {{"phase", timeouts}}},
    {.name = "body_bytes",
     .kind = METRIC_GAUGE,
     .offset = FIELD(body_bytes),
     .help = "Memory of unfinished bodies, without small ones."},
    {.name = "body_bytes_max",
     .kind = METRIC_GAUGE,
     .offset = FIELD(body_bytes_max),
     .help = "Memory that unfinished bodies may have; 0 without a limit."},
    {.name = "client_addresses_unread_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(unread_clients),
     .help =
         "Requests of trusted proxies whose X-Forwarded-For or Forwarded was unclear."},
    {.name = NULL},
};

enum http_metric_status http_metric_status(unsigned status)
{
    switch (status) {
#define STATUS_CASE(number)                                                              \
    case number:                                                                         \
        return HTTP_METRIC_##number;
        HTTP_METRIC_STATUSES(STATUS_CASE)
#undef STATUS_CASE
    default:
        return HTTP_METRIC_OTHER;
    }
}

void http_answer_metrics(struct http_request *req, const struct metrics_part *parts,
                         size_t count)
{
    static const char type[] = "text/plain; version=0.0.4; charset=utf-8";
    struct buf text;

    buf_init(&text, METRICS_TEXT_MAX);
    if (metrics_render(parts, count, &text) == ERR_OK)
        http_answer_text(req, 200, type, text.data, text.len);
    else
        http_answer_error(req, 503, "out of memory");
    buf_release(&text);
}
