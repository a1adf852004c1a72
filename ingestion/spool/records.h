/* records.h -- groups as the bytes of one append to a file of the spool.
 *
 * A group becomes a record of its own (segment.h), or several when it is long.
 */
#ifndef INGESTION_SPOOL_RECORDS_H
#define INGESTION_SPOOL_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

struct group;

/* A buffer for appends of groups of which the largest has so many bytes. */
void records_init(struct buf *records, size_t group_max_bytes);

/* Adds the group's jobs, all or none.  room is what the file may grow by: no more is
 * gathered than fits, so that a nearly full spool still takes a part.
 *
 * ERR_BUSY   that is enough for one append
 * ERR_NOMEM  try again later */
enum err_code records_add(struct buf *records, const struct group *group,
                          int64_t room) MUST_CHECK;

/* Forgets the bytes, and gives much memory back. */
void records_clear(struct buf *records);

#endif
