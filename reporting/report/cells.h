/* cells.h -- the fields of rows as the renderers write them.  Pure. */
#ifndef REPORTING_REPORT_CELLS_H
#define REPORTING_REPORT_CELLS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "reporting/report/metric_table.h"
#include "shared/base/err.h"

struct ask;
struct buf;
struct report;
struct report_column;

/* The fields of a row that a column has. */
int cells_width(const struct report_column *column);

/* A field after those of the columns that is not shown: the version of what is counted. */
#define CELLS_VERSION "report_version"

/* Another one: the first day of which raw events are kept, where some that were asked are not; or
 * null. */
#define CELLS_RAW_FROM "raw_from"

/* ERR_INVALID when the rows lack what was asked. */
enum err_code cells_check_known(const PGresult *rows, struct err *err) MUST_CHECK;

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

/* Whether a row has figures of the period before, which begin with a field: not where that has
 * no such bucket, nor where nothing is known of it. */
bool cells_has_previous(const struct ask *ask, const PGresult *rows, int row, int field);

/* Appends a number, or `null` in its words. */
enum err_code cells_add_metric(const struct metric_value *value, const char *null,
                               struct buf *out) MUST_CHECK;

#endif
