/* test_conf_env.c -- the grammar of .env files, and connection strings without their
 * passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"

/* The pairs of one file as "key=value;" each. */
struct seen {
    char text[512];
};

static enum err_code on_pair(void *user, const char *key, const char *value,
                             struct err *err)
{
    struct seen *seen = user;
    size_t len = strlen(seen->text);

    (void)err;
    (void)snprintf(seen->text + len, sizeof(seen->text) - len, "%s=%s;", key, value);
    return ERR_OK;
}

/* From the heap, at its exact size, so that a read past the end is found. */
static enum err_code parse(const char *text, size_t len, struct seen *seen,
                           struct err *err)
{
    char *copy = malloc(len ? len : 1);
    enum err_code code;

    assert_non_null(copy);
    memcpy(copy, text, len);
    *seen = (struct seen){.text = ""};
    code = conf_parse_env(copy, len, on_pair, seen, err);
    free(copy);
    return code;
}

static void test_conf_env_reads_pairs(void **state)
{
    static const struct {
        const char *text;
        const char *pairs;
    } rows[] = {
        {"", ""},
        {"\n\n \n\t\r\n", ""},
        {"# comment\n   # another", ""},
        {"A=1", "A=1;"},
        {"A=1\n", "A=1;"},
        {"A=1\r\nB=2\r\n", "A=1;B=2;"},
        {" A = 1 \n\tB\t=\t2\t", "A=1;B=2;"},
        {"A=", "A=;"},
        {"A=b=c", "A=b=c;"},
        {"export A=1\nexport   B=2", "A=1;B=2;"},
        {"exported=1", "exported=1;"},
        {"A=\"x y\"\nB='x y'", "A=x y;B=x y;"},
        {"A=\" x \"", "A= x ;"},
        {"A=\"\"\nB=''", "A=;B=;"},
        {"A=\"x'\nB='x\"", "A=\"x';B='x\";"},
        {"A=\"\nB='", "A=\";B=';"},
        {"A=a\"b\"", "A=a\"b\";"},
        {"A=1 # not a comment", "A=1 # not a comment;"},
        {"A=redis://:p#1@h", "A=redis://:p#1@h;"},
        {"A=1\nA=2", "A=1;A=2;"},
        {"A=\xc3\xa9\xff", "A=\xc3\xa9\xff;"},
        {"\357\273\277A=1\n", "A=1;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen;
        struct err err = {.msg = ""};
        if (parse(rows[i].text, strlen(rows[i].text), &seen, &err))
            fail_msg("%s: %s", rows[i].text, err.msg);
        assert_string_equal(seen.text, rows[i].pairs);
    }
}

static void test_conf_env_names_the_wrong_line(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"A", ".env: line 1 is not of the form NAME=value"},
        {"\n#\nA=1\n B \n", ".env: line 4 is not of the form NAME=value"},
        {"=1", ".env: line 1 is not of the form NAME=value"},
        {" = ", ".env: line 1 is not of the form NAME=value"},
        {"export A", ".env: line 1 is not of the form NAME=value"},
        {"export =1", ".env: line 1 is not of the form NAME=value"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen;
        struct err err;
        assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &seen, &err),
                         ERR_CONFIG);
        assert_string_equal(err.msg, rows[i].sentence);
    }
}

static void test_conf_env_refuses_a_nul_byte(void **state)
{
    struct seen seen;
    struct err err;

    (void)state;
    assert_int_equal(parse("A=1\0\n", 5, &seen, &err), ERR_CONFIG);
    assert_string_equal(err.msg, ".env: there is a NUL byte in it");
}

static void test_conf_env_survives_cuts_and_failed_allocations(void **state)
{
    static const char text[] = "# c\nexport A=\"x\"\nB='y'\r\n C = z\nD=";
    struct seen seen;
    struct err err;
    enum err_code code = ERR_NOMEM;
    long after = 0;

    (void)state;
    for (size_t at = 0; at <= strlen(text); at++) {
        code = parse(text, at, &seen, &err);
        assert_true(code == ERR_OK || code == ERR_CONFIG);
    }
    do {
        mem_fail_after(after++);
        code = parse(text, strlen(text), &seen, &err);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
    } while (code);
    mem_fail_after(-1);
    assert_int_equal(after, 6); /* one for each of five lines can fail */
    assert_string_equal(seen.text, "A=x;B=y;C=z;D=;");
}

