/* timestamp.h -- points in time as text; the forms that the HTTP contract lists.  Pure. */
#ifndef SHARED_TEXT_TIMESTAMP_H
#define SHARED_TEXT_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    TIMESTAMP_TEXT_LEN = 24 /* 2025-11-14T10:00:00.000Z */
};

/* The years 0001 to 9999, in milliseconds since 1970-01-01T00:00:00Z. */
#define TIMESTAMP_MIN_MS INT64_C(-62135596800000)
#define TIMESTAMP_MAX_MS INT64_C(253402300799999)

/* Reads an ISO 8601 date or date and time; without a zone it is UTC.  Digits beyond
 * milliseconds are cut off.  ERR_INVALID for any other text, for a day that its month does
 * not have and for what is, in UTC, outside the years 0001 to 9999. */
enum err_code timestamp_parse(const char *text, size_t len, int64_t *ret_ms) MUST_CHECK;

/* Writes exactly TIMESTAMP_TEXT_LEN characters and no NUL.  ms lies between
 * TIMESTAMP_MIN_MS and TIMESTAMP_MAX_MS. */
void timestamp_format(int64_t ms, char *out);

/* True for a real day in the form YYYY-MM-DD, year 0001 or later. */
bool timestamp_is_date(const char *text, size_t len);

#endif
