/* test_pace.c -- how long the processor waits: backoff with jitter, rests of workers and roll-up;
 * and what it prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "processor/conf.h"
#include "processor/queue/queue.h"
#include "processor/report.h"
#include "processor/retry.h"
#include "processor/rollup/pace.h"
#include "processor/rollup/rollup.h"
#include "processor/rollup/size.h"
#include "processor/worker.h"
#include "shared/base/buf.h"

static void test_the_backoff_doubles_up_to_its_maximum(void **state)
{
    static const int64_t ceilings[] = {50, 100, 200, 400, 800, 1000, 1000, 1000};
    int64_t longest[8] = {0};

    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct retry retry;

        retry_init(&retry, 50, 1000, seed * UINT64_C(7919));
        for (size_t i = 0; i < 8; i++) {
            int64_t ms = retry_next_ms(&retry);

            assert_in_range(ms, 1, ceilings[i]);
            if (ms > longest[i])
                longest[i] = ms;
        }
    }
    for (size_t i = 0; i < 8; i++) /* the whole range is drawn from */
        assert_true(longest[i] > ceilings[i] * 95 / 100);
}

static void test_the_jitter_is_full(void **state)
{
    size_t low = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct retry retry;

        retry_init(&retry, 1000, 1000, seed);
        low += retry_next_ms(&retry) <= 500 ? 1 : 0;
    }
    assert_in_range(low, 400, 600);
}

static void test_the_backoff_starts_again_after_success(void **state)
{
    struct retry retry;

    (void)state;
    retry_init(&retry, 10, 100000, 1);
    for (int i = 0; i < 1000; i++)
        assert_in_range(retry_next_ms(&retry), 1, 100000);
    retry_clear(&retry);
    assert_in_range(retry_next_ms(&retry), 1, 10);
}

static void test_a_slow_pause_is_spread_over_its_second_half(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct retry retry;

        retry_init(&retry, 1, 1, seed);
        assert_in_range(retry_around_ms(&retry, 1000), 500, 1000);
        assert_in_range(retry_around_ms(&retry, 1), 1, 1);
    }
}

struct rest_case {
    int64_t took_ms;
    int64_t rested_ms;
    int64_t expected_ms;
};

static void test_the_rollup_pauses_in_proportion_and_within_the_lag(void **state)
{
    static const struct rest_case cases[] = {
        {0, 0, 0},       {3, 0, 12},         {3, 12, 0},    {3, 5000, 0}, {200, 0, 800},
        {200, 300, 500}, {300, 0, 900},      {700, 0, 100}, {750, 0, 0},  {5000, 0, 0},
        {200, -1, 0},    {200, -3600000, 0}, /* the wall clock went back */
    };
    struct pace pace;

    (void)state;
    pace_init(&pace, 4, 1500, 0, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rollup_state look = {
            .waiting = 1, .rested_ms = cases[i].rested_ms, .took_ms = cases[i].took_ms};

        assert_int_equal(pace_pause_ms(&pace, &look), cases[i].expected_ms);
    }
}

static void test_it_is_quiet_once_nothing_has_come_for_a_while(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 4, 1500, 12, 0);
    assert_int_equal(pace.quiet_ms, 25);
    assert_false(pace_is_quiet(&pace, 5, 1000));
    assert_false(pace_is_quiet(&pace, 5, 1024));
    assert_true(pace_is_quiet(&pace, 5, 1025));
    assert_false(pace_is_quiet(&pace, 6, 1026));
    assert_false(pace_is_quiet(&pace, 6, 1050));
    assert_true(pace_is_quiet(&pace, 6, 1051));
    assert_false(pace_is_quiet(&pace, 2, 1060)); /* somebody else has taken some */
    pace_init(&pace, 4, 1500, 40, 0);            /* workers pause longer than that */
    assert_int_equal(pace.quiet_ms, 80);
}

static void test_pauses_are_saved_up_to_a_limit_and_spent(void **state)
{
    struct pace pace;

    (void)state;
    pace_init(&pace, 1, 1500, 0, 1000);
    pace_spend(&pace, INT64_C(1000) * PACE_SAVED_MAX_MS);
    assert_false(pace_has_saved(&pace, 1000));
    assert_true(pace_has_saved(&pace, 1001));
    pace_spend(&pace, 116000); /* more than there is is not owed */
    assert_false(pace_has_saved(&pace, 1001));
    assert_true(pace_has_saved(&pace, 1201));
    pace_spend(&pace, 116000);
    assert_true(pace_has_saved(&pace, 1201));
    pace_spend(&pace, 116000);
    assert_false(pace_has_saved(&pace, 1201));
    assert_true(pace_has_saved(&pace, 1000000));
    pace_spend(&pace, INT64_C(1000) * (PACE_SAVED_MAX_MS - 1));
    assert_true(pace_has_saved(&pace, 1000000));
    pace_spend(&pace, 1000);
    assert_false(pace_has_saved(&pace, 1000000));
}

