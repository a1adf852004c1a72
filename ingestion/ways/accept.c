/* accept.c -- see accept.h. */
#include "ingestion/ways/accept.h"

#include <stdbool.h>

#include "ingestion/access.h"
#include "ingestion/commit/committer.h"
#include "ingestion/enrich/enrich.h"
#include "shared/base/clock.h"
#include "shared/event/event.h"
#include "shared/http/http.h"

enum {
    FORBIDDEN = 403,
    TOO_MANY = 429
};

static const char unavailable[] = "queue unavailable";

static enum rejection rejection_of(enum err_code code, const struct event_parser *parser)
{
    switch ((int)code) {
    case ERR_INVALID:
        return (enum rejection)event_parser_flaw(parser); /* the flaws come first in it */
    case ERR_TOO_BIG:
        return REJECTION_TOO_LARGE;
    case ERR_BUSY:
        return REJECTION_QUEUE_FULL;
    default:
        return REJECTION_NO_MEMORY;
    }
}

void accept_note(struct ways *ways, enum err_code code, size_t events)
{
    metric_add(&ways->metrics->rejected[rejection_of(code, ways->parser)],
               (int64_t)events);
}

void accept_refuse(struct http_request *req, enum err_code code, const struct err *err)
{
    unsigned status = err_http_status(code);

    http_answer_error(req, status, status == 503 ? unavailable : err->msg);
}

void accept_reject(struct ways *ways, struct http_request *req, enum err_code code,
                   const struct err *err)
{
    accept_note(ways, code, 1);
    accept_refuse(req, code, err);
}

void accept_reject_all(struct ways *ways, struct http_request *req,
                       struct delivery *delivery, size_t events, const struct err *err)
{
    size_t counted = events ? events : 1;

    committer_take_back(delivery);
    if (err->code == ERR_INVALID) /* the parser's flaw is that of an event before */
        metric_add(&ways->metrics->rejected[EVENT_FLAW_JSON], (int64_t)counted);
    else
        accept_note(ways, err->code, counted);
    accept_refuse(req, err->code, err);
}

/* A far future is a partition, a row of rollups and a day that nobody asks for, for ever. */
static bool is_too_far_ahead(const struct ways *ways, const struct event *event)
{
    return ways->timestamp_ahead_max_s > 0 &&
           event->timestamp_ms - event->received_at_ms >
               ways->timestamp_ahead_max_s * 1000;
}

static unsigned judge_time(struct ways *ways, const struct event *event, struct err *err)
{
    if (!is_too_far_ahead(ways, event))
        return 0;
    metric_reject(ways->metrics, REJECTION_TIMESTAMP_AHEAD);
    return err_http_status(err_set(
        err, ERR_INVALID, "\"timestamp\" must not lie more than %lld seconds ahead",
        (long long)ways->timestamp_ahead_max_s));
}

static unsigned judge_site(struct ways *ways, const struct event *event, struct err *err)
{
    unsigned status = access_check_event(ways->access, event, err);

    if (status)
        metric_reject(ways->metrics,
                      status == 429 ? REJECTION_SITE_RATE : REJECTION_SITE_DENIED);
    return status;
}

unsigned accept_judge_address(struct ways *ways, const struct http_request *req,
                              struct err *err)
{
    unsigned status = access_check_more(ways->access, req, err);

    if (status)
        metric_reject(ways->metrics, REJECTION_ADDRESS_RATE);
    return status;
}

unsigned accept_judge_visitor(struct ways *ways, const struct http_request *req,
                              const struct event *event, struct err *err)
{
    enum event_more field =
        event_has(event, EVENT_MORE_USER_AGENT) ? EVENT_MORE_USER_AGENT : EVENT_MORE_IP;
    unsigned status =
        event_has(event, field) ? access_check_key(ways->access, req, err) : 0;

    if (!status)
        return 0;
    if (status == TOO_MANY) {
        metric_reject(ways->metrics, REJECTION_ADDRESS_RATE);
        return status;
    }
    metric_reject(ways->metrics, REJECTION_KEY);
    (void)err_set(err, ERR_DENIED, "\"%s\" needs a key", event_more_fields[field].key);
    return FORBIDDEN;
}

unsigned accept_enrich(struct ways *ways, const struct http_request *req,
                       struct event *event, struct err *err)
{
    struct request_facts facts = {.is_page = false};
    unsigned status;

    if (event->more == 0)
        return 0;
    status = accept_judge_visitor(ways, req, event, err);
    if (status)
        return status;
    facts.bots = access_bots(ways->access);
    facts.places = access_places(ways->access);
    event->received_at_ms = clock_wall_ms();
    (void)enricher_run(ways->enricher, &facts,
                       event); /* never drops what a server sends */
    return 0;
}

unsigned accept_judge(struct ways *ways, struct event *event, struct err *err)
{
    unsigned status;

    if (!event->path.bytes) { /* there was a url, but no path came of it */
        (void)err_set(err, ERR_INVALID, "\"path\" is required");
        metric_reject(ways->metrics, (enum rejection)EVENT_FLAW_PATH);
        return 400;
    }
    event->received_at_ms = clock_wall_ms();
    status = judge_time(ways, event, err);
    if (!status)
        status = judge_site(ways, event, err);
    if (!status && !event->has_event_id) {
        event->event_id = uuid_v7();
        event->has_event_id = true;
    }
    return status;
}
