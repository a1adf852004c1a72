/* test_forwarded.c -- the client behind trusted proxies, from the lists that these write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/forwarded.h"
#include "shared/text/words.h"

struct client_case {
    const char *peer;
    const char *list;
    const char *client;
    bool is_read;
};

static struct address parsed(const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return address;
}

static struct networks trusted_networks(void)
{
    struct networks networks;
    struct words words;
    struct err err;

    assert_int_equal(words_parse("10.0.0.0/8,fd00::/8", &words, &err), ERR_OK);
    assert_int_equal(networks_parse(&words, &networks, &err), ERR_OK);
    words_release(&words);
    return networks;
}

static void check(enum forwarded_form form, const struct client_case *cases, size_t count)
{
    struct networks trusted = trusted_networks();

    for (size_t i = 0; i < count; i++) {
        struct forwarded list = {form, cases[i].list, strlen(cases[i].list)};
        struct address peer = parsed(cases[i].peer);
        struct address wanted = parsed(cases[i].client);
        bool is_read;
        struct address client = forwarded_client(&list, &peer, &trusted, &is_read);
        if (is_read != cases[i].is_read ||
            memcmp(client.bytes, wanted.bytes, sizeof(client.bytes)) != 0)
            fail_msg("%s behind %s", cases[i].list, cases[i].peer);
    }
}

static void test_client_is_the_last_that_is_not_a_proxy(void **state)
{
    static const struct client_case cases[] = {
        {"198.51.100.1", "192.0.2.7", "198.51.100.1", true}, /* no proxy of ours */
        {"10.0.0.1", "", "10.0.0.1", true},
        {"10.0.0.1", "192.0.2.7", "192.0.2.7", true},
        {"10.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7", true}, /* first: made up */
        {"10.0.0.1", "192.0.2.7 ,\t10.0.0.2", "192.0.2.7", true},
        {"10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3", true},
        {"10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1", false},
        {"10.0.0.1", "nonsense, 192.0.2.7", "192.0.2.7", true},
        {"10.0.0.1", "unknown, 10.0.0.2", "10.0.0.2", false},
        {"10.0.0.1", ",,,", "10.0.0.1", true},
        {"10.0.0.1", "192.0.2.7,", "192.0.2.7", true},
        {"10.0.0.1", "2001:db8::1", "2001:db8::1", true},
        {"10.0.0.1", "203.0.113.7:51000", "203.0.113.7", true},
        {"10.0.0.1", "[2001:db8::1]:443, [fd00::1]:80", "2001:db8::1", true},
        {"10.0.0.1", "\"203.0.113.7\", \"10.1.1.1:80\"", "203.0.113.7", true},
        {"10.0.0.1", "\", 203.0.113.7", "203.0.113.7", true},
    };

    (void)state;
    check(FORWARDED_LIST, cases, sizeof(cases) / sizeof(cases[0]));
}

static void test_client_of_the_standard_header(void **state)
{
    static const struct client_case cases[] = {
        {"10.0.0.1", "for=192.0.2.60", "192.0.2.60", true},
        {"10.0.0.1", "For=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", true},
        {"10.0.0.1", "proto=http ; FOR=192.0.2.60 ;by=\"a;b\"", "192.0.2.60", true},
        {"10.0.0.1", "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", true},
        {"10.0.0.1", "for=192.0.2.43, for=198.51.100.17", "198.51.100.17", true},
        {"10.0.0.1", "for=192.0.2.43, for=10.9.9.9;host=\"x, for=1.1.1.1\"", "192.0.2.43",
         true},
        {"10.0.0.1", "for=\"x, for=192.0.2.43", "192.0.2.43", true}, /* a loose quote */
        {"10.0.0.1", "by=\"a;for=1.1.1.1\";for=192.0.2.43", "192.0.2.43", true},
        {"10.0.0.1", "for=_hidden", "10.0.0.1", false},
        {"10.0.0.1", "for=\"_gazonk\", for=10.0.0.2", "10.0.0.2", false},
        {"10.0.0.1", "for=unknown", "10.0.0.1", false},
        {"10.0.0.1", "for=", "10.0.0.1", false},
        {"10.0.0.1", "proto=https", "10.0.0.1", false},
        {"10.0.0.1", "192.0.2.43", "10.0.0.1", false},
        {"10.0.0.1", "xfor=192.0.2.43", "10.0.0.1", false},
        {"10.0.0.1", ";;;", "10.0.0.1", false},
        {"198.51.100.1", "for=192.0.2.60", "198.51.100.1", true},
    };

    (void)state;
    check(FORWARDED_PAIRS, cases, sizeof(cases) / sizeof(cases[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client_is_the_last_that_is_not_a_proxy),
        cmocka_unit_test(test_client_of_the_standard_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
