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
    {BREAKDOWN, "property=prop", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=prop:plan&filters=prop:plan==pro", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&period=24h", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=exit_page&filters=entry_page==/", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=source==Google", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=page==/;source==Google", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=source&filters=page==/", STATEMENT_BREAKDOWN_RAW},
    {BREAKDOWN, "property=page&filters=prop:plan==pro", STATEMENT_BREAKDOWN_RAW},
};

/* 2024-10-04, and a site since 2022-01-08. */
static const struct ask_now all_is_kept = {
    {.today = 20000, .hour = 12, .first_day = 19000},
    "2024-10-04 00:00:00+00",
    "2024-10-03 00:00:00+00"};

/* What the texts of the ask borrow stays until the next call. */
static enum err_code resolve(enum statement_id report, const char *text,
                             const struct ask_now *now, struct ask *ret_ask,
                             struct err *err)
{
    static char bytes[65536];
    static struct query query;
    static char full[512];
    struct buf made = {.data = bytes, .cap = sizeof(bytes), .max_bytes = sizeof(bytes)};

    (void)snprintf(full, sizeof(full), "site_id=a%s%s", text[0] ? "&" : "", text);
    if (query_parse(full, &query, err) ||
        params_read(report_get(report)->params, &query, ret_ask, err))
        fail_msg("%s: %s", full, err->msg);
    return ask_set_range(ret_ask, now, &made, err);
}

static enum statement_id source_of(enum statement_id report, const char *text)
{
    struct ask ask;
    struct err err = {0};

    if (resolve(report, text, &all_is_kept, &ask, &err))
        fail_msg("%s: %s", text, err.msg);
    return report_source(report, &ask);
}

/* Hours since 2024-09-25, raw events since 2024-09-05: a question of older days. */
static void test_source_of_what_is_kept_no_longer(void **state)
{
    static const char no_hours[] =
        "\"interval\" must be day, week or month for days before 2024-09-25";
    static const char no_events[] = "the question needs raw events, which are kept from "
                                    "2024-09-05 on; shorten the range";
    static const struct {
        enum statement_id report;
        const char *query;
        const char *answer; /* a statement's name, or the sentence */
        const char *interval;
        bool lacks_previous;
    } gone[] = {
        {TIMESERIES, "from=2024-09-25&to=2024-09-28&interval=hour", "timeseries", "hour",
         false},
        {TIMESERIES, "from=2024-09-24&to=2024-09-28&interval=hour", "timeseries_raw",
         "hour", false},
        {TIMESERIES, "from=2024-09-05&to=2024-09-05", "timeseries_raw", "hour", false},
        {TIMESERIES, "from=2024-09-04&to=2024-09-05", "timeseries", "day", false},
        {TIMESERIES, "from=2024-09-04&to=2024-09-05&interval=hour", no_hours, NULL,
         false},
        {TIMESERIES, "from=2024-09-04&to=2024-09-05&interval=day", "timeseries", "day",
         false},
        {TIMESERIES, "from=2021-01-01&to=2021-01-02", "timeseries", "hour", false},
        {TIMESERIES, "period=24h", "timeseries", "hour", false},
        {TIMESERIES, "from=2024-09-25&to=2024-09-26&compare=previous_period",
         "timeseries_raw", "hour", false},
        {TIMESERIES,
         "from=2024-09-25&to=2024-10-04&interval=hour&compare=previous_period",
         "timeseries_raw", "hour", false},
        {TIMESERIES,
         "from=2024-09-25&to=2024-10-20&interval=hour&compare=previous_period",
         "timeseries", "hour", true},
        {TIMESERIES, "period=year&compare=previous_period", "timeseries", "month", false},
        {TIMESERIES, "from=2024-09-04&to=2024-09-05&filters=source==a",
         "timeseries_filtered", "day", false},
        {TIMESERIES, "from=2024-09-04&to=2024-09-05&interval=hour&filters=source==a",
         no_events, NULL, false},
        {AGGREGATE, "period=year", "aggregate", NULL, false},
        {AGGREGATE, "period=all&filters=source==a;os==b", no_events, NULL, false},
        {AGGREGATE, "period=30d&filters=source==a;os==b&compare=previous_period",
         "aggregate_raw", NULL, true},
        {AGGREGATE, "period=7d&filters=source==a;os==b&compare=previous_period",
         "aggregate_raw", NULL, false},
        {BREAKDOWN, "period=year&property=page", "breakdown", NULL, false},
        {BREAKDOWN, "period=year&property=page&filters=source==a", no_events, NULL,
         false},
        {BREAKDOWN, "period=30d&property=prop:a&compare=previous_period", "breakdown_raw",
         NULL, true},
    };
    struct ask_now now = all_is_kept;

    (void)state;
    now.days.hours_from = day_parse("2024-09-25");
    now.days.raw_from = day_parse("2024-09-05");
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        struct ask ask = {0};
        struct err err = {0};
        const char *answer = resolve(gone[i].report, gone[i].query, &now, &ask, &err)
                                 ? err.msg
                                 : report_get(report_source(gone[i].report, &ask))->name;
        if (strcmp(answer, gone[i].answer) != 0)
            fail_msg("%s: %s", gone[i].query, answer);
        assert_int_equal(ask.lacks_previous, gone[i].lacks_previous);
        if (gone[i].interval)
            assert_string_equal(ask.texts[ASK_INTERVAL].bytes, gone[i].interval);
        if (ask.lacks_previous)
            assert_null(ask.texts[ASK_PREVIOUS_FROM].bytes);
    }
}

/* The last day before an unfinished period counts whole where its hours are gone. */
static void test_source_of_a_day_without_hours_is_the_whole_day(void **state)
{
    struct ask_now now = all_is_kept;
    struct ask ask;
    struct err err = {0};

    (void)state;
    assert_int_equal(
        resolve(AGGREGATE, "period=7d&compare=previous_period", &now, &ask, &err), 0);
    assert_string_equal(ask.texts[ASK_PREVIOUS_HOUR].bytes, "12");
    now.days.hours_from =
        day_parse("2024-09-28"); /* the seven days before end on the 27th */
    assert_int_equal(
        resolve(AGGREGATE, "period=7d&compare=previous_period", &now, &ask, &err), 0);
    assert_null(ask.texts[ASK_PREVIOUS_HOUR].bytes);
    assert_string_equal(ask.texts[ASK_PREVIOUS_TO].bytes, "2024-09-27");
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
        cmocka_unit_test(test_source_of_what_is_kept_no_longer),
        cmocka_unit_test(test_source_of_a_day_without_hours_is_the_whole_day),
        cmocka_unit_test(test_source_of_raw_events_has_connections_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
