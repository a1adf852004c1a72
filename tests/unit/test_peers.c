/* test_peers.c -- connections of each client address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/access/address.h"
#include "shared/access/peers.h"
#include "shared/base/mem.h"
#include "shared/text/words.h"

static struct http_peers *make(int64_t max_each)
{
    struct http_peers *peers = NULL;
    struct err err;

    assert_int_equal(http_peers_new(max_each, 1000, &peers, &err), ERR_OK);
    return peers;
}

static struct http_peer *enter(struct http_peers *peers, const char *text, bool is_over)
{
    struct address address;
    struct http_peer *peer;
    bool was_over = !is_over;

    assert_true(address_parse(text, strlen(text), &address));
    peer = http_peers_enter(peers, &address, &was_over);
    assert_non_null(peer);
    assert_int_equal(was_over, is_over);
    return peer;
}

static void test_one_connection_past_the_limit_is_over(void **state)
{
    struct http_peers *peers = make(2);
    struct http_peer *peer = enter(peers, "192.0.2.1", false);

    (void)state;
    assert_ptr_equal(enter(peers, "192.0.2.1", false), peer);
    assert_ptr_equal(enter(peers, "192.0.2.1", true), peer);
    assert_ptr_not_equal(enter(peers, "192.0.2.2", false), peer);
    http_peers_leave(peers, peer);
    assert_ptr_equal(enter(peers, "192.0.2.1", true), peer);
    http_peers_leave(peers, peer);
    http_peers_leave(peers, peer);
    assert_ptr_equal(enter(peers, "192.0.2.1", false), peer);
    http_peers_free(peers);
}

static void test_a_64_bit_network_is_one_client(void **state)
{
    struct http_peers *peers = make(1);

    (void)state;
    (void)enter(peers, "2001:db8::1", false);
    (void)enter(peers, "2001:db8::ffff:1:2:3", true);
    (void)enter(peers, "2001:db8:0:1::1", false);
    (void)enter(peers, "::ffff:192.0.2.1", false);
    (void)enter(peers, "192.0.2.1", true);
    (void)enter(peers, "192.0.2.2", false);
    http_peers_free(peers);
}

static void test_exempt_networks_are_never_over(void **state)
{
    struct http_peers *peers = make(1);
    struct networks networks = {.count = 0};
    struct words words;
    struct err err;

    (void)state;
    (void)enter(peers, "10.1.2.3", false);
    (void)enter(peers, "10.1.2.3", true);
    assert_int_equal(words_parse("10.0.0.0/8", &words, &err), ERR_OK);
    assert_int_equal(networks_parse(&words, &networks, &err), ERR_OK);
    words_release(&words);
    http_peers_exempt(peers, &networks);
    (void)enter(peers, "10.1.2.3", false);
    (void)enter(peers, "11.1.2.3", false);
    (void)enter(peers, "11.1.2.3", true);
    networks.count = 0;
    http_peers_exempt(peers, &networks);
    (void)enter(peers, "10.1.2.3", true); /* they were counted all the time */
    http_peers_free(peers);
}

static void test_many_addresses_come_and_go(void **state)
{
    enum {
        COUNT = 3000
    };
    static struct http_peer *all[COUNT];
    struct http_peers *peers = make(1);
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            (void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
            all[i] = enter(peers, text, false);
        }
        for (int i = 0; i < COUNT; i++)
            http_peers_leave(peers, all[i * 7 % COUNT]);
    }
    http_peers_free(peers);
}

static void test_without_memory_a_connection_is_not_counted(void **state)
{
    struct http_peers *peers = make(1);
    struct address address;
    bool is_over = true;

    (void)state;
    assert_true(address_parse("192.0.2.1", 9, &address));
    mem_fail_after(0);
    assert_null(http_peers_enter(peers, &address, &is_over));
    mem_fail_after(-1);
    assert_false(is_over);
    (void)enter(peers, "192.0.2.1", false);
    http_peers_free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_connection_past_the_limit_is_over),
        cmocka_unit_test(test_a_64_bit_network_is_one_client),
        cmocka_unit_test(test_exempt_networks_are_never_over),
        cmocka_unit_test(test_many_addresses_come_and_go),
        cmocka_unit_test(test_without_memory_a_connection_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
