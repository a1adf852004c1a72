/* dead.h -- the dead of a batch into dead_letters, in the transaction of their batch. */
#ifndef PROCESSOR_STORE_DEAD_H
#define PROCESSOR_STORE_DEAD_H

#include "shared/base/err.h"

struct batch;
struct store;

/* Writes the batch's dead to dead_letters; the transaction stays open.  All errors of a
 * statement, ERR_NOMEM. */
enum err_code dead_insert(struct store *store, const struct batch *batch,
                          struct err *err) MUST_CHECK;

#endif
