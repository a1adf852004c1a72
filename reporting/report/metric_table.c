/* metric_table.c -- see metric_table.h. */
#include "reporting/report/metric_table.h"

#include <string.h>

static const struct metric_row {
    const char *name;
    enum figure numerator;
    enum figure denominator; /* FIGURE_COUNT: none */
    int64_t thousandths;
    int decimals;
} rows[METRIC_ID_COUNT] = {
#define METRIC_ROW(id, name, numerator, denominator, factor, decimals)                   \
    [METRIC_ID_##id] = {name, FIGURE_##numerator, FIGURE_##denominator, factor, decimals},
    METRICS(METRIC_ROW)
#undef METRIC_ROW
};

#define BIT(id) (1U << METRIC_ID_##id)

enum {
    /* What events have alone, and what visits have. */
    OF_EVENTS = BIT(VISITORS) | BIT(PAGEVIEWS) | BIT(EVENTS),
    OF_VISITS = BIT(VISITORS) | BIT(VISITS) | BIT(BOUNCE_RATE) | BIT(VISIT_DURATION),
};

static const struct {
    unsigned allowed;
    unsigned by_default;
} groups[METRIC_GROUP_COUNT] = {
    [METRIC_GROUP_NONE] = {OF_EVENTS | OF_VISITS | BIT(VIEWS_PER_VISIT),
                           BIT(VISITORS) | BIT(VISITS) | BIT(PAGEVIEWS)},
    [METRIC_GROUP_PAGE] = {OF_EVENTS | BIT(TIME_ON_PAGE), BIT(VISITORS) | BIT(PAGEVIEWS)},
    [METRIC_GROUP_EVENT_TYPE] = {OF_EVENTS | BIT(CONVERSION_RATE),
                                 BIT(VISITORS) | BIT(PAGEVIEWS)},
    [METRIC_GROUP_EVENT] = {OF_EVENTS, BIT(VISITORS) | BIT(PAGEVIEWS)},
    [METRIC_GROUP_VISIT] = {OF_VISITS | BIT(VIEWS_PER_VISIT) | BIT(PAGEVIEWS),
                            BIT(VISITORS) | BIT(VISITS)},
    [METRIC_GROUP_VISIT_PAGE] = {OF_VISITS, BIT(VISITORS) | BIT(VISITS)},
    [METRIC_GROUP_PROP] = {OF_EVENTS | BIT(CONVERSION_RATE),
                           BIT(VISITORS) | BIT(PAGEVIEWS)},
};

const struct property *property_at(size_t index)
{
    return property_table[index].name ? &property_table[index] : NULL;
}

const struct property *property_find(const char *name)
{
    static const struct property prop = {PROPERTY_PROP "<key>", METRIC_GROUP_PROP};
    static const struct property keys = {PROPERTY_KEYS, METRIC_GROUP_PROP};
    size_t prefix = strlen(PROPERTY_PROP);

    if (strcmp(name, PROPERTY_KEYS) == 0)
        return &keys;
    if (strncmp(name, PROPERTY_PROP, prefix) == 0)
        return name[prefix] ? &prop : NULL;
    for (const struct property *property = property_table; property->name; property++) {
        if (strcmp(property->name, name) == 0)
            return property;
    }
    return NULL;
}

enum metric_id metric_find(const char *name, size_t len)
{
    for (int id = 0; id < METRIC_ID_COUNT; id++) {
        if (strlen(rows[id].name) == len && memcmp(rows[id].name, name, len) == 0)
            return (enum metric_id)id;
    }
    return METRIC_ID_COUNT;
}

const char *metric_name(enum metric_id id)
{
    return rows[id].name;
}

bool metric_is_ratio(enum metric_id id)
{
    return rows[id].denominator != FIGURE_COUNT;
}

int metric_decimals(enum metric_id id)
{
    return rows[id].decimals;
}

unsigned metric_allowed(enum metric_group group)
{
    return groups[group].allowed;
}

unsigned metric_default(enum metric_group group)
{
    return groups[group].by_default;
}

/* a / b, half away from zero; b is positive. */
static int64_t divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    int64_t rest = a % b;

    if (rest >= b - rest)
        return quotient + 1;
    return -rest >= b + rest ? quotient - 1 : quotient;
}

static int64_t power_of_ten(int exponent)
{
    int64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

struct metric_value metric_value(enum metric_id id, const int64_t figures[FIGURE_COUNT])
{
    const struct metric_row *row = &rows[id];
    struct metric_value value = {.decimals = row->decimals};
    int64_t numerator = figures[row->numerator];
    int64_t denominator;

    if (row->denominator == FIGURE_COUNT) {
        value.value = numerator;
        return value;
    }
    denominator = figures[row->denominator];
    value.is_null = denominator <= 0;
    if (!value.is_null)
        value.value = divide(numerator * row->thousandths * power_of_ten(row->decimals),
                             denominator * 1000);
    return value;
}

struct metric_value metric_change(const struct metric_value *now,
                                  const struct metric_value *previous)
{
    struct metric_value change = {.decimals = 1};

    change.is_null = now->is_null || previous->is_null || previous->value <= 0;
    if (!change.is_null)
        change.value = divide((now->value - previous->value) * 1000, previous->value);
    return change;
}
