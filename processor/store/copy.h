/* copy.h -- events as rows of Postgres's binary COPY format.
 *
 * A COPY is a header, rows, and a trailer.  All rows of one have the same columns: those that
 * every event has, in the order of COPY_EVENTS_COLUMNS, and then those that some event of
 * the batch has, in the order in which they came up.  So a row that was written before its
 * batch met another column lacks that at its end, which copy_add_complete() mends; and a batch of
 * events that have none of them is no byte longer.  Pure: bytes out, no library.
 */
#ifndef PROCESSOR_STORE_COPY_H
#define PROCESSOR_STORE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/event/event.h"

struct buf;
struct uuid;

/* The columns of every row, as SQL: event_id, then the others in the order of fields.h. */
#define COPY_COLUMN_TEXT(key)             ", \"" key "\""
#define COPY_COLUMN_TIME(key)             COPY_COLUMN_TEXT(key)
#define COPY_COLUMN_UUID(key)             /* in front */
#define COPY_COLUMN(NAME, key, TYPE, ...) COPY_COLUMN_##TYPE(key)
#define COPY_EVENTS_COLUMNS               "\"event_id\"" EVENT_FIELDS(COPY_COLUMN)

enum {
    COPY_HEADER_LEN = 19,
    COPY_TRAILER_LEN = 2
};

/* What stands before the first row and after the last.  Static. */
const char *copy_header(void);
const char *copy_trailer(void);

/* The columns that few events have, of one batch.  All zero: none yet. */
struct copy_columns {
    uint64_t mask; /* bits as in struct event's `more` */
    size_t count;
    uint8_t fields[EVENT_MORE_COUNT]; /* enum event_more, in the order of the rows */
};

/* Appends the row of *event under the given id, and its columns to *columns.  ERR_TOO_BIG or
 * ERR_NOMEM, as buf_add(); out then holds what it held before. */
enum err_code copy_add_row(struct buf *out, const struct uuid *event_id,
                           const struct event *event,
                           struct copy_columns *columns) MUST_CHECK;

/* Whether a row has all of the columns. */
bool copy_is_complete(const char *row, const struct copy_columns *columns);

/* Appends a row made by copy_add_row(), with NULL for the columns that it lacks.  With a
 * place (-1: none) that stands in front of the others, as an integer.  Errors as above. */
enum err_code copy_add_complete(struct buf *out, const char *row, size_t len,
                                int32_t place,
                                const struct copy_columns *columns) MUST_CHECK;

/* Appends the names of all columns, as SQL. */
enum err_code copy_add_names(struct buf *out,
                             const struct copy_columns *columns) MUST_CHECK;

#endif
