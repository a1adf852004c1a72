/* fuzz_props.c -- any bytes as the props of an event: what is taken is a canonical object, in
 * its job it is read the same again, and it is no larger than a job may be. */
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/utf8.h"
#include "tests/fuzz/fuzz.h"

static const char head[] = "{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"/\","
                           "\"timestamp\":\"2025-11-14\",\"event_id\":"
                           "\"01890a5d-ac96-774b-bcce-b302099a8057\",\"props\":";

static void check(struct event_parser *again, const struct event *event)
{
    struct event_text props = event_text_of(event, EVENT_MORE_PROPS);
    struct event_text same;
    struct event read;
    struct buf job;
    struct err err;

    MUST(props.len >= 2 && props.bytes[0] == '{' && props.bytes[props.len - 1] == '}');
    MUST(utf8_is_valid(props.bytes, props.len) && !memchr(props.bytes, '\0', props.len));
    buf_init(&job, EVENT_JOB_MAX);
    MUST(event_format_job(event, &job) == ERR_OK);
    MUST(job.len == event_job_size(event));
    MUST(event_parse_job(again, job.data, job.len, &read, &err) == ERR_OK);
    same = event_text_of(&read, EVENT_MORE_PROPS);
    MUST(same.len == props.len && memcmp(same.bytes, props.bytes, props.len) == 0);
    buf_release(&job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_parser *parsers[2];
    size_t len = strlen(head) + size + 1;
    struct event event;
    struct err err = {.msg = ""};
    char *body;

    for (int i = 0; i < 2 && !parsers[i]; i++)
        parsers[i] = event_parser_new();
    MUST(parsers[0] && parsers[1]);
    if (len > EVENT_BODY_MAX)
        return 0;
    body = malloc(len); /* of its size, for the sanitizer */
    MUST(body);
    memcpy(body, head, strlen(head));
    memcpy(body + strlen(head), data, size);
    body[len - 1] = '}';
    if (event_parse(parsers[0], body, len, &event, &err) != ERR_OK)
        MUST(err.msg[0] && utf8_is_valid(err.msg, strlen(err.msg)));
    else if (event_has(&event, EVENT_MORE_PROPS))
        check(parsers[1], &event);
    free(body);
    return 0;
}
