/* report.c -- see report.h. */
#include "reporting/report/report.h"

#include <assert.h>

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

enum statement_id report_source(enum statement_id report, const struct ask *ask)
{
    if (report == STATEMENT_STATS)
        return source_of_stats(ask);
    if (report == STATEMENT_AGGREGATE && ask->filters)
        return STATEMENT_AGGREGATE_FILTERED;
    if (report == STATEMENT_TIMESERIES && ask->filters)
        return STATEMENT_TIMESERIES_FILTERED;
    return report;
}
