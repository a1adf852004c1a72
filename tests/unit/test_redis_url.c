/* test_redis_url.c -- REDIS_URL taken apart, and what is refused without showing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/redis/url.h"

static void test_redis_url_is_taken_apart(void **state)
{
    static const struct {
        const char *text;
        struct redis_url url;
    } rows[] = {
        {"redis://localhost", {false, "localhost", 6379, "", "", 0}},
        {"redis://localhost/", {false, "localhost", 6379, "", "", 0}},
        {"redis://127.0.0.1:6380", {false, "127.0.0.1", 6380, "", "", 0}},
        {"redis://h:1/15", {false, "h", 1, "", "", 15}},
        {"redis://h:65535/0", {false, "h", 65535, "", "", 0}},
        {"redis://:secret@h", {false, "h", 6379, "", "secret", 0}},
        {"redis://u:secret@h:7/1", {false, "h", 7, "u", "secret", 1}},
        {"redis://u@h", {false, "h", 6379, "u", "", 0}},
        {"redis://@h", {false, "h", 6379, "", "", 0}},
        {"redis://u:a:b@h", {false, "h", 6379, "u", "a:b", 0}},
        {"redis://u:p@ss@h", {false, "h", 6379, "u", "p@ss", 0}},
        {"redis://%75:%2F%40%3a%25@h", {false, "h", 6379, "u", "/@:%", 0}},
        {"redis://[::1]", {false, "::1", 6379, "", "", 0}},
        {"redis://u:p@[fe80::1%25eth0]:6380/2",
         {false, "fe80::1%eth0", 6380, "u", "p", 2}},
        {"unix:///run/redis.sock", {true, "/run/redis.sock", 6379, "", "", 0}},
        {"unix:///run/redis.sock?db=3", {true, "/run/redis.sock", 6379, "", "", 3}},
        {"unix://u:p@/run/a%20b", {true, "/run/a b", 6379, "u", "p", 0}},
        {"unix://:p@/s?db=0", {true, "/s", 6379, "", "p", 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct redis_url url;
        struct err err = {.msg = ""};
        if (redis_url_parse(rows[i].text, &url, &err))
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_int_equal(url.is_unix, rows[i].url.is_unix);
        assert_string_equal(url.host, rows[i].url.host);
        assert_int_equal(url.port, rows[i].url.port);
        assert_string_equal(url.user, rows[i].url.user);
        assert_string_equal(url.password, rows[i].url.password);
        assert_int_equal(url.db, rows[i].url.db);
    }
}

static void test_redis_url_refuses_without_showing_the_password(void **state)
{
    static const char *const rows[] = {
        "",
        "redis",
        "redis:",
        "redis:/S3CRET",
        "rediss://:S3CRET@h",
        "http://:S3CRET@h",
        "REDIS://h",
        "redis://",
        "redis:///1",
        "redis://:S3CRET@",
        "redis://:S3CRET@:6379",
        "redis://u:S3CRET@h:0",
        "redis://u:S3CRET@h:65536",
        "redis://u:S3CRET@h:99999999",
        "redis://u:S3CRET@h:",
        "redis://u:S3CRET@h:-1",
        "redis://u:S3CRET@h:12x",
        "redis://u:S3CRET@h: 1",
        "redis://u:S3CRET@h/x",
        "redis://u:S3CRET@h/-1",
        "redis://u:S3CRET@h/1000001",
        "redis://u:S3CRET@h/1/",
        "redis://u:S3CRET@h//",
        "redis://u:S3CRET@h?db=1",
        "redis://u:S3CRET@h#1",
        "redis://u:S3CRET@[::1",
        "redis://u:S3CRET@[]",
        "redis://u:S3CRET@[::1]x",
        "redis://u:S3CRET@[::1]x80",
        "redis://u:S3CRET/x@h",
        "redis://u:%S3CRET@h",
        "redis://u:S3CRET%@h",
        "redis://u:S3CRET%4@h",
        "redis://u:S3CRET%00@h",
        "unix://",
        "unix://:S3CRET@",
        "unix://:S3CRET@relative/path",
        "unix://u:S3CRET@/p?db=",
        "unix://u:S3CRET@/p?db=x",
        "unix://u:S3CRET@/p?x=1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct redis_url url;
        struct err err = {.msg = ""};
        if (redis_url_parse(rows[i], &url, &err) != ERR_CONFIG)
            fail_msg("accepted: %s", rows[i]);
        assert_memory_equal(err.msg, "REDIS_URL: ", 11);
        assert_null(strstr(err.msg, "S3CRET"));
    }
}

static void test_redis_url_says_what_to_write_instead(void **state)
{
    static const struct {
        const char *text;
        const char *word;
    } rows[] = {
        {"redis://u:S3/CRET@h", "%2F"},         {"redis://:S3?CRET@h:6379/1", "%3F"},
        {"redis://:S3#CRET@h", "%23"},          {"redis://:12/S3CRET@h", "%2F"},
        {"unix://:S3?CRET@/run/s", "%3F"},      {"redis://:/S3@CRET@h", "%40"},
        {"rediss://:S3/CRET@h", "%2F"},         {"redis://:S3%CRET@h", "%25"},
        {"rediss://:S3CRET@h:6380", "TLS"},     {"valkey://h", "redis://"},
        {"redis-sentinel://h:1/m", "redis://"}, {"localhost:6379", "redis://"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct redis_url url;
        struct err err = {.msg = ""};
        assert_int_equal(redis_url_parse(rows[i].text, &url, &err), ERR_CONFIG);
        if (!strstr(err.msg, rows[i].word))
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_null(strstr(err.msg, "CRET"));
    }
}

static void test_redis_url_parts_have_a_maximum(void **state)
{
    char text[1024];
    char part[REDIS_URL_PART_MAX + 2];
    static const char *const forms[][2] = {
        {"redis://", ""}, {"redis://", ":x@h"}, {"redis://:", "@h"}, {"unix:///", ""}};

    (void)state;
    for (size_t form = 0; form < 4; form++) {
        for (size_t extra = 0; extra < 2; extra++) {
            struct redis_url url;
            struct err err;
            size_t len = REDIS_URL_PART_MAX + extra - (form == 3);
            memset(part, 'x', sizeof(part));
            part[len] = '\0';
            (void)snprintf(text, sizeof(text), "%s%s%s", forms[form][0], part,
                           forms[form][1]);
            assert_int_equal(redis_url_parse(text, &url, &err),
                             extra ? ERR_CONFIG : ERR_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redis_url_is_taken_apart),
        cmocka_unit_test(test_redis_url_refuses_without_showing_the_password),
        cmocka_unit_test(test_redis_url_says_what_to_write_instead),
        cmocka_unit_test(test_redis_url_parts_have_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
