/* test_period.c -- the days of each period, and those before, at chosen moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/day.h"
#include "reporting/report/period.h"

struct a_case {
    enum period period;
    const char *today;
    const char *date; /* NULL: none */
    const char *from;
    const char *to;
    const char *previous_from;
    const char *previous_to;
    int previous_hour;
};

/* It is always 14:something. */
static const struct a_case cases[] = {
    {PERIOD_TODAY, "2026-11-27", NULL, "2026-11-27", "2026-11-27", "2026-11-26",
     "2026-11-26", 14},
    {PERIOD_TODAY, "2026-11-27", "2026-11-20", "2026-11-20", "2026-11-20", "2026-11-19",
     "2026-11-19", -1},
    {PERIOD_YESTERDAY, "2026-03-01", NULL, "2026-02-28", "2026-02-28", "2026-02-27",
     "2026-02-27", -1},
    {PERIOD_YESTERDAY, "2026-03-01", "2026-03-02", "2026-03-01", "2026-03-01",
     "2026-02-28", "2026-02-28", 14},
    {PERIOD_24H, "2026-11-27", NULL, "2026-11-26", "2026-11-27", "2026-11-25",
     "2026-11-26", -1},
    {PERIOD_7D, "2026-11-27", NULL, "2026-11-21", "2026-11-27", "2026-11-14",
     "2026-11-20", 14},
    {PERIOD_7D, "2026-11-27", "2026-11-24", "2026-11-18", "2026-11-24", "2026-11-11",
     "2026-11-17", -1},
    {PERIOD_28D, "2026-11-27", NULL, "2026-10-31", "2026-11-27", "2026-10-03",
     "2026-10-30", 14},
    {PERIOD_30D, "2026-11-27", NULL, "2026-10-29", "2026-11-27", "2026-09-29",
     "2026-10-28", 14},
    {PERIOD_91D, "2026-11-27", NULL, "2026-08-29", "2026-11-27", "2026-05-30",
     "2026-08-28", 14},
    {PERIOD_MONTH, "2026-11-27", NULL, "2026-11-01", "2026-11-27", "2026-10-01",
     "2026-10-27", 14},
    {PERIOD_MONTH, "2026-11-27", "2026-02-03", "2026-02-01", "2026-02-28", "2026-01-01",
     "2026-01-31", -1},
    /* the month before has no such day: it is over */
    {PERIOD_MONTH, "2026-03-31", NULL, "2026-03-01", "2026-03-31", "2026-02-01",
     "2026-02-28", -1},
    {PERIOD_MONTH, "2024-03-29", NULL, "2024-03-01", "2024-03-29", "2024-02-01",
     "2024-02-29", 14},
    {PERIOD_LAST_MONTH, "2026-01-31", NULL, "2025-12-01", "2025-12-31", "2025-11-01",
     "2025-11-30", -1},
    {PERIOD_6MO, "2026-02-27", NULL, "2025-09-01", "2026-02-27", "2025-03-01",
     "2025-08-27", 14},
    {PERIOD_12MO, "2026-11-27", NULL, "2025-12-01", "2026-11-27", "2024-12-01",
     "2025-11-27", 14},
    {PERIOD_YEAR, "2026-11-27", NULL, "2026-01-01", "2026-11-27", "2025-01-01",
     "2025-11-27", 14},
    {PERIOD_YEAR, "2026-11-27", "2024-02-29", "2024-01-01", "2024-12-31", "2023-01-01",
     "2023-12-31", -1},
};

static int day_of(const char *text)
{
    assert_true(day_is_real(text));
    return day_parse(text);
}

static void check_day(size_t i, const char *name, int day, const char *expected)
{
    char text[DAY_TEXT_SIZE];

    day_format(day, text);
    if (strcmp(text, expected) != 0)
        fail_msg("case %zu: %s is %s, not %s", i, name, text, expected);
}

static void test_period_has_its_days_and_those_before(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct a_case *c = &cases[i];
        struct period_question question = {.period = c->period, .has_date = c->date};
        struct period_now now = {.today = day_of(c->today), .hour = 14};
        struct period_range range;
        if (c->date)
            question.date = day_of(c->date);
        range = period_resolve(&question, &now);
        check_day(i, "from", range.from, c->from);
        check_day(i, "to", range.to, c->to);
        check_day(i, "previous from", range.previous_from, c->previous_from);
        check_day(i, "previous to", range.previous_to, c->previous_to);
        assert_int_equal(range.previous_hour, c->previous_hour);
        assert_int_equal(range.is_hours, c->period == PERIOD_24H);
        assert_true(range.has_previous);
    }
}

static void test_period_of_days_given_may_reach_into_the_future(void **state)
{
    struct period_question question = {.period = PERIOD_FROM_TO,
                                       .from = day_of("2026-11-20"),
                                       .to = day_of("2026-12-19")};
    struct period_now now = {.today = day_of("2026-11-27"), .hour = 0};
    struct period_range range = period_resolve(&question, &now);

    (void)state;
    check_day(0, "from", range.from, "2026-11-20");
    check_day(0, "to", range.to, "2026-12-19");
    check_day(0, "previous from", range.previous_from, "2026-10-21");
    check_day(0, "previous to", range.previous_to, "2026-10-28");
    assert_int_equal(range.previous_hour, 0);
}

static void test_period_of_all_begins_with_the_first_day(void **state)
{
    struct period_question question = {.period = PERIOD_ALL};
    struct period_now now = {
        .today = day_of("2026-11-27"), .hour = 14, .first_day = day_of("1999-12-31")};
    struct period_range range = period_resolve(&question, &now);

    (void)state;
    check_day(0, "from", range.from, "1999-12-31");
    check_day(0, "to", range.to, "2026-11-27");
    assert_false(range.has_previous);
}

/* Every day there is, once: counted, written and read. */
static void test_day_counts_from_year_1_to_9999(void **state)
{
    int last = day_of("9999-12-31");
    int day = day_of("0001-01-01");

    (void)state;
    assert_int_equal(day_of("1970-01-01"), 0);
    assert_int_equal(last - day + 1, 3652059);
    for (; day <= last; day++) {
        char text[DAY_TEXT_SIZE];
        day_format(day, text);
        if (!day_is_real(text) || day_parse(text) != day)
            fail_msg("%d is %s", day, text);
    }
}

static void test_day_finds_months_and_years(void **state)
{
    (void)state;
    assert_int_equal(day_month(day_of("2024-03-31"), -1), day_of("2024-02-01"));
    assert_int_equal(day_month(day_of("2026-01-15"), -13), day_of("2024-12-01"));
    assert_int_equal(day_month(day_of("2026-12-15"), 1), day_of("2027-01-01"));
    assert_int_equal(day_year(day_of("2026-12-15")), day_of("2026-01-01"));
    assert_true(day_month(day_of("0001-01-01"), -30) < day_of("0001-01-01"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_period_has_its_days_and_those_before),
        cmocka_unit_test(test_period_of_days_given_may_reach_into_the_future),
        cmocka_unit_test(test_period_of_all_begins_with_the_first_day),
        cmocka_unit_test(test_day_counts_from_year_1_to_9999),
        cmocka_unit_test(test_day_finds_months_and_years),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
