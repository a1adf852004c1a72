/* batch.h -- POST /batch: many events at once, as a JSON array, as {"batch":[...]}, or one a
 * line (NDJSON).
 *
 * Each event is judged for itself, and one that is refused is an entry of the answer.  The
 * others are stored together or not at all: they are one request in the group.  Whatever is
 * wrong with what is around the events refuses all of them.
 */
#ifndef INGESTION_WAYS_BATCH_H
#define INGESTION_WAYS_BATCH_H

struct http_request;
struct ways;

enum {
    WAY_BATCH_ERRORS = 100, /* that an answer lists; all are counted */
    /* Bytes of so many entries: a sentence of 384, each of them an escape of six. */
    WAY_BATCH_ERRORS_MAX = WAY_BATCH_ERRORS * (6 * 384 + 64)
};

/* Answers the request, or has it wait until its events are safe. */
void way_batch(struct http_request *req, struct ways *ways);

#endif
