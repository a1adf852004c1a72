/* instructions_ingestion.c -- what ingestion does with a body once it is there: checks it
 * by the rules, gives it its id and writes the job.  Run under callgrind by
 * test_instructions.py, which compares the instructions for each event with a committed
 * figure. */
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "tests/bench/instructions.h"

enum {
    GROUP = 64, /* jobs gathered before they are sent */
    GROUP_BYTES = 1048576,
};

static const int64_t received_at_ms = 1763114400123;

static void take(struct event_parser *parser, size_t number, struct buf *group)
{
    struct event event;
    struct err err;
    size_t len;
    const char *body = instructions_body(number, &len);

    instructions_must((int)event_parse(parser, body, len, &event, &err), "parse a body");
    if (!event.has_event_id) {
        event.event_id = uuid_v7();
        event.has_event_id = true;
    }
    event.received_at_ms = received_at_ms;
    instructions_must((int)event_format_job(&event, group), "write a job");
}

int main(int argc, char **argv)
{
    size_t rounds = instructions_rounds(argc, argv);
    struct event_parser *parser = event_parser_new();
    struct buf group;
    size_t bytes = 0;

    instructions_must(parser == NULL, "make a parser");
    buf_init(&group, GROUP_BYTES);
    for (size_t i = 0; i < rounds; i++) {
        take(parser, i, &group);
        if ((i + 1) % GROUP == 0) {
            bytes += group.len;
            buf_clear(&group);
        }
    }
    (void)printf("%zu bytes of jobs\n", bytes + group.len);
    buf_release(&group);
    event_parser_free(parser);
    return EXIT_SUCCESS;
}
