/* render.h -- the answer of a report, from the rows of its statement and by the types of its
 * columns.  Pure. */
#ifndef REPORTING_REPORT_RENDER_H
#define REPORTING_REPORT_RENDER_H

#include <libpq-fe.h>

#include "shared/base/err.h"

struct ask;
struct buf;
struct report;

/* What a format is sent as. */
#define RENDER_CSV_TYPE "text/csv; charset=utf-8; header=present"

/* Appends the JSON, or the CSV: a header, and a line for each row.  ERR_BUG when the rows have
 * not the form that the columns promise, errors as buf_add(); out may then hold a part. */
enum err_code render_json(const struct report *report, const struct ask *ask,
                          const PGresult *rows, struct buf *out,
                          struct err *err) MUST_CHECK;
enum err_code render_csv(const struct report *report, const struct ask *ask,
                         const PGresult *rows, struct buf *out,
                         struct err *err) MUST_CHECK;

/* The parts of a CSV: its header, and the lines of some of its rows. */
enum err_code render_csv_header(const struct report *report, const struct ask *ask,
                                struct buf *out) MUST_CHECK;
enum err_code render_csv_lines(const struct report *report, const struct ask *ask,
                               const PGresult *rows, struct buf *out,
                               struct err *err) MUST_CHECK;

#endif
