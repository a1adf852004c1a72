/* store.h -- a batch into Postgres, in one transaction.
 *
 *   BEGIN -> COPY into events -> dead letters -> COMMIT, and the tag is COMMIT
 *     |         |
 *     |         +- a key is there already -> ROLLBACK, the careful way
 *     |         +- poison in row n -> ROLLBACK, row n is dead, again
 *     |         +- poison, no row named -> ROLLBACK, the careful way
 *     +--------- anything else -> ROLLBACK, the error is the caller's to retry
 *
 * When events are there already, more of them are likely: the next batches go the careful
 * way at once, as long as it keeps finding some.
 *
 *   careful: BEGIN -> COPY into a temporary table -> INSERT ... ON CONFLICT DO NOTHING,
 *            halved around poison -> dead letters -> COMMIT
 *
 * The payload is complete before BEGIN, so a transaction never waits for us.  While it
 * runs its backend has the batch's id as its application_name, by which a later owner of
 * the batch finds and ends it.
 *
 * A store belongs to one thread.  It connects when it is used, and again after a failure.
 */
#ifndef PROCESSOR_STORE_STORE_H
#define PROCESSOR_STORE_STORE_H

#include <stdbool.h>

#include "processor/store/steps.h"
#include "shared/base/err.h"

struct batch;
struct processor_conf;

void store_init(struct store *store, const struct processor_conf *conf);
void store_release(struct store *store);

/* Stores the batch: one try.  On success every job of it is in events, was there before,
 * or is in dead_letters.  is_adopted: somebody else had the batch before.
 *
 * On failure nothing is stored, or, after ERR_TIMEOUT and ERR_UNAVAILABLE, it is not known;
 * err_action() of the code says what to do: retry the whole batch soon, or slowly. */
enum err_code store_batch(struct store *store, struct batch *batch, bool is_adopted,
                          struct err *err) MUST_CHECK;

#endif
