/* stats_rows.h -- the figures of a site out of the rows of a stats statement. */
#ifndef REPORTING_REPORT_STATS_ROWS_H
#define REPORTING_REPORT_STATS_ROWS_H

#include <libpq-fe.h>

#include "shared/base/err.h"

struct stats;

/* Reads rows in the form of statement.h.  The paths of *ret_stats are borrowed from rows.
 * ERR_BUG when they are not what that form promises. */
enum err_code stats_rows_read(const PGresult *rows, struct stats *ret_stats,
                              struct err *err) MUST_CHECK;

#endif
