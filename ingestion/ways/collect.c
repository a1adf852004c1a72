/* collect.c -- see collect.h. */
#include "ingestion/ways/collect.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "ingestion/commit/committer.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/ways/accept.h"
#include "ingestion/ways/arrivals.h"
#include "ingestion/ways/facts.h"
#include "shared/base/clock.h"
#include "shared/event/event.h"
#include "shared/http/asset.h"
#include "shared/http/http.h"
#include "shared/text/json.h"
#include "shared/text/json_items.h"
#include "shared/text/query.h"

enum {
    AHEAD_MAX_MS = 5 * 60 * 1000,
    BACK_MAX_MS = 24 * 60 * 60 * 1000,
    PIXEL_BODY_MAX = 6 * QUERY_BYTES_MAX + 4096, /* of its query as JSON */
};

/* The events of a request, while they are read. */
struct intake {
    struct ways *ways;
    struct http_request *req;
    struct request_facts facts;
    struct delivery delivery;
    bool is_pixel;
    size_t events; /* so far: the index of the next */
    size_t accepted;
    size_t dropped;
    unsigned status; /* of the first that was refused; 0: none */
    struct err refusal;
};

/* --- one event ------------------------------------------------------------------------- */

/* What accept_judge() would refuse is replaced here. */
static int64_t ahead_max_ms(const struct ways *ways)
{
    int64_t set_ms = ways->timestamp_ahead_max_s * 1000;

    return set_ms > 0 && set_ms < AHEAD_MAX_MS ? set_ms : AHEAD_MAX_MS;
}

/* A page's clock may be wrong, and what it kept while it was offline is old. */
static void set_time(struct intake *intake, struct event *event)
{
    struct ways *ways = intake->ways;
    int64_t now_ms = event->received_at_ms;
    bool is_absent = event->timestamp_ms == EVENT_NO_TIME;

    if (!is_absent && event->timestamp_ms <= now_ms + ahead_max_ms(ways) &&
        event->timestamp_ms >= now_ms - BACK_MAX_MS)
        return;
    if (!is_absent)
        metric_add(&ways->metrics->times_replaced, 1);
    event->timestamp_ms =
        event->has_event_id ? arrivals_take(ways->arrivals, event, now_ms) : now_ms;
}

/* Notes what is wrong with the event; the first one gives the answer. */
static void note_refusal(struct intake *intake, unsigned status, const struct err *err)
{
    if (intake->status)
        return;
    intake->status = status;
    intake->refusal = *err;
}

/* 0, or the status to refuse the event with; *ret_drop says whether it is dropped. */
static unsigned judge(struct intake *intake, const char *bytes, size_t len,
                      struct event *event, bool *ret_drop, struct err *err)
{
    struct ways *ways = intake->ways;
    enum err_code code;
    unsigned status = 0;

    *ret_drop = false;
    if (intake->events > 0)
        status = accept_judge_address(ways, intake->req, err);
    if (status)
        return status;
    code = event_parse_page(ways->parser, bytes, len, event, err);
    if (code) {
        accept_note(ways, code, 1);
        return err_http_status(code);
    }
    event->received_at_ms = clock_wall_ms();
    set_time(intake, event);
    status = accept_judge_visitor(ways, intake->req, event, err);
    if (status)
        return status;
    *ret_drop = enricher_run(ways->enricher, &intake->facts, event) != BOT_NONE;
    return *ret_drop ? 0 : accept_judge(ways, event, err);
}

static enum err_code take_event(struct intake *intake, const char *bytes, size_t len)
{
    struct event event;
    struct err err = {.code = ERR_OK};
    bool is_dropped;
    unsigned status = judge(intake, bytes, len, &event, &is_dropped, &err);
    enum err_code code = ERR_OK;

    if (status)
        note_refusal(intake, status, &err);
    else if (is_dropped)
        intake->dropped++;
    else
        code = committer_add(intake->ways->committer, &intake->delivery, &event);
    intake->accepted += !status && !is_dropped && !code;
    intake->events++;
    return code;
}

/* --- all of a request ------------------------------------------------------------------- */

static bool is_array(const char *bytes, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", *bytes)) {
        bytes++;
        len--;
    }
    return len > 0 && *bytes == '[';
}

static enum err_code take_array(struct intake *intake, const char *bytes, size_t len,
                                struct err *err)
{
    struct json_items items;

    json_items_init(&items, "", bytes, len);
    for (;;) {
        struct json_item item;
        enum err_code code = json_items_next(&items, &item, err);
        if (code || !item.bytes)
            return code;
        if (intake->events == WAY_COLLECT_EVENTS)
            return err_set(err, ERR_TOO_BIG, "there are more than %d events",
                           WAY_COLLECT_EVENTS);
        code = take_event(intake, item.bytes, item.len);
        if (code)
            return code;
    }
}

