/* cells.h -- the fields of rows as the renderers write them.  Pure. */
#ifndef REPORTING_REPORT_CELLS_H
#define REPORTING_REPORT_CELLS_H

#include <libpq-fe.h>
#include <stdint.h>

#include "reporting/report/metric_table.h"
#include "shared/base/err.h"

struct buf;
struct report;
struct report_column;

/* The fields of a row that a column has. */
int cells_width(const struct report_column *column);

/* A field after those of the columns that is not shown: the version of what is counted. */
#define CELLS_VERSION "report_version"

/* ERR_BUG unless the rows have as many fields as the columns of the report. */
enum err_code cells_check(const struct report *report, const PGresult *rows) MUST_CHECK;

/* The rows of the list that begins with a field: none when the only row has none there. */
int cells_list_rows(const PGresult *rows, int field);

/* Appends an integer as Postgres wrote it.  ERR_BUG when it is none. */
enum err_code cells_add_int(const PGresult *rows, int row, int field,
                            struct buf *out) MUST_CHECK;

/* Reads FIGURE_COUNT fields.  ERR_BUG. */
enum err_code cells_figures(const PGresult *rows, int row, int field,
                            int64_t ret_figures[FIGURE_COUNT]) MUST_CHECK;

/* Appends a number, or `null` in its words. */
enum err_code cells_add_metric(const struct metric_value *value, const char *null,
                               struct buf *out) MUST_CHECK;

#endif
