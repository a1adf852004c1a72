/* period.h -- which days a question is about, and which ones they are compared with.
 *
 * Days are those of the site's zone.  What "now" is there, Postgres says; all else is
 * arithmetic on local days.  Pure.
 */
#ifndef REPORTING_REPORT_PERIOD_H
#define REPORTING_REPORT_PERIOD_H

#include <stdbool.h>

/* The names, in the order in which they are listed to clients; `days` before the day that it
 * counts from, or whole months with its own. */
#define PERIODS(X)                                                                       \
    X(TODAY, "today")                                                                    \
    X(YESTERDAY, "yesterday")                                                            \
    X(24H, "24h")                                                                        \
    X(7D, "7d")                                                                          \
    X(28D, "28d")                                                                        \
    X(30D, "30d")                                                                        \
    X(91D, "91d")                                                                        \
    X(MONTH, "month")                                                                    \
    X(LAST_MONTH, "last_month")                                                          \
    X(6MO, "6mo")                                                                        \
    X(12MO, "12mo")                                                                      \
    X(YEAR, "year")                                                                      \
    X(ALL, "all")

enum period {
#define PERIOD_ID(id, name) PERIOD_##id,
    PERIODS(PERIOD_ID)
#undef PERIOD_ID
    PERIOD_FROM_TO, /* given by its days */
    PERIOD_COUNT
};

/* What there is to know about a site's time. */
struct period_now {
    int today;
    int hour;       /* of today that has begun, 0 to 23 */
    int first_day;  /* of its figures; today if it has none */
    int hours_from; /* the first day of which figures by the hour are kept */
    int raw_from;   /* the first day of which all raw events are kept */
};

struct period_question {
    enum period period;
    bool has_date;
    int date; /* the day that it counts from, else today */
    int from; /* of PERIOD_FROM_TO, both inclusive */
    int to;
};

struct period_range {
    int from;      /* inclusive */
    int to;        /* inclusive; not before from */
    bool is_hours; /* the last 24 hours: the days are those of the first and the last */
    bool has_previous; /* not of all time */
    int previous_from;
    int previous_to;
    int previous_hour; /* its last day counts up to this hour, inclusive; -1: all of it */
};

/* The days of a question, and those before: as many, or as many months.  A period that is not
 * over is compared with the same stretch, to the hour. */
struct period_range period_resolve(const struct period_question *question,
                                   const struct period_now *now);

#endif
