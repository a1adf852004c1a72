/* feed.h -- what an export is made of, row by row: events as COPY writes them, or the rows of a
 * report's statement as lines of CSV.
 *
 * It reads a connection in non-blocking mode and never waits.  Belongs to the loop.
 */
#ifndef REPORTING_EXPORT_FEED_H
#define REPORTING_EXPORT_FEED_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "reporting/export/row.h"
#include "reporting/report/report.h"
#include "shared/base/err.h"

struct buf;

struct feed {
    const struct report *report;
    const struct report *source; /* its statement, or that of another source */
    struct ask ask;
    struct row_columns columns; /* of events */
};

enum feed_state {
    FEED_ROW,   /* a row was appended */
    FEED_WAITS, /* libpq has not a whole one */
    FEED_ENDS,  /* there are no more */
    FEED_FAILS  /* err says why */
};

/* Sends the query.  False: the connection says why. */
bool feed_send(const struct feed *feed, PGconn *conn);

/* Once libpq holds what the server answers first.  FEED_ROW: rows may be read. */
enum feed_state feed_begin(const struct feed *feed, PGconn *conn, struct err *err);

/* Appends the header, if there is one; errors as buf_add(). */
enum err_code feed_add_header(const struct feed *feed, struct buf *out) MUST_CHECK;

/* Appends one row. */
enum feed_state feed_next(const struct feed *feed, PGconn *conn, struct buf *out,
                          struct err *err);

#endif
