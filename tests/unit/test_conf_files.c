/* test_conf_files.c -- files with settings and secrets: who may write to them, who may read
 * them, and a URL that comes from one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"

struct settings {
    char *url;
    char *url_file;
    char *key;
    char *key_file;
};

static const struct conf_item items[] = {
    {"T_URL", CONF_URL, offsetof(struct settings, url), "redis://h", 0, 30, NULL,
     "the server"},
    {"T_URL_FILE", CONF_TEXT, offsetof(struct settings, url_file), "", 0, 99, NULL,
     "file with it"},
    {"T_KEY", CONF_SECRET, offsetof(struct settings, key), "", 0, 20, NULL, "the key"},
    {"T_KEY_FILE", CONF_TEXT, offsetof(struct settings, key_file), "", 0, 99, NULL,
     "file with it"},
    {NULL, CONF_INT, 0, NULL, 0, 0, NULL, NULL},
};

static const struct conf_program program = {
    .name = "tester", .summary = "Tests settings.", .items = items};

enum {
    NOBODY = 65534 /* a user who is not the one that runs the tests */
};

static char folder[] = "/tmp/test_conf_files.XXXXXX";

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static enum err_code load(struct settings *settings, struct err *err)
{
    char name[] = "tester";
    char *argv[] = {name, NULL};
    enum conf_next next;

    *settings = (struct settings){.url = NULL};
    return conf_load(&program, 1, argv, settings, &next, err);
}

/* Whether loading fails with a sentence that has the words. */
static void check_refused(const char *words)
{
    struct settings settings;
    struct err err;

    assert_int_equal(load(&settings, &err), ERR_CONFIG);
    if (!strstr(err.msg, words))
        fail_msg("\"%s\" does not have \"%s\"", err.msg, words);
    assert_null(strstr(err.msg, "HIDDEN"));
    conf_release(&program, &settings);
}

static void check_url(const char *expected)
{
    struct settings settings;
    struct err err;

    assert_int_equal(load(&settings, &err), ERR_OK);
    assert_string_equal(settings.url, expected);
    conf_release(&program, &settings);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return chdir("/") || rmdir(folder);
}

static int clean(void **state)
{
    (void)state;
    for (const struct conf_item *item = items; item->name; item++)
        (void)unsetenv(item->name);
    (void)unlink(CONF_ENV_FILE);
    (void)unlink("secret");
    return chmod(".", 0700);
}

static void test_env_file_that_any_user_may_write_to_is_refused(void **state)
{
    (void)state;
    write_file(CONF_ENV_FILE, "T_URL=redis://u:HIDDEN@x\n", 0602);
    check_refused(".env: any user of the machine may write to it: chmod o-w .env");
    assert_int_equal(chmod(CONF_ENV_FILE, 0664), 0);
    check_url("redis://u:HIDDEN@x");
}

static void test_env_file_that_any_user_may_replace_is_refused(void **state)
{
    (void)state;
    write_file(CONF_ENV_FILE, "T_URL=redis://x\n", 0600);
    assert_int_equal(chmod(".", 0777), 0);
    check_refused(".env: any user of the machine may replace it");
    assert_int_equal(chmod(".", 01777), 0); /* as /tmp is */
    check_url("redis://x");
}

static void test_env_file_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    write_file(CONF_ENV_FILE, "T_URL=redis://x\n", 0600);
    assert_int_equal(chmod(".", 01777), 0);
    assert_int_equal(chown(CONF_ENV_FILE, NOBODY, NOBODY), 0);
    check_refused(".env: it belongs to another user");
    assert_int_equal(chown(".", NOBODY, NOBODY),
                     0); /* who runs it there trusts the owner */
    check_url("redis://x");
    assert_int_equal(chown(".", 0, 0), 0);
}

static void test_url_comes_from_the_first_line_of_a_file(void **state)
{
    (void)state;
    write_file("secret", "redis://u:HIDDEN@y\r\nsecond line\n", 0600);
    assert_int_equal(setenv("T_URL_FILE", "secret", 1), 0);
    check_url("redis://u:HIDDEN@y");
    assert_int_equal(setenv("T_URL", "redis://z", 1), 0);
    check_refused("T_URL is given both by its value and by file \"secret\"");
}

