/* report.c -- see report.h. */
#include "reporting/report/report.h"

#include <assert.h>

#include "reporting/report/source.h"

#define REPORT_ROW(id, name_, path_, ...)                                                \
    [STATEMENT_##id] = {.name = name_, .path = path_, __VA_ARGS__},
#define STATEMENT_ROW(id, name_, ...) [STATEMENT_##id] = {.name = name_, __VA_ARGS__},

static const struct report reports[STATEMENT_COUNT] = {
    REPORTS(REPORT_ROW, STATEMENT_ROW)};

const struct report *report_get(enum statement_id id)
{
    assert(id < STATEMENT_COUNT);
    return &reports[id];
}

static enum statement_id source_of_stats(const struct ask *ask)
{
    if (!ask->is_exact)
        return STATEMENT_STATS;
    return ask->texts[ASK_DATE].bytes ? STATEMENT_STATS_EXACT_DAY
                                      : STATEMENT_STATS_EXACT_ALL;
}

/* What answers a report on a range of days besides its own statement. */
static const struct {
    enum statement_id report;
    enum statement_id filtered; /* by values of one property */
    enum statement_id raw;
} sources[] = {
    {STATEMENT_AGGREGATE, STATEMENT_AGGREGATE_FILTERED, STATEMENT_AGGREGATE_RAW},
    {STATEMENT_TIMESERIES, STATEMENT_TIMESERIES_FILTERED, STATEMENT_TIMESERIES_RAW},
    {STATEMENT_BREAKDOWN, STATEMENT_BREAKDOWN, STATEMENT_BREAKDOWN_RAW},
};

enum statement_id report_source(enum statement_id report, const struct ask *ask)
{
    if (report == STATEMENT_STATS)
        return source_of_stats(ask);
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        bool is_series = report == STATEMENT_TIMESERIES;
        if (sources[i].report != report)
            continue;
        if (source_is_raw(ask, is_series))
            return sources[i].raw;
        return ask->filters ? sources[i].filtered : report;
    }
    return report;
}
