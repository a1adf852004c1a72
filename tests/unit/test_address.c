/* test_address.c -- addresses and networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/address.h"
#include "shared/text/words.h"

static struct address parsed(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static struct networks networks_of(const char *text)
{
    struct networks networks;
    struct words words;
    struct err err;

    assert_int_equal(words_parse(text, &words, &err), ERR_OK);
    assert_int_equal(networks_parse(&words, &networks, &err), ERR_OK);
    words_release(&words);
    return networks;
}

static void check_same(const char *a, const char *b)
{
    struct address left = parsed(a);
    struct address right = parsed(b);

    assert_memory_equal(left.bytes, right.bytes, sizeof(left.bytes));
}

static void test_address_reads_both_kinds(void **state)
{
    static const char *const wrong[] = {
        "",    "1.2.3",      "1.2.3.4.5", "256.1.1.1", "[1.2.3.4",
        "::g", "1.2.3.4:80", "unknown",   "1.2.3.4 ",  "fe80::1%eth0"};
    struct address address;

    (void)state;
    check_same("192.0.2.1", "::ffff:192.0.2.1");
    check_same("[2001:db8::1]", "2001:0db8:0:0::1");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(address_parse(wrong[i], strlen(wrong[i]), &address));
}

static void test_networks_have_what_is_in_them(void **state)
{
    struct networks networks =
        networks_of("10.0.0.0/8, 192.0.2.128/25, 2001:db8::/33,::1");
    static const struct {
        const char *address;
        bool is_in;
    } cases[] = {
        {"10.255.0.1", true},
        {"11.0.0.1", false},
        {"192.0.2.128", true},
        {"192.0.2.127", false},
        {"2001:db8:7fff::1", true},
        {"2001:db8:8000::1", false},
        {"::1", true},
        {"::2", false},
        {"::ffff:10.1.1.1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address = parsed(cases[i].address);
        if (networks_have(&networks, &address) != cases[i].is_in)
            fail_msg("%s", cases[i].address);
    }
}

static void test_networks_refuse_what_is_none(void **state)
{
    static const char *const wrong[] = {"10.0.0.0/33", "::/129",  "10.0.0.0/",
                                        "10.0.0.0/-1", "example", "10.0.0.0/8x"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct networks networks;
        struct words words;
        struct err err;
        assert_int_equal(words_parse(wrong[i], &words, &err), ERR_OK);
        assert_int_equal(networks_parse(&words, &networks, &err), ERR_CONFIG);
        assert_non_null(strstr(err.msg, wrong[i]));
        words_release(&words);
    }
}

static void test_address_reads_what_proxies_write(void **state)
{
    static const struct {
        const char *text;
        const char *address; /* NULL: none */
    } cases[] = {
        {"203.0.113.7", "203.0.113.7"},
        {"203.0.113.7:51000", "203.0.113.7"},
        {"\"203.0.113.7:51000\"", "203.0.113.7"},
        {"203.0.113.7:_gazonk", "203.0.113.7"},
        {"2001:db8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"\"[2001:db8::1]:443\"", "2001:db8::1"},
        {"\"[2001:db8::1]\"", "2001:db8::1"},
        {"::1", "::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"[::ffff:192.0.2.1]:1", "192.0.2.1"},
        {"fe80::1%eth0", "fe80::1"},
        {"[fe80::1%25eth0]:80", "fe80::1"},
        {"", NULL},
        {"\"\"", NULL},
        {"\"", NULL},
        {"[", NULL},
        {"[]", NULL},
        {"[]:80", NULL},
        {":80", NULL},
        {"203.0.113.7:", NULL},
        {"203.0.113.7:x", NULL},
        {"203.0.113.7:51000x", NULL},
        {"[2001:db8::1", NULL},
        {"[2001:db8::1]443", NULL},
        {"\"203.0.113.7", NULL},
        {"unknown", NULL},
        {"_hidden", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct address address;
        bool is_read = address_parse_node(cases[i].text, strlen(cases[i].text), &address);
        if (is_read != (cases[i].address != NULL))
            fail_msg("%s", cases[i].text);
        if (is_read) {
            struct address wanted = parsed(cases[i].address);
            assert_memory_equal(address.bytes, wanted.bytes, sizeof(address.bytes));
        }
    }
}

static void test_site_of_an_address_is_its_64(void **state)
{
    struct address a = parsed("2001:db8:0:1:aaaa::1");
    struct address b = parsed("2001:db8:0:1:bbbb::2");
    struct address v4 = parsed("192.0.2.1");
    struct address site_a = address_of_site(&a);
    struct address site_b = address_of_site(&b);
    struct address site_v4 = address_of_site(&v4);

    (void)state;
    assert_memory_equal(site_a.bytes, site_b.bytes, sizeof(site_a.bytes));
    assert_memory_equal(site_v4.bytes, v4.bytes, sizeof(v4.bytes));
}

static void test_network_of_an_address_is_its_48(void **state)
{
    struct address a = parsed("2001:db8:1:1::1");
    struct address b = parsed("2001:db8:1:ffff::2");
    struct address c = parsed("2001:db8:2:1::1");
    struct address v4 = parsed("192.0.2.1");
    struct address network_a;
    struct address network_b;
    struct address network_c;

    (void)state;
    assert_true(address_of_network(&a, &network_a));
    assert_true(address_of_network(&b, &network_b));
    assert_true(address_of_network(&c, &network_c));
    assert_memory_equal(network_a.bytes, network_b.bytes, sizeof(network_a.bytes));
    assert_memory_not_equal(network_a.bytes, network_c.bytes, sizeof(network_a.bytes));
    assert_false(address_of_network(&v4, &network_a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_reads_both_kinds),
        cmocka_unit_test(test_networks_have_what_is_in_them),
        cmocka_unit_test(test_networks_refuse_what_is_none),
        cmocka_unit_test(test_address_reads_what_proxies_write),
        cmocka_unit_test(test_site_of_an_address_is_its_64),
        cmocka_unit_test(test_network_of_an_address_is_its_48),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
