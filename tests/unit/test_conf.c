/* test_conf.c -- settings: where they come from, their ranges, and what is printed. */
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
    int64_t port;
    bool verbose;
    char *host;
    char *url;
    char *key;
    char *level;
    bool migrate;
};

static const struct conf_item items[] = {
    {"T_PORT", CONF_INT, offsetof(struct settings, port), "3000", 1, 65535, NULL,
     "the port"},
    {"T_VERBOSE", CONF_BOOL, offsetof(struct settings, verbose), "false", 0, 0, NULL,
     "say more"},
    {"T_HOST", CONF_TEXT, offsetof(struct settings, host), "", 0, 10, NULL, "the host"},
    {"T_URL", CONF_URL, offsetof(struct settings, url), "redis://h", 0, 100, NULL,
     "the server"},
    {"T_KEY", CONF_SECRET, offsetof(struct settings, key), "", 0, 20, NULL, "the key"},
    {"T_LEVEL", CONF_CHOICE, offsetof(struct settings, level), "info", 0, 0,
     "debug|info|warn", "how much"},
    {"T_MIGRATE", CONF_SWITCH, offsetof(struct settings, migrate), NULL, 0, 0, NULL,
     "migrate and stop"},
    {NULL, CONF_INT, 0, NULL, 0, 0, NULL, NULL},
};

static const struct conf_program program = {
    .name = "tester", .summary = "Tests settings.", .items = items};

enum {
    ARGS_MAX = 8,
    PRINTED_MAX = 8192
};

/* One run of conf_load(), with what it printed on stdout. */
struct outcome {
    enum err_code code;
    enum conf_next next;
    struct settings settings;
    struct err err;
    char printed[PRINTED_MAX];
};

static char folder[] = "/tmp/test_conf.XXXXXX";

static void load(struct outcome *outcome, const char *const *words)
{
    char *argv[ARGS_MAX] = {mem_strdup("tester")};
    int argc = 1;
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    ssize_t got;

    *outcome = (struct outcome){.code = ERR_BUG};
    if (!file || saved < 0)
        abort();
    for (; words && words[argc - 1]; argc++)
        argv[argc] = mem_strdup(words[argc - 1]);
    (void)fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    outcome->code = conf_load(&program, argc, argv, &outcome->settings, &outcome->next,
                              &outcome->err);
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    (void)close(saved);
    got = pread(fileno(file), outcome->printed, PRINTED_MAX - 1, 0);
    assert_true(got >= 0);
    (void)fclose(file);
    while (argc > 0)
        mem_free(argv[--argc]);
}

static void load_words(struct outcome *outcome, const char *a, const char *b)
{
    const char *const words[] = {a, b, NULL};

    load(outcome, words);
}

static void done(struct outcome *outcome)
{
    conf_release(&program, &outcome->settings);
    assert_null(outcome->settings.host);
}

static void write_env_file(const char *text)
{
    FILE *file = fopen(CONF_ENV_FILE, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
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

/* Each test starts without a file and without variables. */
static int clean(void **state)
{
    (void)state;
    for (const struct conf_item *item = items; item->name; item++)
        (void)unsetenv(item->name);
    (void)unlink(CONF_ENV_FILE);
    return 0;
}

static void test_conf_has_defaults(void **state)
{
    struct outcome outcome;

    (void)state;
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.next, CONF_NEXT_RUN);
    assert_int_equal(outcome.settings.port, 3000);
    assert_false(outcome.settings.verbose);
    assert_string_equal(outcome.settings.host, "");
    assert_string_equal(outcome.settings.url, "redis://h");
    assert_string_equal(outcome.settings.level, "info");
    assert_false(outcome.settings.migrate);
    assert_string_equal(outcome.printed, "");
    done(&outcome);
}

static void test_conf_flags_win_over_environment_over_file_over_defaults(void **state)
{
    struct outcome outcome;

    (void)state;
    write_env_file("T_PORT=1\nT_HOST=file\nT_LEVEL=debug\nOTHER=x\n");
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.settings.port, 1);
    assert_string_equal(outcome.settings.level, "debug");
    done(&outcome);
    assert_int_equal(setenv("T_PORT", "2", 1), 0);
    assert_int_equal(setenv("T_HOST", "env", 1), 0);
    load(&outcome, NULL);
    assert_int_equal(outcome.settings.port, 2);
    assert_string_equal(outcome.settings.host, "env");
    assert_string_equal(outcome.settings.level, "debug");
    done(&outcome);
    load_words(&outcome, "--t-port=3", NULL);
    assert_int_equal(outcome.settings.port, 3);
    assert_string_equal(outcome.settings.host, "env");
    done(&outcome);
}

