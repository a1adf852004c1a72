/* ask.h -- what a request asks: a value, which params.c reads and resolve.c completes.
 *
 * What goes to a statement is kept as texts, bytes with a length and a NUL after them; they
 * are bound as values, and are never a part of SQL.  Pure.
 */
#ifndef REPORTING_REPORT_ASK_H
#define REPORTING_REPORT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "reporting/report/day.h"
#include "reporting/report/metric_table.h"
#include "reporting/report/period.h"

/* The parameters, as bits: a report names those that it takes.  They are read in this
 * order, and the first one that is wrong is named. */
enum ask_param {
    ASK_PARAM_SITE_ID = 1 << 0, /* required, not empty; any text */
    ASK_PARAM_DATE = 1 << 1,    /* YYYY-MM-DD; absent or empty is none */
    ASK_PARAM_EXACT = 1 << 2,   /* true or false; absent is false */
    ASK_PARAM_PERIOD = 1 << 3,
    ASK_PARAM_FROM = 1 << 4,
    ASK_PARAM_TO = 1 << 5,
    ASK_PARAM_COMPARE = 1 << 6, /* previous_period */
    ASK_PARAM_PROPERTY = 1 << 7,
    ASK_PARAM_METRICS = 1 << 8, /* by commas */
    ASK_PARAM_INTERVAL = 1 << 9,
    ASK_PARAM_FILTERS = 1 << 10,
    ASK_PARAM_LIMIT = 1 << 11,
    ASK_PARAM_PAGE = 1 << 12,
    ASK_PARAM_FORMAT = 1 << 13,        /* json or csv */
    ASK_PARAM_EXPORT_FORMAT = 1 << 15, /* csv or ndjson */
    ASK_PARAM_OTHERS = 1 << 14,        /* any other is ignored, else it is refused */

    /* Of all reports on a range of days. */
    ASK_PARAMS_RANGE = ASK_PARAM_SITE_ID | ASK_PARAM_DATE | ASK_PARAM_PERIOD |
                       ASK_PARAM_FROM | ASK_PARAM_TO | ASK_PARAM_COMPARE |
                       ASK_PARAM_METRICS | ASK_PARAM_FORMAT,
};

/*    id, the type that Postgres takes it for */
#define ASK_TEXTS(X)                                                                     \
    X(SITE_ID, "text")                                                                   \
    X(DATE, "date")                                                                      \
    X(FROM, "date")                                                                      \
    X(TO, "date")                                                                        \
    X(SINCE, "timestamptz") /* of 24 hours, the first; else null */                      \
    X(PREVIOUS_FROM, "date")                                                             \
    X(PREVIOUS_TO, "date")                                                               \
    X(PREVIOUS_HOUR, "integer")                                                          \
    X(PREVIOUS_SINCE, "timestamptz")                                                     \
    X(INTERVAL, "text")                                                                  \
    X(PROPERTY, "text")                                                                  \
    X(SORT, "text")         /* the first metric */                                       \
    X(FILTERED, "text")     /* the property that the filters are on */                   \
    X(CLAUSES, "integer[]") /* of the filters, see filter.h */                           \
    X(NEGATED, "boolean[]")                                                              \
    X(PATTERNS, "text[]")                                                                \
    X(FILTER_VALUES, "text[]")                                                           \
    X(FILTER_PROPERTIES, "text[]")                                                       \
    X(METRICS, "text[]")                                                                 \
    X(LIMIT, "integer") /* one more than is shown; null: all */                          \
    X(OFFSET, "bigint")

/* The sentence for a question whose raw events are dropped; %s is the first day of those kept. */
#define ASK_NEEDS_RAW                                                                    \
    "the question needs raw events, which are kept from %s on; shorten the range"

/* What a question consists of, and the values that a statement can be given. */
enum ask_text_id {
#define ASK_TEXT_ID(id, type) ASK_##id,
    ASK_TEXTS(ASK_TEXT_ID)
#undef ASK_TEXT_ID
    ASK_TEXT_COUNT
};

/* The type that Postgres takes such a value for: "text". */
const char *ask_sql_type(enum ask_text_id id);

struct ask_text {
    const char *bytes; /* borrowed; NULL: none, SQL's null */
    size_t len;        /* without the NUL */
};

enum {
    ASK_LIMIT_DEFAULT = 100,
    ASK_LIMIT_MAX = 1000,
    ASK_PAGE_MAX = 1000000,
    ASK_ROWS_MAX = 10000, /* that are held at once */
    ASK_BUCKETS_MAX = 5000
};

struct ask {
    struct ask_text texts[ASK_TEXT_COUNT];
    bool is_exact; /* counted from raw events instead of the roll-up */
    bool is_csv;
    bool has_interval; /* it is of a report by time */
    bool compares;     /* with the period before */
    bool has_period;
    struct period_question when;
    bool is_raw;         /* answered from raw events */
    bool lacks_hours;    /* figures by the hour are asked that are kept no longer */
    bool lacks_previous; /* of the period before, nothing is known */
    const struct property *property; /* NULL: none */
    size_t metric_count;
    enum metric_id metrics[METRIC_ID_COUNT]; /* in the order asked */
    const char *filters;                     /* borrowed as the texts; NULL: none */
    const struct property *filtered; /* that all filters are on; NULL: none, or several */
    bool has_negation;               /* some filter is with != */
    bool
        is_whole; /* all rows are asked: a row more than ASK_ROWS_MAX tells that there are more */
    int limit; /* rows that are shown; 0: not given */
    int page;  /* from 1 */
};

#endif
