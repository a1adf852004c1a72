/* resp.h -- Redis's protocol read a second time, by other code than hiredis's: whole values,
 * one after the other.  For the judgement of the fuzz targets; quadratic, and simple. */
#ifndef TESTS_FUZZ_RESP_H
#define TESTS_FUZZ_RESP_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

struct resp_text {
    const char *bytes; /* borrowed */
    size_t len;
};

/* The n-th value, from 0, as it stands there; false when there are not so many. */
bool resp_nth(const struct buf *stream, size_t n, struct resp_text *ret_value);

/* Whether a value, as a reply to INFO, says that Redis has written everything, or that it
 * cannot tell. */
bool resp_says_written(struct resp_text info);

#endif
