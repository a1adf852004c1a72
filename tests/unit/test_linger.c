/* test_linger.c -- when a group waits for more, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingestion/commit/linger.h"

static const int64_t now_us = 1000000;
static const int64_t max_us = 2000;

static void test_gather_waits_for_half_of_what_the_last_group_took(void **state)
{
    static const struct {
        int64_t took_us;
        int64_t waits_us;
    } rows[] = {
        {0, 0},      {100, 0},       {399, 0},       {400, 200},
        {1000, 500}, {4000, max_us}, {4002, max_us}, {INT64_C(60000000), max_us},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct group_linger linger;
        group_linger_begin(&linger, rows[i].took_us, 10, now_us, max_us);
        if (rows[i].waits_us > 0)
            assert_true(group_linger_is_on(&linger, 9, now_us + rows[i].waits_us - 1));
        assert_false(group_linger_is_on(&linger, 9, now_us + rows[i].waits_us));
        assert_int_equal(group_linger_is_slow(&linger), rows[i].waits_us > 0);
    }
}

static void test_gather_ends_when_all_are_there(void **state)
{
    struct group_linger linger;

    (void)state;
    group_linger_begin(&linger, 1000, 10, now_us, max_us);
    assert_true(group_linger_is_on(&linger, 1, now_us));
    assert_true(group_linger_is_on(&linger, 9, now_us));
    assert_false(group_linger_is_on(&linger, 10, now_us));
    assert_false(group_linger_is_on(&linger, 11, now_us));
}

static void test_gather_never_keeps_a_lone_client_waiting(void **state)
{
    struct group_linger linger = {.target = 0};

    (void)state;
    assert_false(group_linger_is_on(&linger, 1, now_us)); /* the first event of all */
    group_linger_begin(&linger, 1000, 1, now_us, max_us);
    assert_false(group_linger_is_on(&linger, 1, now_us));
}

static void test_gather_can_be_switched_off(void **state)
{
    struct group_linger linger;

    (void)state;
    group_linger_begin(&linger, 1000, 10, now_us, 0);
    assert_false(group_linger_is_on(&linger, 1, now_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gather_waits_for_half_of_what_the_last_group_took),
        cmocka_unit_test(test_gather_ends_when_all_are_there),
        cmocka_unit_test(test_gather_never_keeps_a_lone_client_waiting),
        cmocka_unit_test(test_gather_can_be_switched_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
