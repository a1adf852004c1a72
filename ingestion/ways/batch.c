/* batch.c -- see batch.h.
 *
 * The events are read as a stream: found, judged and written into the group one after the
 * other, nothing is allocated for one.  What is written there counts only with
 * committer_finish(), so a batch that is refused half-way is taken back.
 */
#include "ingestion/ways/batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "ingestion/commit/committer.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/ways/accept.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/http.h"
#include "shared/text/json.h"
#include "shared/text/json_items.h"

enum {
    KEPT_BYTES = 16384 /* memory for errors that is kept between batches */
};

static const char status_ok[] = "\"status\":\"ok\"";
static const char error_none[] = "\"error\":\"no event was accepted\"";

/* A batch that is being read. */
struct intake {
    struct ways *ways;
    struct http_request *req;
    struct json_items items;
    struct delivery delivery;
    size_t events; /* so far: the index of the next */
    size_t accepted;
    size_t listed;
};

/* --- how the events stand in the body ---------------------------------------- */

static bool is_lines(const char *content_type)
{
    static const char *const types[] = {
        "application/x-ndjson", "application/ndjson",    "application/jsonl",
        "application/x-jsonl",  "application/jsonlines", "application/x-jsonlines",
    };
    size_t len = content_type ? strcspn(content_type, "; \t") : 0;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strlen(types[i]) == len && strncasecmp(types[i], content_type, len) == 0)
            return true;
    }
    return false;
}

static void find_items(const struct http_request *req, struct json_items *items)
{
    size_t len;
    const char *body = http_request_body(req, &len);

    if (is_lines(http_request_header(req, "Content-Type")))
        json_items_init_lines(items, body, len);
    else
        json_items_init(items, "batch", body, len);
}

/* --- one event ---------------------------------------------------------------- */

/* Lists what was wrong with the event at hand.  ERR_NOMEM. */
static enum err_code list_error(struct intake *intake, const char *sentence)
{
    struct buf *errors = &intake->ways->errors;
    enum err_code code;

    if (intake->listed == WAY_BATCH_ERRORS)
        return ERR_OK;
    code = buf_printf(errors, "%s{\"index\":%zu,\"error\":", intake->listed ? "," : "",
                      intake->events);
    if (!code)
        code = json_add_string(errors, sentence, strlen(sentence));
    if (!code)
        code = buf_add(errors, "}", 1);
    intake->listed++;
    return code;
}

/* The event of the item; false, counted, with the sentence in err->msg.  The request itself has
 * paid for the first one. */
static bool judge(struct intake *intake, const struct json_item *item,
                  struct event *ret_event, struct err *err)
{
    struct ways *ways = intake->ways;
    enum err_code code;

    if (intake->events > 0 && accept_judge_address(ways, intake->req, err) != 0)
        return false;
    code = event_parse_part(ways->parser, item->bytes, item->len, ret_event, err);
    if (code)
        accept_note(ways, code, 1);
    enricher_clear(ways->enricher); /* the one before is written already */
    return !code && accept_enrich(ways, intake->req, ret_event, err) == 0 &&
           accept_judge(ways, ret_event, err) == 0;
}

/* Takes the event, or lists what is wrong with it.  An error is one of the whole batch. */
static enum err_code take_event(struct intake *intake, const struct json_item *item)
{
    struct ways *ways = intake->ways;
    struct event event;
    struct err err = {.code = ERR_OK};
    enum err_code code;

    if (!judge(intake, item, &event, &err))
        return list_error(intake, err.msg);
    code = committer_add(ways->committer, &intake->delivery, &event);
    intake->accepted += !code;
    return code;
}

/* Reads all of them.  Errors: of the body ERR_INVALID, ERR_TOO_BIG for more than may be; as
 * committer_add(). */
static enum err_code take_events(struct intake *intake, struct err *err)
{
    size_t most = (size_t)intake->ways->max_batch_events;

    for (;; intake->events++) {
        struct json_item item;
        enum err_code code = json_items_next(&intake->items, &item, err);
        if (code || !item.bytes)
            return code;
        if (intake->events == most)
            return err_set(err, ERR_TOO_BIG, "the batch has more than %zu events", most);
        code = take_event(intake, &item);
        if (code)
            return code;
    }
}

/* --- the answer ----------------------------------------------------------------- */

/* {"status":"ok","accepted":998,"rejected":2,"errors":[...]} */
static enum err_code write_answer(const struct intake *intake, const char *head,
                                  struct buf *answer)
{
    const struct buf *errors = &intake->ways->errors;
    enum err_code code;

    code = buf_printf(answer, "{%s,\"accepted\":%zu,\"rejected\":%zu,\"errors\":[", head,
                      intake->accepted, intake->events - intake->accepted);
    if (!code)
        code = buf_add(answer, errors->data, errors->len);
    if (!code)
        code = buf_add(answer, "]}", 2);
    return code;
}

static enum err_code refuse_all(struct intake *intake)
{
    struct buf answer;
    enum err_code code;

    committer_take_back(&intake->delivery);
    buf_init(&answer, WAY_BATCH_ERRORS_MAX + 256);
    code = write_answer(intake, error_none, &answer);
    if (!code)
        http_answer_json(intake->req, 400, answer.data, answer.len);
    buf_release(&answer);
    return code;
}

static enum err_code finish(struct intake *intake)
{
    struct buf answer;
    enum err_code code;

    if (intake->accepted == 0)
        return refuse_all(intake);
    buf_init(&answer, WAY_BATCH_ERRORS_MAX + 256);
    code = write_answer(intake, status_ok, &answer);
    if (!code)
        code = committer_finish(intake->ways->committer, &intake->delivery, intake->req,
                                answer.data, answer.len);
    if (code)
        buf_release(&answer);
    return code;
}

static void forget_errors(struct buf *errors)
{
    if (errors->cap > KEPT_BYTES)
        buf_release(errors);
    buf_clear(errors);
}

void way_batch(struct http_request *req, struct ways *ways)
{
    struct intake intake = {.ways = ways, .req = req};
    struct err err = {.code = ERR_OK};
    enum err_code code = committer_begin(ways->committer, &intake.delivery);

    if (code) {
        accept_reject(ways, req, code, &err);
        return;
    }
    find_items(req, &intake.items);
    code = take_events(&intake, &err);
    if (!code)
        code = finish(&intake);
    err.code = code; /* where there is no sentence, none is needed */
    if (code)
        accept_reject_all(ways, req, &intake.delivery, intake.accepted, &err);
    forget_errors(&ways->errors);
}
