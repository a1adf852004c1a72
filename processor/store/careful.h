/* careful.h -- one try of the careful way; the picture is in store.h. */
#ifndef PROCESSOR_STORE_CAREFUL_H
#define PROCESSOR_STORE_CAREFUL_H

#include <stdbool.h>

#include "shared/base/err.h"

struct batch;
struct store;

/* The whole transaction.  ERR_OK with *ret_again set: a row was buried and nothing stored,
 * try again at once.  After an error the transaction is still open: store_abort() ends it. */
enum err_code store_carefully(struct store *store, struct batch *batch, bool *ret_again,
                              struct err *err) MUST_CHECK;

#endif
