/* parts.h -- the steps that store.c and careful.c share.  For these two, and
 * for dead.c, only. */
#ifndef PROCESSOR_STORE_PARTS_H
#define PROCESSOR_STORE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct batch;
struct pg_failure;
struct pg_piece;
struct store;

/* BEGIN, with the batch's id as application_name. */
enum err_code store_begin(struct store *store, const struct batch *batch,
                          struct err *err) MUST_CHECK;

/* COMMIT, and the tag is COMMIT. */
enum err_code store_commit(struct store *store, struct err *err) MUST_CHECK;

/* Runs a statement without parameters or rows. */
enum err_code store_run(struct store *store, const char *sql, struct err *err) MUST_CHECK;

/* Copies the batch's rows that are alive, in pieces between header and trailer, `into` a
 * table ("events ("), and checks that the server counted all of them.  After a failure the transaction is still open: store_abort() ends it. */
enum err_code store_copy(struct store *store, const char *into, const struct batch *batch,
                         struct pg_piece *pieces, size_t count,
                         struct pg_failure *ret_failure, struct err *err) MUST_CHECK;

/* Ends the transaction after a failure, the connection too if need be. */
void store_abort(struct store *store, enum err_code code);

/* Writes the batch's dead to dead_letters (dead.c). */
enum err_code dead_insert(struct store *store, const struct batch *batch,
                          struct err *err) MUST_CHECK;

/* One try of the careful way, whole transaction (careful.c).  ERR_OK with
 * *ret_again set: a row was buried and nothing stored, try at once again. */
enum err_code store_carefully(struct store *store, struct batch *batch, bool *ret_again,
                              struct err *err) MUST_CHECK;

/* Buries the row that a COPY's error names; *ret_buried is false when it names none.
 * ERR_NOMEM. */
enum err_code store_bury_line(struct batch *batch, const struct pg_failure *failure,
                              const struct err *why, bool *ret_buried,
                              struct err *err) MUST_CHECK;

#endif
