/* test_rate.c -- token buckets, by a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/rate.h"
#include "shared/base/mem.h"

enum {
    MANY_KEYS = 100000
};

static struct rate *make(int64_t per_second, int64_t burst, int64_t max_keys)
{
    struct rate *rate = NULL;
    struct err err;

    assert_int_equal(rate_new(per_second, burst, max_keys, &rate, &err), ERR_OK);
    return rate;
}

static int take_all(struct rate *rate, const char *key, int64_t now_ms)
{
    int taken = 0;

    while (rate_take(rate, key, strlen(key), now_ms))
        taken++;
    return taken;
}

static void test_rate_gives_a_burst_and_then_its_rate(void **state)
{
    struct rate *rate = make(10, 20, 64);

    (void)state;
    assert_int_equal(take_all(rate, "a", 1000), 20);
    assert_int_equal(take_all(rate, "a", 1099), 0);
    assert_int_equal(take_all(rate, "a", 1100), 1);
    assert_int_equal(take_all(rate, "a", 2100), 10);
    assert_int_equal(take_all(rate, "a", 1000000), 20);
    assert_int_equal(take_all(rate, "a", 999999), 0); /* a clock that another loop read */
    rate_free(rate);
}

static void test_rate_keeps_keys_apart(void **state)
{
    struct rate *rate = make(1, 5, 64);

    (void)state;
    assert_int_equal(take_all(rate, "a", 0), 5);
    assert_int_equal(take_all(rate, "b", 0), 5);
    assert_int_equal(take_all(rate, "", 0), 5);
    rate_free(rate);
}

static void test_rate_has_takes_nothing(void **state)
{
    struct rate *rate = make(1, 2, 64);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_true(rate_has(rate, "a", 1, 0));
    assert_int_equal(take_all(rate, "a", 0), 2);
    assert_false(rate_has(rate, "a", 1, 0));
    assert_true(rate_has(rate, "a", 1, 1000));
    rate_free(rate);
}

static void test_rate_exempts_who_has_a_token_left(void **state)
{
    struct rate *rate = make(1, 2, 64);

    (void)state;
    assert_int_equal(take_all(rate, "b", 0), 2);
    assert_false(rate_exempt(rate, "b", 1, 0, 5000));
    assert_false(rate_has(rate, "b", 1, 0));
    assert_true(rate_exempt(rate, "a", 1, 0, 5000));
    for (int i = 0; i < 9; i++)
        assert_true(rate_take(rate, "a", 1, 4999));
    assert_int_equal(take_all(rate, "a", 5000), 2); /* what it had, it has */
    rate_free(rate);
}

static void test_rate_of_a_fast_and_of_a_slow_key_add_up_exactly(void **state)
{
    struct rate *rate = make(1000000, 1000000, 64);
    int taken = 0;

    (void)state;
    (void)take_all(rate, "a", 0);
    for (int64_t now_ms = 1; now_ms <= 50; now_ms++)
        taken += take_all(rate, "a", now_ms);
    assert_int_equal(taken, 50000);
    rate_free(rate);
}

static void test_rate_forgets_the_idle_when_there_are_too_many(void **state)
{
    struct rate *rate = make(1, 1, 64);

    (void)state;
    for (int i = 0; i < MANY_KEYS; i++)
        assert_true(
            rate_take(rate, &i, sizeof(i), i)); /* a key that is new has its burst */
    rate_free(rate);
}

static void test_rate_survives_a_failed_allocation(void **state)
{
    struct rate *rate = NULL;
    struct err err;

    (void)state;
    mem_fail_after(0);
    assert_int_equal(rate_new(1, 1, 64, &rate, &err), ERR_NOMEM);
    mem_fail_after(-1);
    assert_null(rate);
    rate_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_gives_a_burst_and_then_its_rate),
        cmocka_unit_test(test_rate_keeps_keys_apart),
        cmocka_unit_test(test_rate_has_takes_nothing),
        cmocka_unit_test(test_rate_exempts_who_has_a_token_left),
        cmocka_unit_test(test_rate_of_a_fast_and_of_a_slow_key_add_up_exactly),
        cmocka_unit_test(test_rate_forgets_the_idle_when_there_are_too_many),
        cmocka_unit_test(test_rate_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
