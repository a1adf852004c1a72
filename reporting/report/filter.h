/* filter.h -- the grammar of filters: page==/pricing;country==DE|FR;source!=Google;page==/blog/\*
 *
 *   filters := clause (";" clause)*          all of them hold
 *   clause  := property ("==" | "!=") values
 *   values  := value ("|" value)*            one of them
 *   property := a name, or prop:<key>
 *   value   := characters; * is any run of them, and \ takes the next one as it stands, in
 *              values and keys
 *
 * Pure.  Values become patterns of LIKE and go to Postgres as arrays, never as SQL.
 */
#ifndef REPORTING_REPORT_FILTER_H
#define REPORTING_REPORT_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct buf;
struct property;

enum {
    FILTER_CLAUSES_MAX = 20,
    FILTER_VALUES_MAX = 100 /* of all clauses together */
};

/* One value of a clause. */
struct filter_value {
    size_t clause;    /* from 0 */
    const char *text; /* as it stands in the filters, backslashes included */
    size_t len;
};

struct filters {
    size_t clause_count;
    const struct property *properties[FILTER_CLAUSES_MAX]; /* of each clause */
    struct filter_name {
        const char *text; /* as it stands in the filters */
        size_t len;
    } names[FILTER_CLAUSES_MAX];
    bool is_negated[FILTER_CLAUSES_MAX];
    size_t value_count;
    struct filter_value values[FILTER_VALUES_MAX]; /* borrowed from the text */
};

/* Takes the text apart.  ERR_INVALID with a sentence that says what is allowed. */
enum err_code filters_parse(const char *text, struct filters *ret_filters,
                            struct err *err) MUST_CHECK;

/* Appends an array of Postgres each, with one element for each value: the number of its clause,
 * whether that is negated, its pattern of LIKE, the value itself or null if it has a wildcard,
 * and the property, for the first value of a clause.  Each ends with a NUL.  Errors as
 * buf_add(). */
enum err_code filters_add_clauses(const struct filters *filters,
                                  struct buf *out) MUST_CHECK;
enum err_code filters_add_negated(const struct filters *filters,
                                  struct buf *out) MUST_CHECK;
enum err_code filters_add_patterns(const struct filters *filters,
                                   struct buf *out) MUST_CHECK;
enum err_code filters_add_values(const struct filters *filters,
                                 struct buf *out) MUST_CHECK;
enum err_code filters_add_properties(const struct filters *filters,
                                     struct buf *out) MUST_CHECK;

#endif
