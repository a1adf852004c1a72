/* test_pg_hosts.c -- a connection string is taken apart into the servers that it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/pg/hosts.h"

struct list_case {
    const char *url;
    const char *hosts; /* name/address/port of each, "-" for none */
};

static const struct list_case lists[] = {
    {"postgresql://u:geheim@127.0.0.1:1,127.0.0.2:2/d",
     "127.0.0.1/127.0.0.1/1 127.0.0.2/127.0.0.2/2"},
    {"postgresql://127.0.0.1,127.0.0.2/d?port=7",
     "127.0.0.1/127.0.0.1/7 127.0.0.2/127.0.0.2/7"},
    {"postgresql://[::1]:5/d", "::1/::1/5"},
    {"host=/tmp,@x port=1,2", "/tmp/-/1 @x/-/2"},
    {"host=a.invalid,b.invalid hostaddr=127.0.0.1,127.0.0.2 port=3",
     "a.invalid/127.0.0.1/3 b.invalid/127.0.0.2/3"},
    {"hostaddr=127.0.0.1,127.0.0.2 port=3", "-/127.0.0.1/3 -/127.0.0.2/3"},
    {"host=/a,127.0.0.2 hostaddr=,127.0.0.3 port=3", "/a/-/3 127.0.0.2/127.0.0.3/3"},
    {"host=a.invalid port=3", "a.invalid/-/3"},
    {"dbname=d", "-/-/5432"},
    {"", "-/-/5432"},
};

static const char *shown(const char *text)
{
    return text ? text : "-";
}

static void print_hosts(const struct pg_hosts *hosts, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < hosts->count; i++) {
        const struct pg_host *host = &hosts->list[i];
        int len = snprintf(out + used, size - used, "%s%s/%s/%s", i > 0 ? " " : "",
                           shown(host->name), shown(host->address), shown(host->port));

        assert_true(len > 0 && (size_t)len < size - used);
        used += (size_t)len;
    }
}

static void must_load(struct pg_hosts *hosts, const char *url)
{
    struct err err = {.code = ERR_OK};

    if (pg_hosts_load(hosts, url, &err))
        fail_msg("%s: %s", url, err.msg);
}

static void test_every_host_of_a_list_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct pg_hosts hosts;
        char found[512];

        must_load(&hosts, lists[i].url);
        print_hosts(&hosts, found, sizeof(found));
        assert_string_equal(found, lists[i].hosts);
        pg_hosts_release(&hosts);
    }
}

static void test_a_name_is_tried_at_each_of_its_addresses(void **state)
{
    struct pg_hosts hosts;

    (void)state;
    must_load(&hosts, "host=localhost port=9");
    assert_true(hosts.count >= 1);
    for (size_t i = 0; i < hosts.count; i++) {
        assert_string_equal(hosts.list[i].name, "localhost");
        assert_non_null(hosts.list[i].address);
    }
    pg_hosts_release(&hosts);
}

static void test_the_other_options_stay(void **state)
{
    struct pg_hosts hosts;

    (void)state;
    must_load(&hosts, "postgresql://u:geheim@h.invalid/d?sslmode=require&target_session_"
                      "attrs=prefer-standby&connect_timeout=7");
    assert_string_equal(pg_hosts_option(&hosts, "user"), "u");
    assert_string_equal(pg_hosts_option(&hosts, "password"), "geheim");
    assert_string_equal(pg_hosts_option(&hosts, "dbname"), "d");
    assert_string_equal(pg_hosts_option(&hosts, "target_session_attrs"),
                        "prefer-standby");
    assert_string_equal(pg_hosts_option(&hosts, "connect_timeout"), "7");
    assert_string_equal(hosts.sslmode, "require");
    assert_null(pg_hosts_option(&hosts, "options"));
    pg_hosts_release(&hosts);
}

static void test_lists_of_different_lengths_are_refused(void **state)
{
    static const char *const urls[] = {"host=a,b,c port=1,2",
                                       "host=a hostaddr=127.0.0.1,127.0.0.2",
                                       "service=no-such-service"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct pg_hosts hosts;
        struct err err;

        assert_int_equal(pg_hosts_load(&hosts, urls[i], &err), ERR_CONFIG);
        pg_hosts_release(&hosts);
    }
}

static void test_a_list_that_is_too_long_is_cut(void **state)
{
    struct pg_hosts hosts;
    char url[1024] = "port=1 hostaddr=127.0.0.1";

    (void)state;
    for (size_t i = 1; i < PG_HOSTS_MAX + 1; i++)
        (void)snprintf(url + strlen(url), sizeof(url) - strlen(url), ",127.0.0.%zu",
                       i + 1);
    must_load(&hosts, url);
    assert_int_equal(hosts.count, PG_HOSTS_MAX);
    pg_hosts_release(&hosts);
}

static void test_the_one_that_worked_comes_first(void **state)
{
    struct pg_hosts hosts;
    char found[512];
    uint64_t last;

    (void)state;
    must_load(&hosts, "hostaddr=127.0.0.1,127.0.0.2,127.0.0.3 port=1");
    last = hosts.list[2].id;
    pg_hosts_order(&hosts, 0, false);
    assert_int_equal(hosts.list[2].id, last);
    pg_hosts_order(&hosts, last, false);
    print_hosts(&hosts, found, sizeof(found));
    assert_string_equal(found, "-/127.0.0.3/1 -/127.0.0.1/1 -/127.0.0.2/1");
    for (int i = 0; i < 20; i++) {
        pg_hosts_order(&hosts, last, true);
        assert_int_equal(hosts.list[0].id, last);
    }
    pg_hosts_release(&hosts);
}

static void test_shuffling_brings_each_to_the_front(void **state)
{
    struct pg_hosts hosts;
    size_t seen = 0;
    uint64_t ids[3];

    (void)state;
    must_load(&hosts, "hostaddr=127.0.0.1,127.0.0.2,127.0.0.3 port=1");
    for (size_t i = 0; i < 3; i++)
        ids[i] = hosts.list[i].id;
    for (int i = 0; i < 1000 && seen != 7; i++) {
        pg_hosts_order(&hosts, 0, true);
        for (size_t k = 0; k < 3; k++)
            seen |= hosts.list[0].id == ids[k] ? (size_t)1 << k : 0;
    }
    assert_int_equal(seen, 7);
    pg_hosts_release(&hosts);
}

static void test_attempts_share_the_time(void **state)
{
    (void)state;
    assert_int_equal(pg_host_time_ms(3000, 1), 3000);
    assert_int_equal(pg_host_time_ms(3000, 2), 1500);
    assert_int_equal(pg_host_time_ms(3000, 5), 600);
    assert_int_equal(pg_host_time_ms(3000, 20), PG_HOST_TIME_MIN_MS);
    assert_int_equal(pg_host_time_ms(-5, 1), PG_HOST_TIME_MIN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_host_of_a_list_is_found),
        cmocka_unit_test(test_a_name_is_tried_at_each_of_its_addresses),
        cmocka_unit_test(test_the_other_options_stay),
        cmocka_unit_test(test_lists_of_different_lengths_are_refused),
        cmocka_unit_test(test_a_list_that_is_too_long_is_cut),
        cmocka_unit_test(test_the_one_that_worked_comes_first),
        cmocka_unit_test(test_shuffling_brings_each_to_the_front),
        cmocka_unit_test(test_attempts_share_the_time),
    };

    (void)unsetenv("PGHOST");
    (void)unsetenv("PGPORT");
    (void)unsetenv("PGSERVICE");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