static void answer_dropped(struct intake *intake)
{
    static const char dropped[] = "{\"status\":\"dropped\",\"reason\":\"bot\"}";

    if (intake->is_pixel)
        way_pixel_answer(intake->req);
    else
        http_answer_json(intake->req, 200, dropped, sizeof(dropped) - 1);
}

/* Answers, or has the request wait. */
static enum err_code finish(struct intake *intake)
{
    if (intake->accepted > 0)
        return committer_finish(intake->ways->committer, &intake->delivery, intake->req,
                                NULL, 0);
    committer_take_back(&intake->delivery);
    if (intake->status)
        http_answer_error(intake->req, intake->status, intake->refusal.msg);
    else if (intake->dropped > 0)
        answer_dropped(intake);
    else
        http_answer_ok(intake->req); /* an empty array */
    return ERR_OK;
}

static void take_all(struct intake *intake, const char *bytes, size_t len)
{
    struct ways *ways = intake->ways;
    struct err err = {.code = ERR_OK};
    enum err_code code = committer_begin(ways->committer, &intake->delivery);

    if (code) {
        accept_reject(ways, intake->req, code, &err);
        return;
    }
    enricher_clear(ways->enricher);
    facts_read(intake->req, ways, &intake->facts);
    code = is_array(bytes, len) ? take_array(intake, bytes, len, &err)
                                : take_event(intake, bytes, len);
    if (!code)
        code = finish(intake);
    err.code = code; /* where there is no sentence, none is needed */
    if (code)
        accept_reject_all(ways, intake->req, &intake->delivery, intake->accepted, &err);
}

void way_collect(struct http_request *req, struct ways *ways)
{
    struct intake intake = {.ways = ways, .req = req};
    size_t len;
    const char *body = http_request_body(req, &len);

    take_all(&intake, body, len);
}

/* --- the pixel ---------------------------------------------------------------------------- */

static const char gif[] =
    "GIF89a\1\0\1\0\200\0\0\0\0\0\377\377\377!\371\4\1\0\0\0\0,\0\0\0\0"
    "\1\0\1\0\0\2\2D\1\0;";

void way_pixel_answer(struct http_request *req)
{
    static const struct http_header headers[] = {
        {"Cache-Control", "no-store"},
        {"Cross-Origin-Resource-Policy", "cross-origin"},
        {"Access-Control-Allow-Origin", "*"},
        {NULL, NULL},
    };
    static const struct http_asset asset = {
        .content_type = "image/gif", .plain = gif, .plain_len = sizeof(gif) - 1};

    http_answer_asset(req, &asset, headers);
}

/* Whether the value stands in the query as it does in JSON. */
static bool is_raw(const struct query_pair *pair)
{
    for (size_t i = 0; i < EVENT_MORE_COUNT; i++) {
        const struct event_more_field *field = &event_more_fields[i];
        if (strcmp(field->key, pair->name) == 0)
            return field->type != EVENT_TEXT && pair->value[0] != '\0';
    }
    return false;
}

static enum err_code add_pair(struct buf *body, const struct query_pair *pair)
{
    enum err_code code = buf_add(body, body->len ? "," : "{", 1);

    if (!code)
        code = json_add_string(body, pair->name, strlen(pair->name));
    if (!code)
        code = buf_add(body, ":", 1);
    if (code)
        return code;
    return is_raw(pair) ? buf_add(body, pair->value, strlen(pair->value))
                        : json_add_string(body, pair->value, strlen(pair->value));
}

/* The query as the JSON that /collect takes. */
static enum err_code make_body(const char *text, struct buf *body, struct err *err)
{
    struct query query;
    enum err_code code = query_parse(text, &query, err);

    for (size_t i = 0; i < query.count && !code; i++)
        code = add_pair(body, &query.pairs[i]);
    if (!code)
        code = buf_add(body, body->len ? "}" : "{}", body->len ? 1 : 2);
    return code;
}

void way_pixel(struct http_request *req, struct ways *ways)
{
    struct intake intake = {.ways = ways, .req = req, .is_pixel = true};
    struct err err = {.code = ERR_OK};
    struct buf body;
    enum err_code code;

    buf_init(&body, PIXEL_BODY_MAX);
    code = make_body(http_request_query(req), &body, &err);
    if (code) {
        metric_add(&ways->metrics->rejected[EVENT_FLAW_JSON], 1);
        accept_refuse(req, code, &err);
    } else {
        take_all(&intake, body.data, body.len);
    }
    buf_release(&body);
}
