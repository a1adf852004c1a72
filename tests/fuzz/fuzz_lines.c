/* fuzz_lines.c -- any bytes as NDJSON: each line that is not blank is one item, is refused with
 * a sentence or is an event, and in its job that event is read again. */
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/json_items.h"
#include "shared/text/utf8.h"
#include "tests/fuzz/fuzz.h"

enum {
    BODY_MAX = 65536
};

static struct event_parser *first;
static struct event_parser *second;

static size_t count_lines(const char *bytes, size_t len)
{
    size_t lines = 0;
    bool is_blank = true;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n') {
            lines += !is_blank;
            is_blank = true;
        } else if (bytes[i] == '\0' || !strchr(" \t\r", bytes[i])) {
            is_blank = false;
        }
    }
    return lines + !is_blank;
}

static void check_event(const struct event *event)
{
    struct event read;
    struct buf job;
    struct err err;

    if (!event->path.bytes)
        return; /* its url has it */
    buf_init(&job, EVENT_JOB_MAX);
    MUST(event_format_job(event, &job) == ERR_OK);
    MUST(event_parse_job(second, job.data, job.len, &read, &err) == ERR_OK);
    MUST(read.timestamp_ms == event->timestamp_ms);
    MUST(read.path.len == event->path.len);
    buf_release(&job);
}

static void check(const char *bytes, size_t len)
{
    struct json_items items;
    struct json_item item;
    struct event event;
    struct err err;
    size_t found = 0;

    json_items_init_lines(&items, bytes, len);
    len -= (size_t)(items.start - bytes); /* without a byte order mark */
    bytes = items.start;
    for (;; found++) {
        MUST(json_items_next(&items, &item, &err) == ERR_OK);
        if (!item.bytes)
            break;
        err.msg[0] = '\0';
        if (event_parse_part(first, item.bytes, item.len, &event, &err) == ERR_OK)
            check_event(&event);
        else
            MUST(err.msg[0] && utf8_is_valid(err.msg, strlen(err.msg)));
    }
    MUST(found == count_lines(bytes, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!first) {
        first = event_parser_new();
        second = event_parser_new();
    }
    MUST(first && second);
    if (size > BODY_MAX)
        return 0;
    text = malloc(size ? size : 1); /* of its size, for the sanitizer */
    MUST(text);
    memcpy(text, data, size);
    check(text, size);
    free(text);
    return 0;
}
