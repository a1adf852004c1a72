/* replies.h -- how the answers of reports are sent: entity tags, 304, gzip, Cache-Control; and
 * the answers that are kept, for the time in which nothing is counted.
 *
 * All that the rollups can answer depends on the question and on their version, which changes
 * with each chunk of the roll-up and with each change of a site.  Who asks has asked for the
 * version first, so what is kept under it is as new as the question; an entity tag is made of
 * the two, and tells a client that it has the answer without it being made.
 *
 * Belongs to the loop.
 */
#ifndef REPORTING_REPLIES_H
#define REPORTING_REPLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reporting/report/report.h"
#include "shared/base/err.h"

struct buf;
struct http_request;
struct replies; /* opaque */
struct reporting_metrics;

/* Keeps at most max_bytes; 0: nothing.  NULL when out of memory. */
struct replies *replies_new(int64_t max_bytes,
                            struct reporting_metrics *metrics) MUST_CHECK;

/* NULL is fine. */
void replies_free(struct replies *replies);

/* Whether a request prefers CSV, by its header Accept. */
bool replies_wants_csv(const struct http_request *req);

/* Answers with what is kept, or with 304 when the client has it.  False: it has to be made
 * and given to replies_send().  The version is a text of the database's. */
bool replies_answer(struct replies *replies, struct http_request *req,
                    enum statement_id source, const struct ask *ask, const char *version);

/* Answers with a body, and keeps it under the version that the question came with; NULL:
 * there is none, and it is not kept. */
void replies_send(struct replies *replies, struct http_request *req,
                  enum statement_id source, const struct ask *ask, const char *version,
                  const struct buf *body);

#endif