static enum err_code refuse_pair(void *user, const char *key, const char *value,
                                 struct err *err)
{
    int *calls = user;

    (void)value;
    (*calls)++;
    return err_set(err, ERR_CONFIG, "%s is wrong", key);
}

static void test_conf_env_stops_at_the_first_refusal(void **state)
{
    int calls = 0;
    struct err err;

    (void)state;
    assert_int_equal(conf_parse_env("A=1\nB=2", 7, refuse_pair, &calls, &err),
                     ERR_CONFIG);
    assert_int_equal(calls, 1);
    assert_string_equal(err.msg, "A is wrong");
}

static void test_conf_mask_hides_passwords(void **state)
{
    static const char *const rows[][2] = {
        /* URLs */
        {"redis://h:6379/0", "redis://h:6379/0"},
        {"redis://:s@h", "redis://:***@h"},
        {"redis://u:s@h:1/2", "redis://u:***@h:1/2"},
        {"redis://u@h", "redis://u@h"},
        {"redis://u:@h", "redis://u:***@h"},
        {"unix://u:s@/run/x?db=1", "unix://u:***@/run/x?db=1"},
        {"unix:///run/x", "unix:///run/x"},
        {"postgres://u:s@h/db", "postgres://u:***@h/db"},
        {"postgresql://u:s:t@h/db?a=b", "postgresql://u:***@h/db?a=b"},
        {"postgres://u:p@ss@h/db", "postgres://u:***@h/db"},
        {"postgres://u:a/b@h/db", "postgres://u:***@h/db"},
        {"postgres://u:a?b@h/db", "postgres://u:***@h/db"},
        {"postgres://u:a#b@h/db", "postgres://u:***@h/db"},
        {"postgres://u:s@h1:1,h2:2/db", "postgres://u:***@h1:1,h2:2/db"},
        {"postgres://h/db?user=u&password=s&x=y",
         "postgres://h/db?user=u&password=***&x=y"},
        {"postgres://h/db?sslpassword=s", "postgres://h/db?sslpassword=***"},
        {"postgres://u:s@h/db?password=t", "postgres://u:***@h/db?password=***"},
        {"postgres://[::1]:5432/db", "postgres://[::1]:5432/db"},
        {"postgres:///db?host=/run", "postgres:///db?host=/run"},
        /* words */
        {"host=h password=s dbname=d", "host=h password=*** dbname=d"},
        {"password=s", "password=***"},
        {"password = s user=u", "password = *** user=u"},
        {"password\t=\ts\tuser=u", "password\t=\t***\tuser=u"},
        {"password='a b' user=u", "password=*** user=u"},
        {"password='a\\' b' user=u", "password=*** user=u"},
        {"password='a b", "password=***"},
        {"password=a\\ b user=u", "password=*** user=u"},
        {"password=a&b user=u", "password=*** user=u"},
        {"password=", "password=***"},
        {"password= user=u", "password= ***"},
        {"sslpassword=s host=h", "sslpassword=*** host=h"},
        {"passfile=/x host=h", "passfile=/x host=h"},
        {"", ""},
        {"nonsense", "nonsense"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char shown[256];
        conf_mask_url(rows[i][0], shown, sizeof(shown));
        assert_string_equal(shown, rows[i][1]);
    }
}

static void test_conf_mask_cuts_at_the_size(void **state)
{
    (void)state;
    for (size_t size = 1; size < 24; size++) {
        char shown[32];
        memset(shown, '#', sizeof(shown));
        conf_mask_url("redis://u:s@h:1/2", shown, size);
        assert_true(strlen(shown) < size);
        assert_memory_equal("redis://u:***@h:1/2", shown, strlen(shown));
        assert_int_equal(shown[size], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conf_env_reads_pairs),
        cmocka_unit_test(test_conf_env_names_the_wrong_line),
        cmocka_unit_test(test_conf_env_refuses_a_nul_byte),
        cmocka_unit_test(test_conf_env_survives_cuts_and_failed_allocations),
        cmocka_unit_test(test_conf_env_stops_at_the_first_refusal),
        cmocka_unit_test(test_conf_mask_hides_passwords),
        cmocka_unit_test(test_conf_mask_cuts_at_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
