/* test_err.c -- the error table is complete, and sentences are cut, never overrun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/err.h"

static void test_err_table_has_all_of_each_code(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_CODE_COUNT; i++) {
        enum err_code code = (enum err_code)i;
        unsigned status = err_http_status(code);
        assert_non_null(err_name(code));
        for (int other = 0; other < i; other++)
            assert_string_not_equal(err_name(code), err_name((enum err_code)other));
        assert_true(status == 200 || (status >= 400 && status < 600));
        assert_int_equal(code == ERR_OK || code == ERR_NOT_FOUND,
                         err_action(code) == ACTION_NONE);
    }
}

static void test_err_table_decides_as_the_contract_says(void **state)
{
    static const struct {
        enum err_code code;
        unsigned status;
        enum err_action action;
    } rows[] = {
        {ERR_OK, 200, ACTION_NONE},           {ERR_INVALID, 400, ACTION_ISOLATE},
        {ERR_TOO_BIG, 413, ACTION_ISOLATE},   {ERR_UNSUPPORTED, 415, ACTION_ISOLATE},
        {ERR_DUPLICATE, 200, ACTION_SKIP},    {ERR_BUSY, 503, ACTION_RETRY},
        {ERR_UNAVAILABLE, 503, ACTION_RETRY}, {ERR_TIMEOUT, 503, ACTION_RETRY},
        {ERR_READ_ONLY, 503, ACTION_RETRY},   {ERR_NOMEM, 503, ACTION_RETRY},
        {ERR_SCHEMA, 503, ACTION_HALT},       {ERR_DENIED, 403, ACTION_HALT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(err_http_status(rows[i].code), rows[i].status);
        assert_int_equal(err_action(rows[i].code), rows[i].action);
    }
}

static void test_err_keeps_code_and_sentence(void **state)
{
    struct err err;

    (void)state;
    assert_int_equal(err_set(&err, ERR_INVALID, "\"%s\" is %d", "x", 7), ERR_INVALID);
    assert_int_equal(err.code, ERR_INVALID);
    assert_string_equal(err.msg, "\"x\" is 7");
    assert_int_equal(err_wrap(&err, "part %d", 2), ERR_INVALID);
    assert_string_equal(err.msg, "part 2: \"x\" is 7");
}

static void test_err_cuts_a_long_sentence(void **state)
{
    char text[2 * ERR_MSG_MAX];
    struct err err;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(err_set(&err, ERR_BUG, "%s", text), ERR_BUG);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_int_equal(err_wrap(&err, "prefix"), ERR_BUG);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_memory_equal(err.msg, "prefix: xxx", 11);
    assert_int_equal(err_wrap(&err, "%s", text), ERR_BUG);
    assert_int_equal(strlen(err.msg), ERR_MSG_MAX - 1);
    assert_memory_equal(err.msg, "xxx", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_table_has_all_of_each_code),
        cmocka_unit_test(test_err_table_decides_as_the_contract_says),
        cmocka_unit_test(test_err_keeps_code_and_sentence),
        cmocka_unit_test(test_err_cuts_a_long_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
