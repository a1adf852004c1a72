/* fuzz_json.c -- the event parser: what it takes comes back from its canonical form, and
 * what it refuses it refuses in a sentence that can be sent. */
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/json.h"
#include "shared/text/timestamp.h"
#include "shared/text/utf8.h"
#include "tests/fuzz/fuzz.h"

enum {
    OUT_MAX = 1 << 20
};

static struct event_parser *parser;
static struct event_parser *other; /* the first one's texts live on meanwhile */
static struct json_parser *json;

static void make_parsers(void)
{
    if (parser)
        return;
    parser = event_parser_new();
    other = event_parser_new();
    json = json_parser_new(OUT_MAX);
    MUST(parser && other && json);
}

static void check_text(const struct event_text *text, size_t max_chars)
{
    MUST(text->bytes);
    MUST(!memchr(text->bytes, '\0', text->len));
    MUST(utf8_is_valid(text->bytes, text->len));
    MUST(utf8_count(text->bytes, text->len) <= max_chars);
}

static void check_event(const struct event *event)
{
    check_text(&event->site_id, EVENT_SITE_ID_MAX);
    check_text(&event->event_type, EVENT_TYPE_MAX);
    check_text(&event->path, EVENT_PATH_MAX);
    MUST(event->site_id.len > 0 && event->event_type.len > 0 && event->path.len > 0);
    if (event->user_id.bytes)
        check_text(&event->user_id, EVENT_USER_ID_MAX);
    MUST(event->timestamp_ms >= TIMESTAMP_MIN_MS);
    MUST(event->timestamp_ms <= TIMESTAMP_MAX_MS);
}

static void check_same_text(const struct event_text *a, const struct event_text *b)
{
    MUST(a->len == b->len && !a->bytes == !b->bytes);
    MUST(a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static void check_same(const struct event *a, const struct event *b)
{
    check_same_text(&a->site_id, &b->site_id);
    check_same_text(&a->event_type, &b->event_type);
    check_same_text(&a->path, &b->path);
    check_same_text(&a->user_id, &b->user_id);
    MUST(a->timestamp_ms == b->timestamp_ms);
    MUST(a->received_at_ms == b->received_at_ms);
    MUST(a->has_event_id == b->has_event_id);
    MUST(memcmp(&a->event_id, &b->event_id, sizeof(a->event_id)) == 0);
}

/* The job takes exactly the room that was foretold, as ingestion writes it. */
static void check_size(const struct event *event, const struct buf *job)
{
    size_t size = event_job_size(event);
    char *exact = malloc(size); /* so that the sanitizer sees a byte too many */

    MUST(exact && size == job->len);
    MUST(event_put_job(event, exact) == exact + size);
    MUST(memcmp(exact, job->data, size) == 0);
    free(exact);
}

static void check_accepted(const struct event *event)
{
    struct event again;
    struct err err;
    struct buf job;

    check_event(event);
    buf_init(&job, OUT_MAX);
    MUST(event_format_job(event, &job) == ERR_OK);
    check_size(event, &job);
    MUST(event_parse_job(other, job.data, job.len, &again, &err) == ERR_OK);
    check_same(event, &again);
    buf_release(&job);
}

static void check_refused(enum err_code code, const struct err *err)
{
    const struct cJSON *root;
    struct err ignored;
    struct buf body;

    MUST(code == ERR_INVALID || code == ERR_TOO_BIG);
    MUST(err->code == code && err->msg[0]);
    MUST(strlen(err->msg) < sizeof(err->msg) - 1); /* not cut */
    MUST(utf8_is_valid(err->msg, strlen(err->msg)));
    buf_init(&body, OUT_MAX);
    MUST(json_add_error(&body, err->msg) == ERR_OK);
    MUST(json_parse(json, "error", body.data, body.len, &root, &ignored) == ERR_OK);
    buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct event event;
    struct err err;
    enum err_code code;

    make_parsers();
    code = event_parse(parser, bytes, size, &event, &err);
    if (code)
        check_refused(code, &err);
    else
        check_accepted(&event);
    code = event_parse_job(parser, bytes, size, &event, &err);
    if (code)
        check_refused(code, &err);
    else
        check_accepted(&event);
    return 0;
}
