/* params.h -- the parameters of reports, read from the query string.
 *
 * One table has every parameter of every report: its name and who reads it.  Pure.
 */
#ifndef REPORTING_REPORT_PARAMS_H
#define REPORTING_REPORT_PARAMS_H

#include "shared/base/err.h"

struct ask;
struct query;

/* Reads the parameters that a report takes, bits of enum ask_param; *ret_ask borrows from the
 * query.  ERR_INVALID with a sentence for the client that has the name of the parameter and what is
 * allowed. */
enum err_code params_read(unsigned params, const struct query *query, struct ask *ret_ask,
                          struct err *err) MUST_CHECK;

#endif
