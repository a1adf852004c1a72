/* instructions_processor.c -- what the processor does with jobs between Redis and Postgres:
 * parses them, makes the rows of a COPY and sorts them.  Counted like instructions_ingestion.c. */
#include <stdio.h>
#include <stdlib.h>

#include "processor/store/batch.h"
#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "tests/bench/instructions.h"

enum {
    JOBS = 1000, /* different ones */
    JOB_BYTES = 4096,
    BATCH = 5000,
};

struct job {
    size_t at; /* in the buffer of all jobs */
    size_t len;
};

static struct job jobs[JOBS];

/* The jobs that ingestion would make of the fixed bodies, with ids that do not depend on
 * the time. */
static void make_jobs(struct event_parser *parser, struct buf *text)
{
    for (size_t i = 0; i < JOBS; i++) {
        struct event event;
        struct err err;
        size_t len;
        const char *body = instructions_body(i, &len);
        instructions_must((int)event_parse(parser, body, len, &event, &err),
                          "parse a body");
        for (size_t k = 0; k < sizeof(event.event_id.bytes); k++)
            event.event_id.bytes[k] = (uint8_t)(i >> (k % 8));
        event.has_event_id = true;
        event.received_at_ms = 1763114400123;
        jobs[i].at = text->len;
        instructions_must((int)event_format_job(&event, text), "write a job");
        jobs[i].len = text->len - jobs[i].at;
    }
}

static size_t store(struct batch *batch, struct event_parser *parser,
                    const struct buf *text, size_t first, size_t count)
{
    struct err err;

    batch_begin(batch, "0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b");
    for (size_t i = 0; i < count; i++) {
        const struct job *job = &jobs[(first + i) % JOBS];
        instructions_must(
            (int)batch_add(batch, parser, i, text->data + job->at, job->len, &err),
            "add a job");
    }
    instructions_must((int)batch_complete(batch, &err), "complete the rows");
    batch_sort(batch);
    instructions_must(batch_alive(batch) != count, "make a row of every job");
    return batch->rows.len;
}

int main(int argc, char **argv)
{
    size_t rounds = instructions_rounds(argc, argv);
    struct event_parser *parser = event_parser_new();
    struct batch batch;
    struct buf text;
    size_t bytes = 0;

    instructions_must(parser == NULL, "make a parser");
    buf_init(&text, (size_t)JOBS * JOB_BYTES);
    make_jobs(parser, &text);
    batch_init(&batch);
    for (size_t done = 0; done < rounds; done += BATCH)
        bytes += store(&batch, parser, &text, done,
                       rounds - done < BATCH ? rounds - done : BATCH);
    (void)printf("%zu bytes of rows\n", bytes);
    batch_release(&batch);
    buf_release(&text);
    event_parser_free(parser);
    return EXIT_SUCCESS;
}
