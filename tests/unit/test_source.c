/* test_source.c -- which questions the counts answer, and which raw events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/params.h"
#include "reporting/report/report.h"
#include "reporting/report/resolve.h"
#include "shared/base/buf.h"
#include "shared/text/query.h"

#define AGGREGATE  STATEMENT_AGGREGATE
#define TIMESERIES STATEMENT_TIMESERIES
#define BREAKDOWN  STATEMENT_BREAKDOWN

static const struct {
    enum statement_id report;
    const char *query;
    enum statement_id source;
} cases[] = {
    /* No filter: the counts, for any history. */
    {AGGREGATE, "", AGGREGATE},
    {AGGREGATE, "period=24h", AGGREGATE},
    {AGGREGATE, "period=all", AGGREGATE},
    {AGGREGATE, "metrics=bounce_rate,visit_duration", AGGREGATE},
    {AGGREGATE, "period=today&compare=previous_period", AGGREGATE},
    {TIMESERIES, "", TIMESERIES},
    {TIMESERIES, "period=24h", TIMESERIES},
    {TIMESERIES, "period=today&interval=hour", TIMESERIES},
    {BREAKDOWN, "property=page", BREAKDOWN},
    {BREAKDOWN, "property=source", BREAKDOWN},
    {BREAKDOWN, "property=exit_page", BREAKDOWN},
    {BREAKDOWN, "property=event_type&metrics=conversion_rate", BREAKDOWN},
    {BREAKDOWN, "property=page&compare=previous_period", BREAKDOWN},
    /* Filters on the one property that is asked. */
    {BREAKDOWN, "property=page&filters=page==/a|/b", BREAKDOWN},
    {BREAKDOWN, "property=page&filters=page==/b/*;page!=/b/x", BREAKDOWN},
    {BREAKDOWN, "property=source&filters=source!=Google", BREAKDOWN},
    /* Filters on one dimension. */
    {AGGREGATE, "filters=page==/&metrics=visitors,pageviews,events",
     STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=page!=/&metrics=visitors", STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=event_type!=a&metrics=visitors", STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=page==/a*;page!=/ab&metrics=events",
     STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=source==Google", STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=entry_page==/&metrics=views_per_visit,events",
     STATEMENT_AGGREGATE_FILTERED},
    {AGGREGATE, "filters=page==/&metrics=visitors&period=today",
     STATEMENT_AGGREGATE_FILTERED},
    {TIMESERIES, "filters=source==Google", STATEMENT_TIMESERIES_FILTERED},
    {TIMESERIES, "filters=page==/&metrics=visitors&interval=month",
     STATEMENT_TIMESERIES_FILTERED},
    /* Everything else: raw events. */
    {AGGREGATE, "filters=page==/", STATEMENT_AGGREGATE_RAW}, /* visits */
    {AGGREGATE, "filters=page==/&metrics=bounce_rate", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=hostname!=a&metrics=visitors", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=source!=Google", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=source==a;country==DE", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=page==/;event_type==a&metrics=visitors",
     STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=prop:plan==pro&metrics=visitors", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=prop:plan!=pro&metrics=visitors", STATEMENT_AGGREGATE_RAW},
    {AGGREGATE, "filters=page==/&metrics=visitors&period=24h", STATEMENT_AGGREGATE_RAW},
    {TIMESERIES, "filters=page==/&metrics=visitors&period=24h&interval=day",
     STATEMENT_TIMESERIES_RAW},
    {TIMESERIES, "filters=source==Google&interval=hour", STATEMENT_TIMESERIES_RAW},
    {TIMESERIES, "filters=source==Google&period=today", STATEMENT_TIMESERIES_RAW},
    {TIMESERIES, "filters=os==a;os_version==1", STATEMENT_TIMESERIES_RAW},
    {BREAKDOWN, "property=prop:plan", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=prop:plan&filters=prop:plan==pro", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&period=24h", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=exit_page&filters=entry_page==/", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=source==Google", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=page==/;source==Google", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=source&filters=page==/", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=prop:plan==pro", STATEMENT_BREAKDOWN_RAW},
};

static enum statement_id source_of(enum statement_id report, const char *text)
{
    static const struct ask_now now = {{.today = 20000, .hour = 12, .first_day = 19000},
                                       "2024-10-04 00:00:00+00",
                                       "2024-10-03 00:00:00+00"};
    static char bytes[65536];
    struct buf made = {.data = bytes, .cap = sizeof(bytes), .max_bytes = sizeof(bytes)};
    char full[512];
    struct query query;
    struct ask ask;
    struct err err = {0};

    (void)snprintf(full, sizeof(full), "site_id=a%s%s", text[0] ? "&" : "", text);
    if (query_parse(full, &query, &err) ||
        params_read(report_get(report)->params, &query, &ask, &err) ||
        ask_set_range(&ask, &now, &made, &err))
        fail_msg("%s: %s", full, err.msg);
    return report_source(report, &ask);
}

static void test_source_is_what_can_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum statement_id source = source_of(cases[i].report, cases[i].query);
        if (source != cases[i].source)
            fail_msg("%s: %s, not %s", cases[i].query, report_get(source)->name,
                     report_get(cases[i].source)->name);
    }
}

/* Raw questions can hold up nobody else. */
static void test_source_of_raw_events_has_connections_of_its_own(void **state)
{
    static const enum statement_id raw[] = {
        STATEMENT_AGGREGATE_RAW, STATEMENT_TIMESERIES_RAW, STATEMENT_BREAKDOWN_RAW,
        STATEMENT_STATS_EXACT_DAY, STATEMENT_STATS_EXACT_ALL};
    size_t found = 0;

    (void)state;
    for (int id = 0; id < STATEMENT_COUNT; id++)
        found += report_get((enum statement_id)id)->pool == POOL_RAW;
    for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
        assert_int_equal(report_get(raw[i])->pool, POOL_RAW);
    assert_true(found >= sizeof(raw) / sizeof(raw[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_is_what_can_answer),
        cmocka_unit_test(test_source_of_raw_events_has_connections_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
