/* copy.h -- events as rows of Postgres's binary COPY format.
 *
 * A COPY is a header, rows, and a trailer.  The order of the columns is that of
 * COPY_EVENTS_COLUMNS.  Pure: bytes out, no library.
 */
#ifndef PROCESSOR_STORE_COPY_H
#define PROCESSOR_STORE_COPY_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/event/fields.h"

struct buf;
struct event;
struct uuid;

/* The columns of a row, as SQL: event_id, then the others in the order of fields.h. */
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

/* Appends the row of *event under the given id.  ERR_TOO_BIG or ERR_NOMEM, as buf_add();
 * out then holds what it held before. */
enum err_code copy_add_row(struct buf *out, const struct uuid *event_id,
                           const struct event *event) MUST_CHECK;

/* Appends a row made by copy_add_row() with one column more in front: place, an integer.
 * Errors as above. */
enum err_code copy_add_placed_row(struct buf *out, int32_t place, const char *row,
                                  size_t len) MUST_CHECK;

#endif