/* Every way from a look to a step. */
static void test_the_pace_decides_by_what_waits_and_who_writes(void **state)
{
    static const struct {
        int64_t waiting;
        int64_t rested_ms; /* since a chunk that took 10 ms: a pause of 40 ms is due */
        bool is_quiet;
        bool has_saved;
        enum pace_step step;
        int64_t pause_ms;
    } rows[] = {
        {0, 0, false, false, PACE_WAIT, 0},
        {-3, 0, true, true, PACE_WAIT, 0}, /* ids that never became rows */
        {10, 40, false, false, PACE_CHUNK, 0},
        {10, 40, true, true, PACE_CHUNK, 0},
        {10, 0, false, false, PACE_PAUSE, 25},
        {10, 30, false, false, PACE_PAUSE, 10},
        {10, 30, true, false, PACE_PROBE, 10}, /* nobody is writing */
        {10, 30, false, true, PACE_PAUSE, 10}, /* too many to hurry */
        {4, 30, false, true, PACE_PROBE, 10},
        {5, 30, false, true, PACE_PAUSE, 10},
        {4, 30, false, false, PACE_PAUSE, 10},
        {1000, 0, false, false, PACE_CHUNK, 0}, /* a full chunk */
        {999, 0, false, false, PACE_PAUSE, 25},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rollup_state look = {
            .waiting = rows[i].waiting, .rested_ms = rows[i].rested_ms, .took_ms = 10};
        struct pace_decision decision;
        struct pace pace;

        pace_init(&pace, 4, 1500, 0, 5000);
        pace.quiet_waiting = rows[i].is_quiet ? look.waiting : look.waiting + 1;
        pace.quiet_since_ms = 0;
        pace.saved_ms = rows[i].has_saved;
        decision = pace_decide(&pace, &look, 1000, 5000);
        assert_int_equal(decision.step, rows[i].step);
        assert_int_equal(decision.pause_ms, rows[i].pause_ms);
    }
}

struct batch_case {
    struct claim claim;
    int64_t expected_ms;
};

