/* test_filter.c -- the grammar of filters, and the arrays that are made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/filter.h"
#include "shared/base/buf.h"

typedef enum err_code (*add_fn)(const struct filters *filters, struct buf *out);

static void check_array(const struct filters *filters, add_fn add, const char *text,
                        const char *expected)
{
    struct buf out;

    buf_init(&out, 65536);
    assert_int_equal(add(filters, &out), ERR_OK);
    if (strcmp(out.data, expected) != 0)
        fail_msg("%s: %s, not %s", text, out.data, expected);
    assert_int_equal(out.len, strlen(expected) + 1);
    buf_release(&out);
}

static void test_filter_becomes_arrays(void **state)
{
    static const struct {
        const char *text;
        const char *clauses;
        const char *negated;
        const char *patterns;
        const char *values;
        const char *properties;
    } cases[] = {
        {"page==/pricing", "{0}", "{f}", "{\"/pricing\"}", "{\"/pricing\"}",
         "{\"page\"}"},
        {"page!=", "{0}", "{t}", "{\"\"}", "{\"\"}", "{\"page\"}"},
        {"country==DE|FR;source!=Google", "{0,0,1}", "{f,f,t}",
         "{\"DE\",\"FR\",\"Google\"}", "{\"DE\",\"FR\",\"Google\"}",
         "{\"country\",NULL,\"source\"}"},
        {"page==/blog/*", "{0}", "{f}", "{\"/blog/%\"}", "{NULL}", "{\"page\"}"},
        {"page==a|*", "{0,0}", "{f,f}", "{\"a\",\"%\"}", "{\"a\",NULL}",
         "{\"page\",NULL}"},
        {"page==a|b*", "{0,0}", "{f,f}", "{\"a\",\"b%\"}", "{\"a\",NULL}",
         "{\"page\",NULL}"},
        {"page==\\*\\;\\|\\\\", "{0}", "{f}", "{\"*;|\\\\\\\\\"}", "{\"*;|\\\\\"}",
         "{\"page\"}"},
        {"page==50%_a", "{0}", "{f}", "{\"50\\\\%\\\\_a\"}", "{\"50%_a\"}", "{\"page\"}"},
        {"page==\"a\",{b}", "{0}", "{f}", "{\"\\\"a\\\",{b}\"}", "{\"\\\"a\\\",{b}\"}",
         "{\"page\"}"},
        {"page==a==b!=c", "{0}", "{f}", "{\"a==b!=c\"}", "{\"a==b!=c\"}", "{\"page\"}"},
        {"page==\\", "{0}", "{f}", "{\"\\\\\\\\\"}", "{\"\\\\\"}", "{\"page\"}"},
        {"page==|", "{0,0}", "{f,f}", "{\"\",\"\"}", "{\"\",\"\"}", "{\"page\",NULL}"},
        {"page==NULL", "{0}", "{f}", "{\"NULL\"}", "{\"NULL\"}", "{\"page\"}"},
        {"prop:plan==pro;prop:a b!=1", "{0,1}", "{f,t}", "{\"pro\",\"1\"}",
         "{\"pro\",\"1\"}", "{\"prop:plan\",\"prop:a b\"}"},
        {"prop:a\\=b\\!\"\\\\==x", "{0}", "{f}", "{\"x\"}", "{\"x\"}",
         "{\"prop:a=b!\\\"\\\\\"}"},
        {"prop:*==x", "{0}", "{f}", "{\"x\"}", "{\"x\"}", "{\"prop:*\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct filters filters;
        struct err err = {0};
        if (filters_parse(cases[i].text, &filters, &err))
            fail_msg("%s: %s", cases[i].text, err.msg);
        check_array(&filters, filters_add_clauses, cases[i].text, cases[i].clauses);
        check_array(&filters, filters_add_negated, cases[i].text, cases[i].negated);
        check_array(&filters, filters_add_patterns, cases[i].text, cases[i].patterns);
        check_array(&filters, filters_add_values, cases[i].text, cases[i].values);
        check_array(&filters, filters_add_properties, cases[i].text, cases[i].properties);
    }
}

static void test_filter_refuses_what_is_no_clause(void **state)
{
    static const char *const texts[] = {
        "",
        ";",
        "page",
        "page=",
        "page=/",
        "page!",
        "page!/",
        "==/",
        "nothing==x",
        "page==/;",
        "page==/;;page==/",
        "Page==/",
        "page ==/",
        "page==/;x",
        "pag\xC3\xA4==x",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa==x",
        "|page==x",
        "prop:==x",
        "prop==x",
        "prop==x",
        "Prop:a==x",
        "prop:a=b==x",
        "prop:a|b==x",
        "prop:a\\==x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct filters filters;
        struct err err = {0};
        if (filters_parse(texts[i], &filters, &err) != ERR_INVALID)
            fail_msg("%s was taken", texts[i]);
        assert_non_null(strstr(err.msg, "\"filters\""));
    }
}

static enum err_code parse_repeated(const char *first, const char *more, int times)
{
    static char text[4096];
    struct filters filters;
    struct err err = {0};

    (void)snprintf(text, sizeof(text), "%s", first);
    for (int i = 0; i < times; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", more);
    return filters_parse(text, &filters, &err);
}

static void test_filter_has_limits(void **state)
{
    (void)state;
    assert_int_equal(parse_repeated("os==a", ";os==a", FILTER_CLAUSES_MAX - 1), ERR_OK);
    assert_int_equal(parse_repeated("os==a", ";os==a", FILTER_CLAUSES_MAX), ERR_INVALID);
    assert_int_equal(parse_repeated("os==a", "|a", FILTER_VALUES_MAX - 1), ERR_OK);
    assert_int_equal(parse_repeated("os==a", "|a", FILTER_VALUES_MAX), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter_becomes_arrays),
        cmocka_unit_test(test_filter_refuses_what_is_no_clause),
        cmocka_unit_test(test_filter_has_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
