/* test_hosts.c -- the names by which a server may be asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/hosts.h"
#include "shared/base/mem.h"
#include "tests/unit/named_cases.h"

static bool is_host(const char *setting, const char *name)
{
    struct hosts hosts;
    struct err err;
    bool is_in;

    assert_int_equal(hosts_parse(setting, &hosts, &err), ERR_OK);
    is_in = hosts_have(&hosts, name);
    hosts_release(&hosts);
    return is_in;
}

static void test_hosts_have_what_no_stranger_can_own(void **state)
{
    static const struct named_case cases[] = {
        {"", "localhost", true},
        {"", "localhost:4000", true},
        {"", "LocalHost.", true},
        {"", "stats.localhost:80", true},
        {"", "127.0.0.1", true},
        {"", "127.0.0.1:4000", true},
        {"", "192.0.2.1:4000", true},
        {"", "[::1]", true},
        {"", "[::1]:4000", true},
        {"", "[2001:db8::1]:4000", true},
        {"", "reporting:4000", true},
        {"", "", true},
        {"", "evil.example", false},
        {"", "evil.example:4000", false},
        {"", "evil.example.", false},
        {"", "127.0.0.1.evil.example", false},
        {"", "127.0.0.1.", true},
        {"", "evillocalhost.example", false},
        {"", "localhost.evil.example", false},
        {"stats.example", "stats.example:80", true},
        {"stats.example", "Stats.Example", true},
        {"stats.example", "stats.example.", true},
        {"stats.example", "a.stats.example", false},
        {"*.example.com", "a.example.com", true},
        {"*.example.com", "example.com", true},
        {"*.example.com", "evilexample.com", false},
        {"*", "evil.example", true},
        {"a.example, b.example", "b.example", true},
    };

    (void)state;
    check_named(cases, sizeof(cases) / sizeof(cases[0]), is_host);
}

static void test_hosts_refuse_what_never_matches(void **state)
{
    static const char *const wrong[] = {"https://stats.example",
                                        "stats.example:80",
                                        "a;b",
                                        "a b",
                                        ".example",
                                        "*.",
                                        "a.*.b"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hosts hosts;
        struct err err;
        if (hosts_parse(wrong[i], &hosts, &err) != ERR_CONFIG)
            fail_msg("%s", wrong[i]);
        assert_non_null(strstr(err.msg, wrong[i]));
    }
}

static void test_hosts_survive_each_failed_allocation(void **state)
{
    struct hosts hosts;
    enum err_code code;
    struct err err;
    long after = 0;

    (void)state;
    do {
        mem_fail_after(after++);
        code = hosts_parse("a.example,*.b.example", &hosts, &err);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
    } while (code);
    assert_true(after > 2);
    hosts_release(&hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_have_what_no_stranger_can_own),
        cmocka_unit_test(test_hosts_refuse_what_never_matches),
        cmocka_unit_test(test_hosts_survive_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