static void test_url_of_a_file_has_the_limits_of_a_url(void **state)
{
    (void)state;
    assert_int_equal(setenv("T_URL_FILE", "secret", 1), 0);
    check_refused("T_URL: could not open file \"secret\": No such file");
    write_file("secret", "\nredis://u:HIDDEN@y\n", 0600);
    check_refused("must have a first line of 1 to 30 bytes");
    write_file("secret", "redis://u:HIDDEN@yyyyyyyyyyyyyy", 0600);
    check_refused("must have a first line of 1 to 30 bytes");
    write_file("secret", "redis://u:HIDDEN@yyyyyyyyyyyyy", 0600);
    check_url("redis://u:HIDDEN@yyyyyyyyyyyyy");
    write_file("secret", "redis://u:HIDDEN@y\n", 0602);
    check_refused("file \"secret\" may be written to by any user");
}

static int warnings;

static void on_public_file(const char *name, const char *path)
{
    assert_non_null(strstr(name, "_FILE"));
    assert_string_equal(path, "secret");
    warnings++;
}

static void check_warnings(int expected)
{
    struct settings settings;
    struct err err;

    assert_int_equal(load(&settings, &err), ERR_OK);
    warnings = 0;
    conf_warn_public(&program, &settings, on_public_file);
    assert_int_equal(warnings, expected);
    conf_release(&program, &settings);
}

static void test_secret_files_that_any_user_may_read_are_told(void **state)
{
    (void)state;
    check_warnings(0);
    write_file("secret", "redis://y\n", 0640);
    assert_int_equal(setenv("T_URL_FILE", "secret", 1), 0);
    assert_int_equal(setenv("T_KEY_FILE", "secret", 1), 0);
    check_warnings(0);
    assert_int_equal(chmod("secret", 0644), 0);
    check_warnings(2);
}

static void test_a_number_has_no_leading_zero(void **state)
{
    static int64_t number;
    static const struct conf_item rows[] = {
        {"T_NUMBER", CONF_INT, 0, "0", 0, 99, NULL, "a number"},
        {NULL, CONF_INT, 0, NULL, 0, 0, NULL, NULL},
    };
    static const struct conf_program numbers = {
        .name = "tester", .summary = "Tests numbers.", .items = rows};
    static const char *const refused[] = {"08", "010", "00", "0x8", "+8", " 8", "8 "};
    char name[] = "tester";
    char *argv[] = {name, NULL};
    enum conf_next next;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_int_equal(setenv("T_NUMBER", refused[i], 1), 0);
        assert_int_equal(conf_load(&numbers, 1, argv, &number, &next, &err), ERR_CONFIG);
    }
    assert_int_equal(setenv("T_NUMBER", "0", 1), 0);
    assert_int_equal(conf_load(&numbers, 1, argv, &number, &next, &err), ERR_OK);
    assert_int_equal(unsetenv("T_NUMBER"), 0);
}

static void test_memory_that_runs_out_is_said(void **state)
{
    (void)state;
    write_file(CONF_ENV_FILE, "T_KEY=k\n", 0600);
    write_file("secret", "redis://y\n", 0600);
    assert_int_equal(setenv("T_URL_FILE", "secret", 1), 0);
    for (long n = 0;; n++) {
        struct settings settings;
        struct err err;
        enum err_code code;
        mem_fail_after(n);
        code = load(&settings, &err);
        mem_fail_after(-1);
        conf_release(&program, &settings);
        if (!code)
            break;
        assert_int_equal(code, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_env_file_that_any_user_may_write_to_is_refused, clean, clean),
        cmocka_unit_test_setup_teardown(
            test_env_file_that_any_user_may_replace_is_refused, clean, clean),
        cmocka_unit_test_setup_teardown(test_env_file_of_another_user_is_refused, clean,
                                        clean),
        cmocka_unit_test_setup_teardown(test_url_comes_from_the_first_line_of_a_file,
                                        clean, clean),
        cmocka_unit_test_setup_teardown(test_url_of_a_file_has_the_limits_of_a_url, clean,
                                        clean),
        cmocka_unit_test_setup_teardown(test_secret_files_that_any_user_may_read_are_told,
                                        clean, clean),
        cmocka_unit_test_setup_teardown(test_a_number_has_no_leading_zero, clean, clean),
        cmocka_unit_test_setup_teardown(test_memory_that_runs_out_is_said, clean, clean),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
