/* test_barrier_states.c -- every transition of the barrier's two state machines, and what is
 * read out of an INFO. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/commit/barrier_states.h"

/* "x" where the state of the row may become that of the column. */
static const char *const pushes[PUSH_STATES] = {
    /*                 S  R  H  T  C  t */
    [PUSH_SENT] = "    -  x  x  -  -  x", [PUSH_REPLIED] = " -  -  x  -  -  -",
    [PUSH_HELD] = "    -  -  -  x  x  -", [PUSH_TRIED] = "   -  -  x  -  -  -",
    [PUSH_COVERED] = " -  -  x  x  -  -", [PUSH_TOLD] = "    -  -  -  -  -  -",
};

static void test_a_push_goes_along_the_arrows_only(void **state)
{
    (void)state;
    for (int from = 0; from < PUSH_STATES; from++) {
        const char *at = pushes[from] + strspn(pushes[from], " ");

        for (int to = 0; to < PUSH_STATES; to++, at += 3)
            assert_int_equal(push_may_become((enum push_state)from, (enum push_state)to),
                             *at == 'x');
    }
}

static void test_a_question_goes_along_the_arrows_only(void **state)
{
    static const struct {
        enum question now;
        enum question after[QUESTION_EVENTS]; /* sent, answer, turn, forget */
    } rows[] = {
        {QUESTION_QUIET,
         {QUESTION_ASKED, QUESTION_QUIET, QUESTION_TRIED, QUESTION_QUIET}},
        {QUESTION_ASKED,
         {QUESTION_ASKED, QUESTION_QUIET, QUESTION_TRIED_ASKED, QUESTION_ASKED}},
        {QUESTION_TRIED,
         {QUESTION_CHECKING, QUESTION_TRIED, QUESTION_TRIED, QUESTION_QUIET}},
        {QUESTION_TRIED_ASKED,
         {QUESTION_TRIED_ASKED, QUESTION_TRIED, QUESTION_TRIED_ASKED, QUESTION_ASKED}},
        {QUESTION_CHECKING,
         {QUESTION_CHECKING, QUESTION_QUIET, QUESTION_CHECKING, QUESTION_ASKED}},
    };

    (void)state;
    assert_int_equal(sizeof(rows) / sizeof(rows[0]), QUESTION_STATES);
    for (size_t i = 0; i < QUESTION_STATES; i++) {
        for (int event = 0; event < QUESTION_EVENTS; event++)
            assert_int_equal(question_next(rows[i].now, (enum question_event)event),
                             rows[i].after[event]);
    }
}

/* An INFO that was on its way at the turn may have been read in that turn: it says nothing
 * about how the write ended. */
static void test_only_an_info_sent_after_the_turn_checks(void **state)
{
    enum question now = question_next(QUESTION_QUIET, QUESTION_ON_SENT);

    (void)state;
    now = question_next(now, QUESTION_ON_TURN);
    now = question_next(now, QUESTION_ON_ANSWER);
    assert_int_equal(now, QUESTION_TRIED);
    assert_true(question_is_tried(now));
    assert_false(question_is_asked(now));
    now = question_next(now, QUESTION_ON_SENT);
    assert_int_equal(now, QUESTION_CHECKING);
    assert_true(question_is_asked(now));
}

static void test_what_an_info_says(void **state)
{
    static const struct {
        const char *text;
        bool is_pending;
        bool has_failed;
    } rows[] = {
        {"", false, false},
        {"loading:0\r\naof_enabled:0\r\n", false, false},
        {"aof_last_write_status:err\r\n", false, false}, /* of a Redis without a file */
        {"aof_pending_bio_fsync:0\r\naof_last_write_status:ok\r\n", false, false},
        {"aof_last_write_status:ok\r\naof_pending_bio_fsync:1\r\n", true, false},
        {"aof_last_write_status:err\r\naof_pending_bio_fsync:0\r\n", false, true},
        {"aof_last_write_status:err\r\naof_pending_bio_fsync:1\r\n", true, true},
        {"aof_pending_bio_fsync:", true, false}, /* cut off: not known to be written */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct info_word word = info_read(rows[i].text);

        assert_int_equal(word.is_pending, rows[i].is_pending);
        assert_int_equal(word.has_failed, rows[i].has_failed);
    }
}

static void test_which_errors_mean_that_redis_does_not_tell(void **state)
{
    (void)state;
    assert_true(info_is_refused("NOPERM this user has no permissions to run 'info'"));
    assert_true(info_is_refused("ERR unknown command 'INFO', with args beginning with:"));
    assert_false(
        info_is_refused("OOM command not allowed when used memory > 'maxmemory'"));
    assert_false(info_is_refused("ERR syntax error"));
    assert_false(info_is_refused(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_push_goes_along_the_arrows_only),
        cmocka_unit_test(test_a_question_goes_along_the_arrows_only),
        cmocka_unit_test(test_only_an_info_sent_after_the_turn_checks),
        cmocka_unit_test(test_what_an_info_says),
        cmocka_unit_test(test_which_errors_mean_that_redis_does_not_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
