/* render.h -- the JSON of an answer.  Pure: values in, bytes out. */
#ifndef REPORTING_REPORT_RENDER_H
#define REPORTING_REPORT_RENDER_H

#include "shared/base/err.h"

struct buf;
struct stats;

/* Appends the body of GET /stats, keys in the contract's order; date NULL is null.
 * Errors as buf_add(), and out may then hold a part. */
enum err_code render_stats(const char *site_id, const char *date,
                           const struct stats *stats, struct buf *out) MUST_CHECK;

#endif
