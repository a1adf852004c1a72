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

struct buf;
struct event;
struct uuid;

#define COPY_EVENTS_COLUMNS "event_id, site_id, event_type, path, user_id, \"timestamp\""

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

/* The site_id of a row made by copy_add_row(); borrowed from it. */
const char *copy_row_site_id(const char *row, size_t *ret_len);

#endif
