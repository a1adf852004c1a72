/* test_redis_err.c -- each error of Redis leads to the action that fits it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/redis/conn.h"
#include "shared/redis/err.h"
#include "shared/redis/url.h"

struct reply_case {
    const char *text;
    enum err_code code;
};

static const struct reply_case cases[] = {
    {"OOM command not allowed when used memory > 'maxmemory'.", ERR_BUSY},
    {"BUSY Redis is busy running a script.", ERR_BUSY},
    {"TRYAGAIN Multiple keys request during rehashing of slot", ERR_BUSY},
    {"NOSCRIPT No matching script. Please use EVAL.", ERR_BUSY},
    {"MISCONF Redis is configured to save RDB snapshots", ERR_UNAVAILABLE},
    {"LOADING Redis is loading the dataset in memory", ERR_UNAVAILABLE},
    {"MASTERDOWN Link with MASTER is down", ERR_UNAVAILABLE},
    {"NOREPLICAS Not enough good replicas to write.", ERR_UNAVAILABLE},
    {"CLUSTERDOWN Hash slot not served", ERR_UNAVAILABLE},
    {"READONLY You can't write against a read only replica.", ERR_READ_ONLY},
    {"UNBLOCKED force unblock from blocking operation, instance state changed (master -> "
     "replica?)",
     ERR_READ_ONLY},
    {"NOAUTH Authentication required.", ERR_DENIED},
    {"WRONGPASS invalid username-password pair", ERR_DENIED},
    {"NOPERM this user has no permissions", ERR_DENIED},
    {"ERR The user executing the script can't run this command or subcommand script: 79, "
     "on "
     "@user_script:14.",
     ERR_DENIED},
    {"ERR AUTH <password> called without any password configured for the default user. "
     "Are "
     "you sure your configuration is correct?",
     ERR_DENIED},
    {"ERR invalid password", ERR_DENIED},
    {"ERR Client sent AUTH, but no password is set", ERR_DENIED},
    {"DENIED Redis is running in protected mode because protected mode is enabled",
     ERR_DENIED},
    {"ERR max number of clients reached", ERR_BUSY},
    {"MOVED 7638 127.0.0.1:7001", ERR_CONFIG},
    {"ASK 7638 127.0.0.1:7001", ERR_UNAVAILABLE},
    {"CROSSSLOT Keys in request don't hash to the same slot", ERR_CONFIG},
    {"ERR DB index is out of range", ERR_CONFIG},
    {"ERR SELECT is not allowed in cluster mode", ERR_CONFIG},
    {"OOM allow-oom flag is not set on the script, can not run it when used memory > "
     "'maxmemory'",
     ERR_BUSY},
    {"WRONGTYPE Operation against a key", ERR_SCHEMA},
    {"WRONGTYPE", ERR_SCHEMA},
    {"ERR unknown command", ERR_BUG},
    {"OOMPH", ERR_BUG},
    {"", ERR_BUG},
};

static void test_each_error_reply_has_its_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        redisReply reply = {.type = REDIS_REPLY_ERROR, .str = text};
        struct err err;

        (void)snprintf(text, sizeof(text), "%s", cases[i].text);
        reply.len = strlen(text);
        if (redis_err_of_reply(&reply, "could not claim", &err) != cases[i].code)
            fail_msg("\"%s\" gave %s", cases[i].text, err_name(err.code));
        assert_memory_equal(err.msg, "could not claim: ", 17);
    }
}

static void test_a_complaint_has_none_of_redis_s_words(void **state)
{
    char text[] = "MOVED 7638 127.0.0.1:7001";
    redisReply reply = {.type = REDIS_REPLY_ERROR, .str = text, .len = strlen(text)};

    (void)state;
    assert_null(strstr(redis_err_complaint(&reply), "7001"));
    assert_non_null(strstr(redis_err_complaint(&reply), "cluster"));
}

static void test_a_reply_without_error_is_fine_and_none_is_an_outage(void **state)
{
    redisReply reply = {.type = REDIS_REPLY_NIL};
    struct err err;

    (void)state;
    assert_int_equal(redis_err_of_reply(&reply, "x", &err), ERR_OK);
    assert_int_equal(redis_err_of_reply(NULL, "x", &err), ERR_UNAVAILABLE);
}

static void test_a_failed_context_has_its_code(void **state)
{
    redisContext context = {.err = REDIS_ERR_IO};
    struct err err;

    (void)state;
    errno = EAGAIN;
    assert_int_equal(redis_err_of_context(&context, "x", &err), ERR_TIMEOUT);
    errno = ECONNREFUSED;
    assert_int_equal(redis_err_of_context(&context, "x", &err), ERR_UNAVAILABLE);
    context.err = REDIS_ERR_EOF;
    assert_int_equal(redis_err_of_context(&context, "x", &err), ERR_UNAVAILABLE);
    context.err = REDIS_ERR_PROTOCOL;
    assert_int_equal(redis_err_of_context(&context, "x", &err), ERR_UNAVAILABLE);
    context.err = REDIS_ERR_OOM;
    assert_int_equal(redis_err_of_context(&context, "x", &err), ERR_NOMEM);
    assert_int_equal(redis_err_of_context(NULL, "x", &err), ERR_NOMEM);
}

static void test_a_refused_connection_is_an_outage(void **state)
{
    struct redis_url url = {.host = "127.0.0.1", .port = 1};
    redisContext *context = NULL;
    struct err err;

    (void)state;
    assert_int_equal(redis_conn_open(&url, 1000, &context, &err), ERR_UNAVAILABLE);
    assert_null(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_error_reply_has_its_code),
        cmocka_unit_test(test_a_complaint_has_none_of_redis_s_words),
        cmocka_unit_test(test_a_reply_without_error_is_fine_and_none_is_an_outage),
        cmocka_unit_test(test_a_failed_context_has_its_code),
        cmocka_unit_test(test_a_refused_connection_is_an_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
