/* test_visitor.c -- visitors' numbers and their days, and a process's own salts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/enrich/visitor.h"
#include "ingestion/salts.h"
#include "shared/access/address.h"
#include "shared/base/siphash.h"

#define AGENT "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

static const struct siphash_key salt = {.k0 = 0x0706050403020100ULL,
                                        .k1 = 0x0f0e0d0c0b0a0908ULL};

static uint64_t make(const char *site, const char *text, const char *agent)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return visitor_id(&salt, site, strlen(site), &address, agent, strlen(agent));
}

/* The numbers are those of another implementation of SipHash-2-4. */
static void test_visitor_has_the_number_of_the_contract(void **state)
{
    (void)state;
    assert_true(make("demo", "203.0.113.9", AGENT) == 0xb68d6d8be1fec767ULL);
    assert_true(make("demo", "203.0.113.10", AGENT) == 0x6398b50885437c11ULL);
    assert_true(make("shop", "203.0.113.9", AGENT) == 0x9345ddd0774f49f4ULL);
    assert_true(make("demo", "2001:db8:1:2:3:4:5:6", AGENT) == 0xf7828369c7a4021cULL);
    assert_true(make("demo", "203.0.113.9", "") == 0xa9fd6f87bc84ac9aULL);
    assert_true(make("s\xc3\xbc\xc3\x9f", "::1", AGENT) == 0x16fdfd7817c37a13ULL);
}

static void test_visitor_is_one_in_a_network_of_64_bits(void **state)
{
    (void)state;
    assert_true(make("demo", "2001:db8:1:2::1", AGENT) ==
                make("demo", "2001:db8:1:2:ffff:ffff:ffff:ffff", AGENT));
    assert_true(make("demo", "2001:db8:1:2::1", AGENT) !=
                make("demo", "2001:db8:1:3::1", AGENT));
}

static void test_visitor_is_no_other_where_texts_touch(void **state)
{
    (void)state;
    assert_true(make("demo", "203.0.113.9", "ab") != make("demoa", "203.0.113.9", "b"));
    assert_true(make("demo", "203.0.113.9", "") != make("demo", "203.0.113.9", "a"));
}

static void test_visitor_day_begins_at_the_hour(void **state)
{
    static const struct {
        int64_t wall_ms;
        int64_t hour;
        int64_t day;
    } cases[] = {
        {0, 0, 0},
        {86399999, 0, 0},
        {86400000, 0, 1},
        {0, 1, -1},
        {3599999, 1, -1},
        {3600000, 1, 0},
        {86400000, 4, 0},
        {86400000 + 4 * 3600000, 4, 1},
        {-1, 0, -1},
        {86400000 - 1, 23, 0},
        {23 * 3600000 - 1, 23, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(visitor_day(cases[i].wall_ms, cases[i].hour), cases[i].day);
}

static void test_salts_are_own_while_nobody_shares_them(void **state)
{
    struct salts *salts = NULL;
    struct siphash_key first;
    struct siphash_key again;
    struct siphash_key next;
    struct err err;
    int64_t day_ms = 86400000;

    (void)state;
    assert_int_equal(salts_new(4, &salts, &err), ERR_OK);
    assert_false(salts_is_own(salts, day_ms));
    assert_false(salts_take(salts, day_ms, &first));
    assert_true(salts_is_own(salts, day_ms));
    assert_false(salts_take(salts, day_ms + 4 * 3600000 - 1, &again));
    assert_memory_equal(&first, &again, sizeof(first));
    assert_false(salts_take(salts, day_ms + 4 * 3600000, &next));
    assert_memory_not_equal(&first, &next, sizeof(first));
    assert_false(salts_is_own(salts, 3 * day_ms));
    salts_free(salts);
    salts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visitor_has_the_number_of_the_contract),
        cmocka_unit_test(test_visitor_is_one_in_a_network_of_64_bits),
        cmocka_unit_test(test_visitor_is_no_other_where_texts_touch),
        cmocka_unit_test(test_visitor_day_begins_at_the_hour),
        cmocka_unit_test(test_salts_are_own_while_nobody_shares_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
