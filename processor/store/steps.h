/* steps.h -- the steps of a transaction, for the fast way (store.c), the careful way
 * (careful.c) and the dead (dead.c).  None of them retries. */
#ifndef PROCESSOR_STORE_STEPS_H
#define PROCESSOR_STORE_STEPS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

enum {
    STORE_NAME_MAX = 64,
};

struct batch;
struct pg_failure;
struct pg_piece;
struct processor_conf;

struct store {
    const struct processor_conf *conf; /* borrowed */
    PGconn *conn;                      /* owned; NULL: not connected */
    int64_t patience_ms;               /* for one statement */
    struct buf placed;                 /* rows of the careful way */
    struct buf sql;                    /* the present statement, with a batch's columns */
    size_t inserted; /* by the last store_batch(); its other rows were there before */
    unsigned careful_left; /* batches for which the fast way is not tried first */
    uint64_t last_host;    /* the server that conn led to */
    bool must_evict;       /* a backend of ours may still be at work on the batch */
};

/* The application_name of a backend at work on the batch.  It has only the characters of a
 * UUID besides its first word, so that it may stand in a statement's text. */
void store_backend_name(const struct batch *batch, char out[STORE_NAME_MAX]);

void store_disconnect(struct store *store);

/* BEGIN, with the batch's id as application_name. */
enum err_code store_begin(struct store *store, const struct batch *batch,
                          struct err *err) MUST_CHECK;

/* COMMIT, and the tag is COMMIT. */
enum err_code store_commit(struct store *store, struct err *err) MUST_CHECK;

/* Runs a statement without parameters or rows. */
enum err_code store_run(struct store *store, const char *sql, struct err *err) MUST_CHECK;

/* Copies the batch's rows that are alive, in pieces between header and trailer, `into` a
 * table ("events ("), and checks that the server counted all of them.  After a failure the
 * transaction is still open: store_abort() ends it. */
enum err_code store_copy(struct store *store, const char *into, const struct batch *batch,
                         struct pg_piece *pieces, size_t count,
                         struct pg_failure *ret_failure, struct err *err) MUST_CHECK;

/* Ends the transaction after a failure, the connection too if need be. */
void store_abort(struct store *store, enum err_code code);

/* Buries the row that a COPY's error names; *ret_buried is false when it names none.
 * ERR_NOMEM. */
enum err_code store_bury_line(struct batch *batch, const struct pg_failure *failure,
                              const struct err *why, bool *ret_buried,
                              struct err *err) MUST_CHECK;

#endif
