/* size.h -- how many events the next chunk of the roll-up takes.
 *
 * As many as take a given time: a chunk holds its locks until it ends, and a larger one is
 * cheaper for each event, for fewer rows of counts are written.
 *
 * After any failure it takes fewer, down to one: so what one event brings about meets that
 * event alone in the end, and all others are counted.  Afterwards chunks grow again, slowly
 * when it was their size that may have been too much.  Pure.
 */
#ifndef PROCESSOR_ROLLUP_SIZE_H
#define PROCESSOR_ROLLUP_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct rollup_size {
    int64_t max;       /* ROLLUP_MAX_ROWS */
    int64_t target_ms; /* ROLLUP_CHUNK_MS */
    int64_t rows;      /* of the next chunk, 1 at least */
    bool grows_slowly;

    /* of a chunk that had but one id */
    int64_t position;   /* before it; -1: there has been none */
    int64_t tries;      /* failures in a row */
    enum err_code code; /* of the last one */
};

void rollup_size_init(struct rollup_size *size, int64_t max_rows, int64_t target_ms);

/* A chunk of the ids after position failed, `waiting` of them being there. */
void rollup_size_fail(struct rollup_size *size, enum err_code code, int64_t position,
                      int64_t waiting);

/* A chunk of `taken` events was rolled up in took_ms. */
void rollup_size_succeed(struct rollup_size *size, int64_t taken, int64_t took_ms);

/* How often a chunk of the one id after position has failed. */
int64_t rollup_size_tries(const struct rollup_size *size, int64_t position);

/* Whether the event after position is to be set aside without another try: several
 * times the connection was lost over it, or it took too long, although Postgres worked right
 * before.  For errors that Postgres itself reports rollup_chunk_alone() decides.  Where setting
 * it aside fails too, Postgres takes no writes, and the event is not to blame: it is tried
 * again, or the first write that succeeds after a long outage would set it aside. */
bool rollup_size_gives_up(const struct rollup_size *size, int64_t position);

#endif
