/* source.c -- see source.h. */
#include "reporting/report/source.h"

#include <string.h>

#include "reporting/report/ask.h"

/* Whether every event has a value of the property: then what has not a value is nothing. */
static bool is_everywhere(enum metric_group group)
{
    return group == METRIC_GROUP_PAGE || group == METRIC_GROUP_EVENT_TYPE;
}

/* The metrics that can be asked of some values of a property, from their counts. */
static unsigned counted_metrics(enum metric_group group)
{
    bool is_of_visits = group == METRIC_GROUP_VISIT || group == METRIC_GROUP_VISIT_PAGE;

    return metric_allowed(is_of_visits ? METRIC_GROUP_NONE : group);
}

static bool are_counted(const struct ask *ask)
{
    unsigned counted = counted_metrics(ask->filtered->group);

    for (size_t i = 0; i < ask->metric_count; i++) {
        if (!(counted & 1U << ask->metrics[i]))
            return false;
    }
    return true;
}

static bool is_by_hours(const struct ask *ask, bool is_series)
{
    return ask->when.period == PERIOD_24H ||
           (is_series && strcmp(ask->texts[ASK_INTERVAL].bytes, "hour") == 0);
}

bool source_is_raw(const struct ask *ask, bool is_series)
{
    enum metric_group group = ask->filtered ? ask->filtered->group : METRIC_GROUP_NONE;

    if (ask->property)
        return ask->property->group == METRIC_GROUP_PROP || is_by_hours(ask, is_series) ||
               (ask->filters && ask->filtered != ask->property);
    if (!ask->filters)
        return ask->lacks_hours;
    return !ask->filtered || group == METRIC_GROUP_PROP || is_by_hours(ask, is_series) ||
           (ask->has_negation && !is_everywhere(group)) || !are_counted(ask);
}
