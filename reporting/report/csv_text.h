/* csv_text.h -- a text as a cell of CSV, as RFC 4180 has it.  Pure. */
#ifndef REPORTING_REPORT_CSV_TEXT_H
#define REPORTING_REPORT_CSV_TEXT_H

#include <stddef.h>

#include "shared/base/err.h"

struct buf;

/* Appends the cell, in quotes where it needs them.  A text that a spreadsheet would take for
 * a formula, by its = + - or @, gets a ' in front.  Errors as buf_add(). */
enum err_code csv_add_text(struct buf *out, const char *bytes, size_t len) MUST_CHECK;

#endif
