/* show.h -- dead letters as text for people and as JSON for programs.
 *
 * What other programs put into the queue may hold any bytes.  In a table nothing reaches
 * the terminal but characters that stay where they are put; JSON lines are valid UTF-8.
 *
 * Pure: values in, bytes out.
 */
#ifndef PROCESSOR_DEAD_SHOW_H
#define PROCESSOR_DEAD_SHOW_H

#include <stddef.h>

#include "shared/base/err.h"

struct buf;
struct letter;

enum {
    DEAD_SHOW_PREVIEW = 60 /* characters of a payload in a row of the table */
};

/* Errors of all as buf_add(). */

/* Appends at most max characters of the text, without anything that moves a cursor or
 * changes the direction of writing: such characters, backslashes and what is not UTF-8 are
 * written as \n, \\, \x1b.  *ret_width, unless NULL, is the number of characters. */
enum err_code dead_show_escaped(struct buf *out, const char *bytes, size_t len,
                                size_t max, size_t *ret_width) MUST_CHECK;

/* The head of the table, and a row of it. */
enum err_code dead_show_head(struct buf *out) MUST_CHECK;
enum err_code dead_show_row(struct buf *out, const struct letter *letter) MUST_CHECK;

/* Everything about a letter, a line for each thing, and an empty line. */
enum err_code dead_show_whole(struct buf *out, const struct letter *letter) MUST_CHECK;

/* The same as one JSON object and a line feed.  A payload that is not UTF-8 stands under
 * payload_hex instead of payload. */
enum err_code dead_show_json(struct buf *out, const struct letter *letter) MUST_CHECK;

#endif
