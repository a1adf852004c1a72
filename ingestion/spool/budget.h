/* budget.h -- how many bytes the files of the spool have, and may have.
 *
 * That is our own account.  Other processes may use the same directory (one that is being
 * replaced, say), so each time the directory is listed the account is corrected, unless
 * something of ours was written meanwhile, of which nobody knows whether the list has it.
 * Several loops list and write at the same time, so changes are numbered: that one has
 * ended before the list does not show that none began after it.
 *
 * Thread-safe.
 */
#ifndef INGESTION_SPOOL_BUDGET_H
#define INGESTION_SPOOL_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct spool_budget {
    int64_t max_bytes;
    uv_mutex_t lock; /* of what follows */
    int64_t used;
    uint64_t changes; /* of used, so far */
    int under_way;    /* changes that have begun and not ended */
};

/* ERR_NOMEM */
enum err_code spool_budget_init(struct spool_budget *budget,
                                int64_t max_bytes) MUST_CHECK;
void spool_budget_destroy(struct spool_budget *budget);

/* Sets room for that many bytes aside; false when there is not so much. */
bool spool_budget_begin(struct spool_budget *budget, int64_t bytes);

/* Ends a change, which came out by so many bytes differently. */
void spool_budget_end(struct spool_budget *budget, int64_t difference);

/* For whoever lists the directory: the number of changes before, and what was found. */
uint64_t spool_budget_changes(struct spool_budget *budget);
void spool_budget_correct(struct spool_budget *budget, uint64_t changes_before,
                          int64_t found);

int64_t spool_budget_used(struct spool_budget *budget);

/* Bytes that may be added. */
int64_t spool_budget_room(struct spool_budget *budget);

#endif
