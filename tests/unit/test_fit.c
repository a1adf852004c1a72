/* test_fit.c -- groups shrink to what Redis takes, and grow again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ingestion/commit/fit.h"

enum {
    JOB = 250
};

/* The jobs that a group gets of those that wait. */
static size_t jobs_of(const struct fit *fit, size_t waiting)
{
    size_t jobs = 0;

    while (jobs < waiting && fit_has_room(fit, jobs * JOB, jobs, JOB))
        jobs++;
    return jobs;
}

/* Sends so many jobs to a Redis that takes at most `room` of them at once; returns the
 * commands, or 0 when it takes none. */
static size_t send_all(struct fit *fit, size_t waiting, size_t room)
{
    size_t commands = 0;

    while (waiting > 0) {
        size_t jobs = jobs_of(fit, waiting);

        commands++;
        if (jobs <= room) {
            fit_note(fit, ERR_OK, jobs * JOB, jobs);
            waiting -= jobs;
        } else {
            fit_note(fit, ERR_TOO_BIG, jobs * JOB, jobs);
            if (jobs == 1)
                return 0;
        }
    }
    return commands;
}

static void test_every_group_gets_through_that_has_room_for_one_job(void **state)
{
    (void)state;
    for (size_t room = 1; room <= 4096; room *= 2) {
        struct fit fit = {.max_bytes = 0};
        size_t commands = send_all(&fit, 4096, room);

        assert_in_range(commands, 4096 / room, 3 * 4096 / room + 13);
    }
}

static void test_a_job_that_has_no_room_alone_is_said_to_have_none(void **state)
{
    struct fit fit = {.max_bytes = 0};

    (void)state;
    assert_int_equal(send_all(&fit, 4096, 0), 0);
    assert_int_equal(jobs_of(&fit, 4096), 1);
    fit_note(&fit, ERR_OK, JOB, 1);
    assert_int_equal(jobs_of(&fit, 4096), 2);
}

static void test_there_is_no_limit_any_more_once_there_is_room(void **state)
{
    struct fit fit = {.max_bytes = 0};

    (void)state;
    assert_int_equal(send_all(&fit, 100, 0), 0);
    assert_in_range(send_all(&fit, 1000000, 1000000), 1, 40);
    assert_int_equal(fit.max_bytes, 0);
}

static void test_one_lost_reply_may_be_chance(void **state)
{
    struct fit fit = {.max_bytes = 0};

    (void)state;
    fit_note(&fit, ERR_TIMEOUT, 1000 * JOB, 1000);
    assert_int_equal(jobs_of(&fit, 1000), 1000);
    fit_note(&fit, ERR_TIMEOUT, 1000 * JOB, 1000);
    assert_int_equal(jobs_of(&fit, 1000), 500);
    fit_note(&fit, ERR_OK, 500 * JOB, 500);
    fit_note(&fit, ERR_TIMEOUT, 1000 * JOB, 1000);
    assert_int_equal(jobs_of(&fit, 1000), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_group_gets_through_that_has_room_for_one_job),
        cmocka_unit_test(test_a_job_that_has_no_room_alone_is_said_to_have_none),
        cmocka_unit_test(test_there_is_no_limit_any_more_once_there_is_room),
        cmocka_unit_test(test_one_lost_reply_may_be_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
