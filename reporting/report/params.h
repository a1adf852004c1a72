/* params.h -- the parameters of reports, read from the query string.
 *
 * One table has every parameter of every report: its name, what it may be, and who reads it.
 * The OpenAPI document is made from it, too.  Pure.
 */
#ifndef REPORTING_REPORT_PARAMS_H
#define REPORTING_REPORT_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "reporting/report/ask.h"
#include "shared/base/err.h"

struct query;

/* Reads one parameter; text is NULL when it is absent. */
typedef enum err_code (*param_read_fn)(const char *text, struct ask *ask,
                                       struct err *err);

enum param_type {
    PARAM_TEXT,
    PARAM_DAY,      /* YYYY-MM-DD */
    PARAM_WORD,     /* one of the words */
    PARAM_NUMBER,   /* from 1 to most */
    PARAM_PROPERTY, /* a name of metric_table.h, or prop:<key> */
    PARAM_METRICS,  /* names of metric_table.h, by commas */
    PARAM_FILTERS   /* see filter.h */
};

struct param {
    const char *name;
    param_read_fn read;
    const char *const *words; /* of PARAM_WORD, with NULL after the last */
    const char *initial;      /* the one that is meant where it is absent, or NULL */
    const char *help;
    enum ask_param bit;
    enum param_type type;
    int most;  /* of PARAM_NUMBER, */
    int usual; /* and what is meant where it is absent */
    bool is_required;
};

/* In the order in which they are read; NULL after the last one.  Static. */
const struct param *param_at(size_t index);

/* Reads the parameters that a report takes, bits of enum ask_param; *ret_ask borrows from the
 * query.  ERR_INVALID with a sentence for the client that has the name of the parameter and
 * what is allowed. */
enum err_code params_read(unsigned params, const struct query *query, struct ask *ret_ask,
                          struct err *err) MUST_CHECK;

#endif
