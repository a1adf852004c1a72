/* resolve.h -- a question on its way to its statement: the texts that are made of it.
 *
 * A request keeps its ask beyond the query string, in memory of its own; there the texts
 * that were read are copied, and the days of its period, its filters and its page are
 * written down.  Pure.
 */
#ifndef REPORTING_REPORT_RESOLVE_H
#define REPORTING_REPORT_RESOLVE_H

#include <stddef.h>

#include "reporting/report/period.h"
#include "shared/base/err.h"

struct ask;
struct buf;

/* Copies what ask borrows to the end of `out`, which has room for ask_bytes() and does not
 * move: the ask borrows from there then. */
size_t ask_bytes(const struct ask *ask);
void ask_move(struct ask *ask, struct buf *out);

/* Writes down limit and offset. */
enum err_code ask_set_page(struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

/* What Postgres says about the time of a site, and what is kept of it. */
struct ask_now {
    struct period_now days;
    const char *since;          /* when the last 24 hours began, as Postgres writes it */
    const char *previous_since; /* 24 hours before */
};

/* Writes down the days of a range, what they are compared with, the interval and the
 * filters.  ERR_INVALID: too many buckets, days before the year 1, or such of which is kept no
 * longer what could answer. */
enum err_code ask_set_range(struct ask *ask, const struct ask_now *now, struct buf *out,
                            struct err *err) MUST_CHECK;

#endif