static void test_a_worker_rests_behind_a_batch_neither_of_one_nor_large(void **state)
{
    static const struct processor_conf conf = {.batch_pause_ms = 10};
    static const struct batch_case cases[] = {
        {{.count = 1}, 0},     {{.count = 1, .is_large = true}, 0},
        {{.count = 2}, 10},    {{.count = 2, .is_large = true}, 0},
        {{.count = 5000}, 10}, {{.count = 5000, .is_large = true}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(worker_pause_ms(&conf, 0, &cases[i].claim),
                         cases[i].expected_ms);
        assert_int_equal(worker_pause_ms(&conf, 1, &cases[i].claim),
                         10 * cases[i].expected_ms);
    }
}

struct report_case {
    int64_t total;
    size_t count;
    int64_t jobs_max;
    const char *expected;
};

static void test_a_batch_is_reported_by_job_or_in_one_line(void **state)
{
    static const struct report_case cases[] = {
        {1, 1, 100, "job completed 1\n"},
        {3, 3, 100, "job completed 1\njob completed 2\njob completed 3\n"},
        {12, 2, 2, "job completed 11\njob completed 12\n"},
        {12, 3, 2, "jobs completed 10-12 (3 events, 7 ms)\n"},
        {5000, 5000, 0, "jobs completed 1-5000 (5000 events, 7 ms)\n"},
        {5, 0, 100, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;

        buf_init(&out, 4096);
        report_format(&out, cases[i].total, cases[i].count, 7, cases[i].jobs_max);
        assert_int_equal(out.len, strlen(cases[i].expected));
        if (out.len > 0)
            assert_memory_equal(out.data, cases[i].expected, out.len);
        buf_release(&out);
    }
}

/* --- sizes of chunks ------------------------------------------------------------------ */

static void test_any_failure_makes_a_bite_smaller_down_to_one(void **state)
{
    (void)state;
    for (enum err_code code = ERR_OK + 1; code < ERR_CODE_COUNT; code++) {
        struct rollup_size size;
        int failures = 0;

        rollup_size_init(&size, 250000, 500);
        while (size.rows > 1) {
            int64_t before = size.rows;

            rollup_size_fail(&size, code, 7, 1000000);
            assert_true(size.rows < before);
            assert_true(++failures <= 18);
        }
        assert_int_equal(rollup_size_tries(&size, 7), 0);
        rollup_size_fail(&size, code, 7, 1000000);
        assert_int_equal(size.rows, 1);
        assert_int_equal(rollup_size_tries(&size, 7), 1);
        assert_int_equal(rollup_size_tries(&size, 8), 0);
    }
}

static void test_a_bite_shrinks_from_what_was_there(void **state)
{
    struct rollup_size size;

    (void)state;
    rollup_size_init(&size, 250000, 500);
    rollup_size_fail(&size, ERR_INVALID, 0, 10);
    assert_int_equal(size.rows, 5);
}

static void test_bites_grow_again(void **state)
{
    static const enum err_code codes[] = {ERR_INVALID, ERR_TIMEOUT};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rollup_size size;
        int chunks = 0;

        rollup_size_init(&size, 250000, 500);
        rollup_size_fail(&size, codes[i], 0, 1);
        while (size.rows < 250000) {
            rollup_size_succeed(&size, size.rows, 1);
            chunks++;
        }
        assert_in_range(chunks, i == 0 ? 18 : 80, i == 0 ? 18 : 120);
        rollup_size_succeed(&size, size.rows, 1);
        assert_int_equal(size.rows, 250000);
    }
}

static void test_a_bite_takes_the_time_that_it_is_to_take(void **state)
{
    static const int64_t us_per_row[] = {1, 10, 100, 5000, 1000000};

    (void)state;
    for (size_t i = 0; i < sizeof us_per_row / sizeof *us_per_row; i++) {
        int64_t fitting = 500000 / us_per_row[i];
        struct rollup_size size;

        rollup_size_init(&size, 250000, 500);
        assert_int_equal(size.rows, 5000);
        for (int chunks = 0; chunks < 20; chunks++)
            rollup_size_succeed(&size, size.rows, size.rows * us_per_row[i] / 1000);
        fitting = fitting < 1 ? 1 : fitting > 250000 ? 250000 : fitting;
        assert_in_range(size.rows, fitting, fitting + fitting / 100);
    }
}

static void test_a_small_bite_makes_the_next_one_no_smaller(void **state)
{
    struct rollup_size size;

    (void)state;
    rollup_size_init(&size, 250000, 500);
    rollup_size_succeed(&size, 3, 30); /* at this rate 50 would fit */
    assert_int_equal(size.rows, 10000);
    rollup_size_succeed(&size, 300, 1000); /* no more than a quarter at once */
    assert_int_equal(size.rows, 2500);
}

static void test_an_outage_is_not_the_fault_of_an_event(void **state)
{
    struct rollup_size size;

    (void)state;
    for (enum err_code code = ERR_OK + 1; code < ERR_CODE_COUNT; code++) {
        bool is_possible = code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;

        rollup_size_init(&size, 1, 500);
        for (int i = 0; i < 9; i++)
            rollup_size_fail(&size, code, 3, 100);
        assert_false(rollup_size_gives_up(&size, 3)); /* it may be one, still */
        rollup_size_fail(&size, code, 3, 100);
        assert_int_equal(rollup_size_gives_up(&size, 3), is_possible);
        assert_false(rollup_size_gives_up(&size, 4)); /* another one rolled it up */
        rollup_size_fail(&size, code, 3, 100);        /* to set it aside failed, too */
        assert_false(rollup_size_gives_up(&size, 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_failure_makes_a_bite_smaller_down_to_one),
        cmocka_unit_test(test_a_bite_shrinks_from_what_was_there),
        cmocka_unit_test(test_bites_grow_again),
        cmocka_unit_test(test_a_bite_takes_the_time_that_it_is_to_take),
        cmocka_unit_test(test_a_small_bite_makes_the_next_one_no_smaller),
        cmocka_unit_test(test_an_outage_is_not_the_fault_of_an_event),
        cmocka_unit_test(test_the_backoff_doubles_up_to_its_maximum),
        cmocka_unit_test(test_the_jitter_is_full),
        cmocka_unit_test(test_the_backoff_starts_again_after_success),
        cmocka_unit_test(test_a_slow_pause_is_spread_over_its_second_half),
        cmocka_unit_test(test_the_rollup_pauses_in_proportion_and_within_the_lag),
        cmocka_unit_test(test_it_is_quiet_once_nothing_has_come_for_a_while),
        cmocka_unit_test(test_pauses_are_saved_up_to_a_limit_and_spent),
        cmocka_unit_test(test_the_pace_decides_by_what_waits_and_who_writes),
        cmocka_unit_test(test_a_worker_rests_behind_a_batch_neither_of_one_nor_large),
        cmocka_unit_test(test_a_batch_is_reported_by_job_or_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
