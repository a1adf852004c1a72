/* stats_query.h -- the parameters of GET /stats, checked.
 *
 *   site_id  required, not empty; any text
 *   date     a day in UTC, YYYY-MM-DD; absent or empty is all time
 *   exact    true or false; absent is false
 *
 * Other parameters are ignored.  Pure.
 */
#ifndef REPORTING_REPORT_STATS_QUERY_H
#define REPORTING_REPORT_STATS_QUERY_H

#include <stdbool.h>

#include "shared/base/err.h"

struct query;

struct stats_query {
    const char *site_id; /* borrowed from the struct query */
    const char *date;    /* borrowed likewise; NULL: all time */
    bool is_exact;       /* counted from raw events instead of the roll-up */
};

/* Reads the parameters.  ERR_INVALID with the contract's sentence for the first one that
 * is wrong, in the order above. */
enum err_code stats_query_read(const struct query *query, struct stats_query *ret_query,
                               struct err *err) MUST_CHECK;

#endif
