/* batch.h -- the jobs of one transaction: rows ready for COPY, and those that are dead.
 *
 * Jobs are added in the order of the claimed batch, then sorted.  A job that breaks a rule
 * is dead from the start; a row that Postgres will not have is buried later.  A batch is sent
 * as often as its transaction takes; after an outage its owner fills it anew from the jobs
 * (worker.c), since the connection, and with it the schema, may have changed meanwhile.  A
 * batch knows nothing of sockets: store.c sends it.
 *
 * Not thread-safe: a batch belongs to its worker.
 */
#ifndef PROCESSOR_STORE_BATCH_H
#define PROCESSOR_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "processor/store/copy.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/text/uuid.h"

struct event_parser;

enum {
    BATCH_SQLSTATE_LEN = 5
};

struct batch_item {
    size_t place;    /* in the claimed batch, from 0 */
    const char *job; /* borrowed from the claim */
    size_t job_len;
    struct uuid event_id; /* the job's, or made from batch and place */
    bool is_made;         /* the latter */
    int64_t timestamp_ms; /* since 1970; 0 without a row */
    size_t row_at;        /* in rows */
    size_t row_len;       /* 0: the job never became a row */
    size_t site_at;       /* in sites; its site_id, of a job that became a row */
    size_t site_len;
    bool is_dead;
    char *reason;                          /* owned; of a dead one */
    char sqlstate[BATCH_SQLSTATE_LEN + 1]; /* "": the job itself is wrong */
};

struct batch {
    char id[64];              /* of the claimed batch */
    struct uuid uuid;         /* the same as a number, to make event ids from */
    struct batch_item *items; /* owned */
    size_t count;
    size_t cap;
    size_t dead;                 /* of count */
    struct buf rows;             /* COPY rows of all items that became one; see copy.h */
    struct copy_columns columns; /* of them */
    struct buf sites; /* their site_ids, one after the other: what a dead letter shows */
};

void batch_init(struct batch *batch);
void batch_release(struct batch *batch);

/* Empties the batch for the jobs of the claimed batch of this id, and keeps the memory. */
void batch_begin(struct batch *batch, const char *id);

/* Adds a job; a wrong one is added dead.  The bytes stay the caller's and must outlive the
 * batch's use.  ERR_NOMEM: batch is unchanged. */
enum err_code batch_add(struct batch *batch, struct event_parser *parser, size_t place,
                        const char *job, size_t len, struct err *err) MUST_CHECK;

/* Adds a job as dead, unread. */
enum err_code batch_add_dead(struct batch *batch, size_t place, const char *job,
                             size_t len, const char *reason, struct err *err) MUST_CHECK;

/* Gives all rows the same columns; after the last job was added.  ERR_NOMEM. */
enum err_code batch_complete(struct batch *batch, struct err *err) MUST_CHECK;

/* Brings the items into the order in which every batch stores them: timestamp, event_id,
 * place; of those whose id was made, which no other batch has, timestamp and place.
 * Two batches with the same events then wait for one another in turn and never in a circle,
 * and of equal events the first one wins.  It is the order of the key: COPY fills one
 * partition after the other, and one page of its index after the other. */
void batch_sort(struct batch *batch);

/* Declares items[index], alive until now, dead. */
enum err_code batch_bury(struct batch *batch, size_t index, const char *sqlstate,
                         const char *reason, struct err *err) MUST_CHECK;

/* The index of the n-th row that is alive, from 0. */
size_t batch_alive_index(const struct batch *batch, size_t n);

/* How many rows are alive. */
size_t batch_alive(const struct batch *batch);

/* The UUID of a job that brings none: the same for the same batch and place. */
struct uuid batch_event_id(const struct uuid *batch, size_t place);

#endif
