/* test_origins.c -- the origins of a setting: what is meant, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/origins.h"
#include "shared/base/mem.h"
#include "tests/unit/named_cases.h"

static bool is_origin(const char *setting, const char *name)
{
    struct origins origins;
    struct err err;
    bool is_in;

    if (origins_parse(setting, false, &origins, &err))
        fail_msg("%s: %s", setting, err.msg);
    is_in = origins_have(&origins, name);
    origins_release(&origins);
    return is_in;
}

static void test_origins_mean_what_was_meant(void **state)
{
    static const struct named_case cases[] = {
        {"https://shop.example", "https://shop.example", true},
        {"https://shop.example", "https://shop.example.evil", false},
        {"https://shop.example", "https://evil.shop.example", false},
        {"https://shop.example", "http://shop.example", false},
        {"https://shop.example", "https://shop.example:8443", false},
        {"https://shop.example/", "https://shop.example", true},
        {"HTTPS://Shop.example", "https://shop.example", true},
        {"https://shop.example:443", "https://shop.example", true},
        {"http://shop.example:80/", "http://shop.example", true},
        {"http://shop.example:443", "http://shop.example:443", true},
        {"http://localhost:3000", "http://localhost:3000", true},
        {"http://[::1]:3000", "http://[::1]:3000", true},
        {" https://a.example ,https://b.example", "https://b.example", true},
        {"https://*.shop.example", "https://shop.example", true},
        {"https://*.shop.example", "https://www.shop.example", true},
        {"https://*.shop.example", "https://a.b.shop.example", true},
        {"https://*.shop.example", "https://evilshop.example", false},
        {"https://*.shop.example", "https://.shop.example", false},
        {"https://*.shop.example", "http://www.shop.example", false},
        {"https://*.Shop.example:8443/", "https://www.shop.example:8443", true},
        {"https://*.shop.example:8443", "https://www.shop.example", false},
        {"capacitor://localhost", "capacitor://localhost", true},
        {"chrome-extension://abcdef", "chrome-extension://abcdef", true},
        {"*", "https://anything.example", true},
        {"*", "null", true},
        {"https://shop.example", "null", false},
        {"https://shop.example", "", false},
        {"", "https://shop.example", false},
    };

    (void)state;
    check_named(cases, sizeof(cases) / sizeof(cases[0]), is_origin);
}

static void test_origins_refuse_what_never_matches(void **state)
{
    static const char *const wrong[] = {
        "shop.example",
        "a;b",
        "https://a.example https://b.example",
        "https://a.example;https://b.example",
        "https://",
        "https:///",
        "https:shop.example",
        "//shop.example",
        "https://shop.example/path",
        "https://shop.example//",
        "https://shop.example?x",
        "https://user@shop.example",
        "https://shop.example:",
        "https://shop.example:https",
        "https://shop.example:123456",
        "https://shop..example",
        "https://.example",
        "https://*",
        "https://*.",
        "https://a.*.example",
        "*.shop.example",
        "http://localhost:*",
        "https://m\303\274ller.example",
        "null",
        "Null",
        "1https://shop.example",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct origins origins;
        struct err err;
        if (origins_parse(wrong[i], false, &origins, &err) != ERR_CONFIG)
            fail_msg("%s", wrong[i]);
        assert_non_null(strstr(err.msg, wrong[i][0] == 'N' ? "null" : wrong[i]));
    }
}

static void test_origins_that_must_be_named(void **state)
{
    static const char *const wrong[] = {"*", "https://*.shop.example", "null"};
    struct origins origins;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(origins_parse(wrong[i], true, &origins, &err), ERR_CONFIG);
    assert_int_equal(origins_parse("https://a.example", true, &origins, &err), ERR_OK);
    assert_true(origins_have(&origins, "https://a.example"));
    origins_release(&origins);
}

static void test_a_sentence_says_what_to_write(void **state)
{
    struct origins origins;
    struct err err;

    (void)state;
    assert_int_equal(origins_parse("shop.example", false, &origins, &err), ERR_CONFIG);
    assert_string_equal(err.msg,
                        "\"shop.example\" has no scheme; write https://shop.example");
}

static void test_origins_survive_each_failed_allocation(void **state)
{
    struct origins origins;
    enum err_code code;
    struct err err;
    long after = 0;

    (void)state;
    do {
        mem_fail_after(after++);
        code =
            origins_parse("https://a.example,https://*.b.example", false, &origins, &err);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
    } while (code);
    assert_true(after > 2);
    origins_release(&origins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins_mean_what_was_meant),
        cmocka_unit_test(test_origins_refuse_what_never_matches),
        cmocka_unit_test(test_origins_that_must_be_named),
        cmocka_unit_test(test_a_sentence_says_what_to_write),
        cmocka_unit_test(test_origins_survive_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
