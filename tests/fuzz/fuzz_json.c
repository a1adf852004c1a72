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

static void check_TEXT(const struct event_text *text, enum event_presence presence,
                       size_t most)
{
    if (!text->bytes) {
        MUST(presence != EVENT_REQUIRED);
        return;
    }
    MUST(text->len > 0 || presence == EVENT_NULLABLE);
    MUST(!memchr(text->bytes, '\0', text->len));
    MUST(utf8_is_valid(text->bytes, text->len));
    MUST(utf8_count(text->bytes, text->len) <= most);
}

static void check_TIME(const int64_t *ms, enum event_presence presence, size_t most)
{
    (void)presence;
    (void)most;
    MUST(*ms >= TIMESTAMP_MIN_MS && *ms <= TIMESTAMP_MAX_MS);
}

static void check_UUID(const struct uuid *uuid, enum event_presence presence, size_t most)
{
    (void)uuid;
    (void)presence;
    (void)most;
}

static void check_more(const struct event *event, enum event_more index)
{
    const struct event_more_field *field = &event_more_fields[index];
    struct event_text text;
    const int32_t *number = (const void *)((const char *)event + field->offset);

    if (field->type == EVENT_INT)
        MUST(*number >= field->least && *number <= field->most);
    if (field->type != EVENT_TEXT && field->type != EVENT_PROPS)
        return;
    text = event_text_of(event, index);
    MUST(text.len > 0 && utf8_is_valid(text.bytes, text.len));
    MUST(field->type == EVENT_PROPS ||
         utf8_count(text.bytes, text.len) <= (size_t)field->most);
}

#define CHECK(NAME, key, TYPE, member, presence, least, most)                            \
    check_##TYPE(&event->member, presence, most);

static void check_event(const struct event *event)
{
    if (event->path.bytes || !event_has(event, EVENT_MORE_URL)) {
        EVENT_FIELDS(CHECK)
    }
    for (uint64_t bits = event->more; bits; bits &= bits - 1)
        check_more(event, (enum event_more)__builtin_ctzll(bits));
}

static void same_TEXT(const struct event_text *a, const struct event_text *b)
{
    MUST(a->len == b->len && !a->bytes == !b->bytes);
    MUST(a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

static void same_TIME(const int64_t *a, const int64_t *b)
{
    MUST(*a == *b);
}

static void same_UUID(const struct uuid *a, const struct uuid *b)
{
    MUST(memcmp(a, b, sizeof(*a)) == 0);
}

static void same_more(const struct event *a, const struct event *b, enum event_more index)
{
    size_t offset = event_more_fields[index].offset;
    const void *of_a = (const char *)a + offset;
    const void *of_b = (const char *)b + offset;

    switch (event_more_fields[index].type) {
    case EVENT_INT:
        MUST(*(const int32_t *)of_a == *(const int32_t *)of_b);
        return;
    case EVENT_ID64:
        MUST(*(const uint64_t *)of_a == *(const uint64_t *)of_b);
        return;
    case EVENT_PROPS:
    case EVENT_TEXT:
        same_TEXT(of_a, of_b);
    }
}

#define SAME(NAME, key, TYPE, member, ...) same_##TYPE(&a->member, &b->member);

static void check_same(const struct event *a, const struct event *b)
{
    EVENT_FIELDS(SAME)
    EVENT_JOB_FIELDS(SAME)
    MUST(a->has_event_id == b->has_event_id);
    MUST((a->more & event_more_columns) == b->more);
    for (uint64_t bits = b->more; bits; bits &= bits - 1)
        same_more(a, b, (enum event_more)__builtin_ctzll(bits));
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
    if (!event->path.bytes)
        return; /* its url gives it, which is derived elsewhere */
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
