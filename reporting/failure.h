/* failure.h -- what a client reads when the database has not answered its question.
 *
 * The log has the details: nothing of Postgres's own words goes out.
 */
#ifndef REPORTING_FAILURE_H
#define REPORTING_FAILURE_H

#include "shared/base/err.h"

struct http_request;
struct reporting_metrics;

/* Static. */
const char *failure_sentence(enum err_code code);

/* Counts and logs the failure, and answers with the sentence and the status of its code.
 * Whatever is wrong with the database is no fault of the client's: a 4xx becomes 503. */
void failure_answer(struct reporting_metrics *metrics, struct http_request *req,
                    const struct err *err, const char *sentence);

#endif
