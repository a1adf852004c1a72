/* metric_table.h -- which figures can be asked, what they are made of, and which go with
 * which property.  Pure.
 *
 * Statements answer with sums, enum figure in its order; a metric is one of them or a ratio of two.
 */
#ifndef REPORTING_REPORT_METRIC_TABLE_H
#define REPORTING_REPORT_METRIC_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The columns of figures in the rows of a statement, in this order. */
enum figure {
    FIGURE_USERS,
    FIGURE_VISITS,
    FIGURE_PAGEVIEWS,
    FIGURE_EVENTS,
    FIGURE_BOUNCES,
    FIGURE_VISIT_VIEWS, /* page views of the visits */
    FIGURE_DURATION_MS, /* of the visits; of a page, for which it was engaged */
    FIGURE_ALL_USERS,   /* of the range, whatever the property */
    FIGURE_COUNT
};

/*    id, name, numerator, denominator, factor in thousandths, decimals */
#define METRICS(X)                                                                       \
    X(VISITORS, "visitors", USERS, COUNT, 1000, 0)                                       \
    X(VISITS, "visits", VISITS, COUNT, 1000, 0)                                          \
    X(PAGEVIEWS, "pageviews", PAGEVIEWS, COUNT, 1000, 0)                                 \
    X(EVENTS, "events", EVENTS, COUNT, 1000, 0)                                          \
    X(VIEWS_PER_VISIT, "views_per_visit", VISIT_VIEWS, VISITS, 1000, 2)                  \
    X(BOUNCE_RATE, "bounce_rate", BOUNCES, VISITS, 100000, 1)                            \
    X(VISIT_DURATION, "visit_duration", DURATION_MS, VISITS, 1, 0)                       \
    X(CONVERSION_RATE, "conversion_rate", USERS, ALL_USERS, 100000, 1)                   \
    X(TIME_ON_PAGE, "time_on_page", DURATION_MS, PAGEVIEWS, 1, 0)

enum metric_id {
#define METRIC_ID(id, ...) METRIC_ID_##id,
    METRICS(METRIC_ID)
#undef METRIC_ID
    METRIC_ID_COUNT
};

/* What figures are asked by. */
enum metric_group {
    METRIC_GROUP_NONE, /* nothing: all of the site, or its buckets of time */
    METRIC_GROUP_PAGE,
    METRIC_GROUP_EVENT_TYPE,
    METRIC_GROUP_EVENT, /* anything else that an event has */
    METRIC_GROUP_VISIT,
    METRIC_GROUP_VISIT_PAGE,
    METRIC_GROUP_PROP, /* what an event brings along under a key of its own */
    METRIC_GROUP_COUNT
};

/* What figures may be asked by. */
struct property {
    const char *name;
    enum metric_group group;
};

/* One for each dimension, made at build time from sql/functions/dimensions.sql; ends with a
 * NULL name. */
extern const struct property property_table[];

/* What the name of an event's own property begins with; its key follows. */
#define PROPERTY_PROP "prop:"

/* Which keys there are: it is asked, and is no filter. */
#define PROPERTY_KEYS "prop"

/* The property of a name, or NULL; by number, NULL after the last one.  Static.  All of
 * prop:<key> are one, which has no number, and so has prop. */
const struct property *property_find(const char *name);
const struct property *property_at(size_t index);

/* The metric of a name, or METRIC_ID_COUNT. */
enum metric_id metric_find(const char *name, size_t len);
const char *metric_name(enum metric_id id);

/* Whether it is a ratio, which is null without a denominator; and its decimals. */
bool metric_is_ratio(enum metric_id id);
int metric_decimals(enum metric_id id);

/* The metrics that go with a group, as bits in the order of the table; and those of them that are
 * meant when none are asked. */
unsigned metric_allowed(enum metric_group group);
unsigned metric_default(enum metric_group group);

/* A figure as it is shown: value / 10^decimals, or null. */
struct metric_value {
    bool is_null;
    int64_t value;
    int decimals;
};

struct metric_value metric_value(enum metric_id id, const int64_t figures[FIGURE_COUNT]);

/* By how many per cent it has changed, in tenths; null when there is no number to it. */
struct metric_value metric_change(const struct metric_value *now,
                                  const struct metric_value *previous);

#endif
