/* row.h -- a row of events as COPY writes it, made into a line of CSV or NDJSON.  Pure.
 *
 * COPY's text has a tab between cells, \N for null, and a backslash in front of what would
 * be misread.  Which columns there are, and of which types, the database says.
 */
#ifndef REPORTING_EXPORT_ROW_H
#define REPORTING_EXPORT_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct buf;

enum {
    ROW_COLUMNS_MAX = 64,
    ROW_NAME_SIZE = 64
};

enum row_kind {
    ROW_TEXT,
    ROW_NUMBER,
    ROW_TIME, /* 2025-11-14 10:00:00.5+00, written as 2025-11-14T10:00:00.500Z */
    ROW_JSON,
    ROW_ID64 /* a bigint, written as the 16 hexadecimal digits of its bits */
};

struct row_columns {
    bool is_csv; /* else NDJSON */
    size_t count;
    struct {
        char name[ROW_NAME_SIZE];
        enum row_kind kind;
    } at[ROW_COLUMNS_MAX];
};

/* Appends the names, in CSV; in NDJSON each row has them.  Errors as buf_add(). */
enum err_code row_add_header(const struct row_columns *columns,
                             struct buf *out) MUST_CHECK;

/* Appends a row, whose bytes it changes.  ERR_BUG when the row has other columns. */
enum err_code row_add(const struct row_columns *columns, char *row, size_t len,
                      struct buf *out) MUST_CHECK;

#endif
