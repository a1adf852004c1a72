/* source.h -- a connection on which the COPY of an export can begin.
 *
 * Straight-line code that waits, for a worker thread, as session.h.
 */
#ifndef REPORTING_EXPORT_SOURCE_H
#define REPORTING_EXPORT_SOURCE_H

#include <libpq-fe.h>
#include <stdint.h>

#include "reporting/export/row.h"
#include "reporting/report/report.h"
#include "shared/base/err.h"

struct pg_conf;

/* Connects, begins a transaction, and for an export of events hands its values over as
 * settings of that transaction, because COPY takes no parameters: analytics.value1 and so on;
 * null is ''; and tells the columns of events in *ret_columns.  The caller owns *ret_conn,
 * which is in non-blocking mode: PQfinish(). */
enum err_code source_open(const struct pg_conf *pg, int64_t timeout_ms,
                          const struct report *report,
                          const struct ask_text texts[ASK_TEXT_COUNT],
                          struct row_columns *ret_columns, PGconn **ret_conn,
                          struct err *err) MUST_CHECK;

#endif
