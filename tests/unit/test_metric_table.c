/* test_metric_table.c -- which metrics go with which property, and their numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/metric_table.h"

#define ALL_METRICS                                                                      \
    "visitors,visits,pageviews,events,views_per_visit,bounce_rate,visit_duration,"       \
    "conversion_rate,time_on_page"

#define VISIT_METRICS                                                                    \
    "visitors,visits,pageviews,views_per_visit,bounce_rate,visit_duration"

static const struct {
    const char *property; /* "": none */
    const char *allowed;
    const char *by_default;
} pairs[] = {
    {"", "visitors,visits,pageviews,events,views_per_visit,bounce_rate,visit_duration",
     "visitors,visits,pageviews"},
    {"page", "visitors,pageviews,events,time_on_page", "visitors,pageviews"},
    {"event_type", "visitors,pageviews,events,conversion_rate", "visitors,pageviews"},
    {"hostname", "visitors,pageviews,events", "visitors,pageviews"},
    {"prop:plan", "visitors,pageviews,events,conversion_rate", "visitors,pageviews"},
    {"entry_page", "visitors,visits,bounce_rate,visit_duration", "visitors,visits"},
    {"exit_page", "visitors,visits,bounce_rate,visit_duration", "visitors,visits"},
    {"source", VISIT_METRICS, "visitors,visits"},
    {"referrer", VISIT_METRICS, "visitors,visits"},
    {"channel", VISIT_METRICS, "visitors,visits"},
    {"utm_source", VISIT_METRICS, "visitors,visits"},
    {"utm_medium", VISIT_METRICS, "visitors,visits"},
    {"utm_campaign", VISIT_METRICS, "visitors,visits"},
    {"utm_content", VISIT_METRICS, "visitors,visits"},
    {"utm_term", VISIT_METRICS, "visitors,visits"},
    {"click", VISIT_METRICS, "visitors,visits"},
    {"browser", VISIT_METRICS, "visitors,visits"},
    {"browser_version", VISIT_METRICS, "visitors,visits"},
    {"os", VISIT_METRICS, "visitors,visits"},
    {"os_version", VISIT_METRICS, "visitors,visits"},
    {"device", VISIT_METRICS, "visitors,visits"},
    {"screen", VISIT_METRICS, "visitors,visits"},
    {"country", VISIT_METRICS, "visitors,visits"},
    {"region", VISIT_METRICS, "visitors,visits"},
    {"city", VISIT_METRICS, "visitors,visits"},
    {"language", VISIT_METRICS, "visitors,visits"},
};

static unsigned bits_of(const char *names)
{
    unsigned bits = 0;

    for (;;) {
        size_t len = strcspn(names, ",");
        enum metric_id id = metric_find(names, len);
        assert_int_not_equal(id, METRIC_ID_COUNT);
        bits |= 1U << id;
        if (!names[len])
            return bits;
        names += len + 1;
    }
}

static void test_metric_goes_with_what_the_contract_says(void **state)
{
    size_t properties = 0;

    (void)state;
    while (property_at(properties))
        properties++;
    /* nothing and prop:<key> have no number */
    assert_int_equal(properties + 2, sizeof(pairs) / sizeof(pairs[0]));
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const struct property *property = property_find(pairs[i].property);
        enum metric_group group = property ? property->group : METRIC_GROUP_NONE;
        assert_true(property || i == 0);
        assert_int_equal(metric_allowed(group), bits_of(pairs[i].allowed));
        assert_int_equal(metric_default(group), bits_of(pairs[i].by_default));
    }
    assert_null(property_find("pages"));
    assert_null(property_find("prop:"));
    assert_string_equal(property_find("prop")->name, "prop");
    assert_null(property_find("props"));
    assert_int_equal(bits_of(ALL_METRICS), (1U << METRIC_ID_COUNT) - 1);
    assert_int_equal(metric_find("visit", 5), METRIC_ID_COUNT);
}

static void test_metric_is_a_figure_or_a_ratio(void **state)
{
    static const int64_t figures[FIGURE_COUNT] = {
        [FIGURE_USERS] = 7,      [FIGURE_VISITS] = 3,         [FIGURE_PAGEVIEWS] = 11,
        [FIGURE_EVENTS] = 13,    [FIGURE_BOUNCES] = 2,        [FIGURE_VISIT_VIEWS] = 8,
        [FIGURE_ALL_USERS] = 16, [FIGURE_DURATION_MS] = 4501,
    };
    static const struct {
        enum metric_id id;
        int64_t value;
        int decimals;
    } cases[] = {
        {METRIC_ID_VISITORS, 7, 0},          {METRIC_ID_VISITS, 3, 0},
        {METRIC_ID_PAGEVIEWS, 11, 0},        {METRIC_ID_EVENTS, 13, 0},
        {METRIC_ID_VIEWS_PER_VISIT, 267, 2}, {METRIC_ID_BOUNCE_RATE, 667, 1},
        {METRIC_ID_VISIT_DURATION, 2, 0},    {METRIC_ID_CONVERSION_RATE, 438, 1},
        {METRIC_ID_TIME_ON_PAGE, 0, 0},
    };
    static const int64_t zeros[FIGURE_COUNT] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct metric_value value = metric_value(cases[i].id, figures);
        struct metric_value of_none = metric_value(cases[i].id, zeros);
        assert_false(value.is_null);
        assert_int_equal(value.value, cases[i].value);
        assert_int_equal(value.decimals, cases[i].decimals);
        assert_int_equal(of_none.is_null, cases[i].id >= METRIC_ID_VIEWS_PER_VISIT);
    }
}

static void test_metric_changes_by_tenths_of_a_per_cent(void **state)
{
    static const struct {
        int64_t now;
        int64_t before;
        int64_t tenths;
    } cases[] = {{12, 6, 1000}, {4, 3, 333},      {2, 3, -333},     {0, 5, -1000},
                 {5, 5, 0},     {1, 2000, -1000}, {1999, 2000, -1}, {2001, 2000, 1}};
    struct metric_value none = {.value = 0};
    struct metric_value null = {.is_null = true};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct metric_value now = {.value = cases[i].now};
        struct metric_value before = {.value = cases[i].before};
        struct metric_value change = metric_change(&now, &before);
        assert_false(change.is_null);
        assert_int_equal(change.value, cases[i].tenths);
        assert_true(metric_change(&now, &none).is_null);
        assert_true(metric_change(&now, &null).is_null);
        assert_true(metric_change(&null, &before).is_null);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metric_goes_with_what_the_contract_says),
        cmocka_unit_test(test_metric_is_a_figure_or_a_ratio),
        cmocka_unit_test(test_metric_changes_by_tenths_of_a_per_cent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
