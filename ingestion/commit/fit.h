/* fit.h -- how large a group may be for a Redis that is nearly full.
 *
 * Redis counts a command that it is reading as memory in use.  Near maxmemory it therefore
 * refuses each group that is larger than what is free (OOM), and would refuse it for ever;
 * a smaller one it takes.  So after such a refusal the next group is half as large, down to
 * one part, and after one that was taken twice as large, until there is no limit again.
 * The same after replies that were lost twice in a row: a server may close the connection
 * on a command that is too large for it.
 *
 * A part is what is sent together or not at all: the jobs of one request, or a job that the
 * spool feeds.  Each sender has its own: what the spool cannot get rid of does not slow new
 * events down.  Pure.
 */
#ifndef INGESTION_COMMIT_FIT_H
#define INGESTION_COMMIT_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct fit {
    size_t max_bytes; /* of the next group, which has one part at least; 0: no limit */
    unsigned lost;    /* replies in a row */
};

/* Takes note of what became of a group: ERR_OK, taken; ERR_TOO_BIG, refused because memory
 * is short; ERR_TIMEOUT, the reply was lost; anything else says nothing about sizes. */
void fit_note(struct fit *fit, enum err_code code, size_t bytes, size_t parts);

/* Whether a group that has so many bytes and parts may take a further part of len bytes. */
bool fit_has_room(const struct fit *fit, size_t bytes, size_t parts, size_t len);

#endif
