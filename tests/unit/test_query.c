/* test_query.c -- query strings: what they decode to, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/text/query.h"

static struct query query;

static void test_query_decodes_pairs(void **state)
{
    /* The pairs in order, with a NUL after each name and value. */
    static const struct {
        const char *text;
        size_t count;
        const char *pairs[6];
    } rows[] = {
        {"", 0, {NULL}},
        {"&&&", 0, {NULL}},
        {"a=1", 1, {"a", "1"}},
        {"a=1&b=2&c=3", 3, {"a", "1", "b", "2", "c", "3"}},
        {"&a=1&&b=2&", 2, {"a", "1", "b", "2"}},
        {"a", 1, {"a", ""}},
        {"a&b", 2, {"a", "", "b", ""}},
        {"a=", 1, {"a", ""}},
        {"=a", 1, {"", "a"}},
        {"=", 1, {"", ""}},
        {"a=b=c", 1, {"a", "b=c"}},
        {"a+b=c+d", 1, {"a b", "c d"}},
        {"%61%2B=%2b%26%3D%25", 1, {"a+", "+&=%"}},
        {"a=%", 1, {"a", "%"}},
        {"a=%4", 1, {"a", "%4"}},
        {"a=%4&b=1", 2, {"a", "%4", "b", "1"}},
        {"a%4=1", 1, {"a%4", "1"}},
        {"a=%zz%41", 1, {"a", "%zzA"}},
        {"a=100%", 1, {"a", "100%"}},
        {"s=%C3%A9\xc3\xa9%F0%9F%98%80", 1, {"s", "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80"}},
        {"a=1&A=2", 2, {"a", "1", "A", "2"}},
        {"a=#x?y;z", 1, {"a", "#x?y;z"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {.msg = ""};
        if (query_parse(rows[i].text, &query, &err))
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_int_equal(query.count, rows[i].count);
        for (size_t n = 0; n < query.count; n++) {
            assert_string_equal(query.pairs[n].name, rows[i].pairs[2 * n]);
            assert_string_equal(query.pairs[n].value, rows[i].pairs[2 * n + 1]);
            assert_ptr_equal(query_get(&query, query.pairs[n].name),
                             query.pairs[n].value);
        }
        assert_null(query_get(&query, "none"));
    }
}

static void test_query_refuses_what_no_text_can_hold(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"a=1&a=2", "\"a\" is given twice"},
        {"a=1&%61=2", "\"a\" is given twice"},
        {"a&a", "\"a\" is given twice"},
        {"=1&=2", "\"\" is given twice"},
        {"a=%00", "the query must not contain the character %00"},
        {"a%00b=1", "the query must not contain the character %00"},
        {"a=\xff", "the query must be valid UTF-8"},
        {"a=%ff", "the query must be valid UTF-8"},
        {"a=%C3", "the query must be valid UTF-8"},
        {"a=%C3&b=%A9", "the query must be valid UTF-8"},
        {"a=%ED%A0%80", "the query must be valid UTF-8"},
        {"%C0%AF=1", "the query must be valid UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {.msg = ""};
        if (query_parse(rows[i].text, &query, &err) != ERR_INVALID)
            fail_msg("accepted: %s", rows[i].text);
        assert_string_equal(err.msg, rows[i].sentence);
    }
}

static void test_query_takes_its_maximum_and_not_one_more(void **state)
{
    static char text[QUERY_BYTES_MAX + 2];
    struct err err;

    (void)state;
    memset(text, 'v', sizeof(text));
    memcpy(text, "a=", 2);
    text[QUERY_BYTES_MAX] = '\0';
    assert_int_equal(query_parse(text, &query, &err), ERR_OK);
    assert_int_equal(strlen(query_get(&query, "a")), QUERY_BYTES_MAX - 2);
    text[QUERY_BYTES_MAX] = 'v';
    text[QUERY_BYTES_MAX + 1] = '\0';
    assert_int_equal(query_parse(text, &query, &err), ERR_INVALID);
    assert_string_equal(err.msg, "the query is longer than 8192 bytes");
}

static void test_query_takes_so_many_pairs_and_not_one_more(void **state)
{
    char text[1024];
    struct err err;
    size_t len = 0;

    (void)state;
    for (int i = 0; i < QUERY_PAIRS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "&k%d=%d", i, i);
    assert_int_equal(query_parse(text, &query, &err), ERR_OK);
    assert_int_equal(query.count, QUERY_PAIRS_MAX);
    assert_string_equal(query_get(&query, "k31"), "31");
    (void)snprintf(text + len, sizeof(text) - len, "&x");
    assert_int_equal(query_parse(text, &query, &err), ERR_INVALID);
    assert_string_equal(err.msg, "the query has more than 32 parameters");
}

static void test_query_cuts_a_long_name_in_its_sentence(void **state)
{
    char text[1024];
    struct err err;
    size_t len = 0;

    (void)state;
    for (int pair = 0; pair < 2; pair++) {
        text[len++] = '&';
        for (int i = 0; i < 50; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "\xe2\x82\xac");
    }
    assert_int_equal(query_parse(text, &query, &err), ERR_INVALID);
    assert_int_equal(strlen(err.msg), strlen("\"\" is given twice") + 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_decodes_pairs),
        cmocka_unit_test(test_query_refuses_what_no_text_can_hold),
        cmocka_unit_test(test_query_takes_its_maximum_and_not_one_more),
        cmocka_unit_test(test_query_takes_so_many_pairs_and_not_one_more),
        cmocka_unit_test(test_query_cuts_a_long_name_in_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