static void test_conf_empty_counts_as_not_set(void **state)
{
    struct outcome outcome;

    (void)state;
    write_env_file("T_PORT=\nT_LEVEL=\"\"\n");
    assert_int_equal(setenv("T_URL", "", 1), 0);
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.settings.port, 3000);
    assert_string_equal(outcome.settings.level, "info");
    assert_string_equal(outcome.settings.url, "redis://h");
    done(&outcome);
}

static void test_conf_takes_a_value_with_or_without_the_sign(void **state)
{
    struct outcome outcome;

    (void)state;
    load_words(&outcome, "--t-port", "7");
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.settings.port, 7);
    done(&outcome);
    load_words(&outcome, "--t-migrate", "--t-url=a=b");
    assert_int_equal(outcome.code, ERR_OK);
    assert_true(outcome.settings.migrate);
    assert_string_equal(outcome.settings.url, "a=b");
    done(&outcome);
    load_words(&outcome, "--t-verbose=TRUE", "--t-port=65535");
    assert_true(outcome.settings.verbose);
    assert_int_equal(outcome.settings.port, 65535);
    done(&outcome);
}

static void test_conf_a_switch_is_no_variable(void **state)
{
    struct outcome outcome;

    (void)state;
    assert_int_equal(setenv("T_MIGRATE", "true", 1), 0);
    write_env_file("T_MIGRATE=true\n");
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_false(outcome.settings.migrate);
    done(&outcome);
}

static void test_conf_refuses_with_name_value_and_range(void **state)
{
    static const char port[] = "is not a whole number from 1 to 65535";
    static const struct {
        const char *words[2];
        const char *parts[2];
    } rows[] = {
        {{"--t-port=0", NULL}, {"T_PORT: \"0\"", port}},
        {{"--t-port=65536", NULL}, {"T_PORT: \"65536\"", port}},
        {{"--t-port=-1", NULL}, {"T_PORT: \"-1\"", port}},
        {{"--t-port=1x", NULL}, {"T_PORT: \"1x\"", port}},
        {{"--t-port= 1", NULL}, {"T_PORT: \" 1\"", port}},
        {{"--t-port=1 ", NULL}, {"T_PORT: \"1 \"", port}},
        {{"--t-port=+1", NULL}, {"T_PORT: \"+1\"", port}},
        {{"--t-port=0x10", NULL}, {"T_PORT: \"0x10\"", port}},
        {{"--t-port=1e3", NULL}, {"T_PORT: \"1e3\"", port}},
        {{"--t-port=99999999999999999999", NULL}, {"\"99999999999999999999\"", port}},
        {{"--t-port=", NULL}, {"T_PORT: \"\"", port}},
        {{"--t-verbose=yes", NULL}, {"T_VERBOSE: \"yes\"", "is not true or false"}},
        {{"--t-level=loud", NULL}, {"T_LEVEL: \"loud\"", "debug|info|warn"}},
        {{"--t-level=inf", NULL}, {"T_LEVEL: \"inf\"", "debug|info|warn"}},
        {{"--t-level=debug|info", NULL}, {"T_LEVEL:", "debug|info|warn"}},
        {{"--t-host=12345678901", NULL}, {"T_HOST:", "longer than 10 bytes"}},
        {{"--t-migrate=maybe", NULL}, {"T_MIGRATE: \"maybe\"", "is not true or false"}},
        {{"--t-port", NULL}, {"option \"--t-port\"", "needs a value"}},
        {{"--t-prot=1", NULL}, {"unknown option \"--t-prot\"", "tester --help"}},
        {{"--T-PORT=1", NULL}, {"unknown option \"--T-PORT\"", "tester --help"}},
        {{"-p", "1"}, {"unknown option \"-p\"", "tester --help"}},
        {{"1", NULL}, {"unknown option \"1\"", "tester --help"}},
        {{"--", NULL}, {"unknown option \"--\"", "tester --help"}},
        {{"", NULL}, {"unknown option \"\"", "tester --help"}},
        {{"--print-config", "--t-port=0"}, {"T_PORT: \"0\"", port}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome outcome;
        load_words(&outcome, rows[i].words[0], rows[i].words[1]);
        if (outcome.code != ERR_CONFIG)
            fail_msg("accepted: %s", rows[i].words[0]);
        assert_non_null(strstr(outcome.err.msg, rows[i].parts[0]));
        assert_non_null(strstr(outcome.err.msg, rows[i].parts[1]));
        assert_string_equal(outcome.printed, "");
        done(&outcome);
    }
}

static void test_conf_refuses_what_environment_and_file_have_wrong(void **state)
{
    struct outcome outcome;

    (void)state;
    assert_int_equal(setenv("T_PORT", "x", 1), 0);
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_string_equal(outcome.err.msg,
                        "T_PORT: \"x\" is not a whole number from 1 to 65535");
    done(&outcome);
    assert_int_equal(unsetenv("T_PORT"), 0);
    write_env_file("\nT_LEVEL=shout\n");
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_non_null(strstr(outcome.err.msg, "T_LEVEL: \"shout\""));
    done(&outcome);
    write_env_file("nonsense\n");
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_string_equal(outcome.err.msg, ".env: line 1 is not of the form NAME=value");
    done(&outcome);
}

static void test_conf_refuses_a_file_that_is_too_large_or_none(void **state)
{
    struct outcome outcome;
    char text[70000];

    (void)state;
    memset(text, '#', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    write_env_file(text);
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_string_equal(outcome.err.msg, ".env: larger than 65536 bytes");
    done(&outcome);
    assert_int_equal(unlink(CONF_ENV_FILE), 0);
    assert_int_equal(mkdir(CONF_ENV_FILE, 0700), 0);
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_non_null(strstr(outcome.err.msg, "file \".env\""));
    done(&outcome);
    assert_int_equal(rmdir(CONF_ENV_FILE), 0);
}

static void test_conf_never_shows_a_secret(void **state)
{
    const char *const words[] = {"--print-config", NULL};
    struct outcome outcome;

    (void)state;
    write_env_file("T_KEY=HIDDEN\nT_URL=redis://u:HIDDEN@h\n");
    load(&outcome, words);
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.next, CONF_NEXT_EXIT);
    assert_string_equal(outcome.printed,
                        "T_PORT=3000\nT_VERBOSE=false\nT_HOST=\n"
                        "T_URL=redis://u:***@h\nT_KEY=***\nT_LEVEL=info\n");
    done(&outcome);
    write_env_file("T_KEY=HIDDEN-HIDDEN-HIDDEN-HIDDEN\n"); /* too long */
    load(&outcome, NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_null(strstr(outcome.err.msg, "HIDDEN"));
    done(&outcome);
    assert_int_equal(unlink(CONF_ENV_FILE), 0);
}

static void test_conf_takes_no_secret_from_a_flag(void **state)
{
    struct outcome outcome;

    (void)state;
    load_words(&outcome, "--t-key=HIDDEN", NULL);
    assert_int_equal(outcome.code, ERR_CONFIG);
    assert_non_null(strstr(outcome.err.msg, "T_KEY"));
    assert_null(strstr(outcome.err.msg, "HIDDEN"));
    done(&outcome);
}

static void test_conf_takes_no_url_with_a_password_from_a_flag(void **state)
{
    static const char *const refused[] = {
        "redis://u:HIDDEN@h",
        "redis://:HIDDEN@h",
        "postgresql://u:HIDDEN@h/d",
        "host=h password=HIDDEN",
        "host=h password = 'HIDDEN'",
        "unix:///s?password=HIDDEN",
        "postgresql://h?a=b&sslpassword=HIDDEN",
    };
    struct outcome outcome;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char joined[80];
        (void)snprintf(joined, sizeof(joined), "--t-url=%s", refused[i]);
        load_words(&outcome, joined, NULL);
        assert_int_equal(outcome.code, ERR_CONFIG);
        assert_non_null(strstr(outcome.err.msg, "T_URL: a secret is not taken from"));
        assert_null(strstr(outcome.err.msg, "HIDDEN"));
        done(&outcome);
        load_words(&outcome, "--t-url", refused[i]);
        assert_int_equal(outcome.code, ERR_CONFIG);
        done(&outcome);
    }
    load_words(&outcome, "--t-url=postgresql://u@h:5432/d", NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_string_equal(outcome.settings.url, "postgresql://u@h:5432/d");
    done(&outcome);
}

static void test_conf_wipes_a_refused_url_from_the_list_of_processes(void **state)
{
    char name[] = "tester";
    char flag[] = "--t-url=redis://u:HIDDEN@h";
    char *joined[] = {name, flag, NULL};
    struct settings settings = {.port = 0};
    enum conf_next next;
    struct err err;

    (void)state;
    assert_int_equal(conf_load(&program, 2, joined, &settings, &next, &err), ERR_CONFIG);
    assert_null(strstr(flag, "HIDDEN"));
    conf_release(&program, &settings);
}

static void test_conf_help_has_every_setting(void **state)
{
    struct outcome outcome;

    (void)state;
    load_words(&outcome, "--nonsense", "--help");
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.next, CONF_NEXT_EXIT);
    for (const struct conf_item *item = items; item->name; item++)
        assert_non_null(strstr(outcome.printed, item->help));
    assert_non_null(strstr(outcome.printed, "--t-port\n"));
    assert_non_null(strstr(outcome.printed, "(1 to 65535) [3000]"));
    assert_non_null(strstr(outcome.printed, "(debug|info|warn) [info]"));
    assert_non_null(strstr(outcome.printed, "Tests settings."));
    done(&outcome);
}

static void test_conf_version_is_one_line(void **state)
{
    struct outcome outcome;

    (void)state;
    load_words(&outcome, "--version", NULL);
    assert_int_equal(outcome.code, ERR_OK);
    assert_int_equal(outcome.next, CONF_NEXT_EXIT);
    assert_string_equal(outcome.printed, "tester " ANALYTICS_VERSION "\n");
    done(&outcome);
}

static void test_conf_survives_each_failed_allocation(void **state)
{
    char word[] = "--t-host=x";
    char name[] = "tester";
    char *argv[] = {name, word, NULL};
    enum err_code code;
    long after = 0;

    (void)state;
    write_env_file("T_URL=redis://x\n");
    do {
        struct settings settings = {.host = NULL};
        enum conf_next next;
        struct err err;
        mem_fail_after(after++);
        code = conf_load(&program, 2, argv, &settings, &next, &err);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
        conf_release(&program, &settings);
    } while (code);
    mem_fail_after(-1);
    assert_true(after > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_conf_has_defaults, clean),
        cmocka_unit_test_setup(
            test_conf_flags_win_over_environment_over_file_over_defaults, clean),
        cmocka_unit_test_setup(test_conf_empty_counts_as_not_set, clean),
        cmocka_unit_test_setup(test_conf_takes_a_value_with_or_without_the_sign, clean),
        cmocka_unit_test_setup(test_conf_a_switch_is_no_variable, clean),
        cmocka_unit_test_setup(test_conf_refuses_with_name_value_and_range, clean),
        cmocka_unit_test_setup(test_conf_refuses_what_environment_and_file_have_wrong,
                               clean),
        cmocka_unit_test_setup(test_conf_refuses_a_file_that_is_too_large_or_none, clean),
        cmocka_unit_test_setup(test_conf_never_shows_a_secret, clean),
        cmocka_unit_test_setup(test_conf_takes_no_secret_from_a_flag, clean),
        cmocka_unit_test_setup(test_conf_takes_no_url_with_a_password_from_a_flag, clean),
        cmocka_unit_test_setup(test_conf_wipes_a_refused_url_from_the_list_of_processes,
                               clean),
        cmocka_unit_test_setup(test_conf_help_has_every_setting, clean),
        cmocka_unit_test_setup(test_conf_version_is_one_line, clean),
        cmocka_unit_test_setup_teardown(test_conf_survives_each_failed_allocation, clean,
                                        clean),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
