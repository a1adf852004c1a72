/* test_conf_command.c -- a command of a daemon: flags of its own, and the daemon's
 * settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"

struct daemon {
    int64_t port;
    char *url;
};

struct command {
    struct daemon daemon; /* first */
    char *verb;
    char *site;
    int64_t limit;
    bool yes;
};

static const struct conf_item daemon_items[] = {
    {"T_PORT", CONF_INT, offsetof(struct daemon, port), "3000", 1, 65535, NULL,
     "the port"},
    {"T_URL", CONF_URL, offsetof(struct daemon, url), "redis://h", 0, 100, NULL,
     "server"},
    {0},
};

static const struct conf_program daemon_program = {
    .name = "tester",
    .summary = "Tests.",
    .items = daemon_items,
    .commands = "  --verb eat|sleep\n      see tester --verb --help\n",
};

static const struct conf_item command_items[] = {
    {"verb", CONF_CHOICE, offsetof(struct command, verb), NULL, 0, 0, "eat|sleep",
     "what"},
    {"t-site", CONF_TEXT, offsetof(struct command, site), "", 0, 10, NULL, "where"},
    {"t-limit", CONF_INT, offsetof(struct command, limit), "5", 1, 9, NULL, "how many"},
    {"yes", CONF_SWITCH, offsetof(struct command, yes), NULL, 0, 0, NULL, "really"},
    {0},
};

static const struct conf_program command_program = {
    .name = "tester --verb",
    .summary = "Commands.",
    .items = command_items,
    .base = &daemon_program,
};

enum {
    WORDS_MAX = 8,
    PRINTED_MAX = 4096
};

static char printed[PRINTED_MAX];

/* conf_load() with the words up to NULL; what it prints is in printed. */
static enum err_code load(const struct conf_program *program, void *conf,
                          const char *const *words, struct err *err)
{
    char *argv[WORDS_MAX] = {mem_strdup("tester")};
    int argc = 1;
    FILE *file = tmpfile();
    int saved = dup(STDOUT_FILENO);
    enum conf_next next;
    enum err_code code;
    ssize_t got;

    if (!file || saved < 0)
        abort();
    for (; words[argc - 1]; argc++)
        argv[argc] = mem_strdup(words[argc - 1]);
    (void)fflush(stdout);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    code = conf_load(program, argc, argv, conf, &next, err);
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    (void)close(saved);
    got = pread(fileno(file), printed, PRINTED_MAX - 1, 0);
    assert_true(got >= 0);
    printed[got] = '\0';
    (void)fclose(file);
    while (argc > 0)
        mem_free(argv[--argc]);
    return code;
}

static void test_a_command_takes_its_flags_and_the_daemons_settings(void **state)
{
    static const char *const words[] = {"--verb=sleep", "--t-site", "demo",
                                        "--t-port=4",   "--yes",    NULL};
    struct command conf = {.verb = NULL};
    struct err err;

    (void)state;
    assert_int_equal(setenv("T_URL", "redis://other", 1), 0);
    assert_int_equal(load(&command_program, &conf, words, &err), ERR_OK);
    assert_int_equal(unsetenv("T_URL"), 0);
    assert_string_equal(conf.verb, "sleep");
    assert_string_equal(conf.site, "demo");
    assert_int_equal(conf.limit, 5);
    assert_true(conf.yes);
    assert_int_equal(conf.daemon.port, 4);
    assert_string_equal(conf.daemon.url, "redis://other");
    conf_release(&command_program, &conf);
    assert_null(conf.verb);
    assert_null(conf.daemon.url);
}

static void test_a_name_in_lower_case_is_no_variable(void **state)
{
    static const char *const words[] = {"--print-config", NULL};
    struct command conf = {.verb = NULL};
    struct err err;

    (void)state;
    assert_int_equal(setenv("t-site", "demo", 1), 0);
    assert_int_equal(setenv("verb", "dance", 1), 0); /* not even looked at */
    assert_int_equal(load(&command_program, &conf, words, &err), ERR_OK);
    assert_int_equal(unsetenv("t-site"), 0);
    assert_int_equal(unsetenv("verb"), 0);
    assert_string_equal(conf.site, "");
    assert_null(conf.verb);
    assert_string_equal(printed, "T_PORT=3000\nT_URL=redis://h\n");
    conf_release(&command_program, &conf);
}

static void test_a_daemon_knows_nothing_of_its_commands_flags(void **state)
{
    static const char *const words[] = {"--yes", NULL};
    struct daemon conf = {.url = NULL};
    struct err err;

    (void)state;
    assert_int_equal(load(&daemon_program, &conf, words, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "\"--yes\""));
    conf_release(&daemon_program, &conf);
}

static void test_wrong_values_are_refused_by_name(void **state)
{
    static const char *const words[][3] = {{"--verb=dance", NULL},
                                           {"--t-limit=10", NULL},
                                           {"--t-port=0", NULL},
                                           {"--t-site=elevenbytes", NULL}};
    static const char *const names[] = {"verb", "t-limit", "T_PORT", "t-site"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct command conf = {.verb = NULL};
        struct err err;

        assert_int_equal(load(&command_program, &conf, words[i], &err), ERR_CONFIG);
        assert_non_null(strstr(err.msg, names[i]));
        conf_release(&command_program, &conf);
    }
}

static void test_help_shows_what_is_ones_own(void **state)
{
    static const char *const words[] = {"--help", NULL};
    struct command conf = {.verb = NULL};
    struct err err;

    (void)state;
    assert_int_equal(load(&command_program, &conf, words, &err), ERR_OK);
    assert_non_null(strstr(printed, "  --verb\n      what (eat|sleep)\n"));
    assert_non_null(strstr(printed, "settings of tester --help"));
    assert_null(strstr(printed, "t-port"));
    assert_int_equal(load(&daemon_program, &conf.daemon, words, &err), ERR_OK);
    assert_non_null(strstr(printed, "see tester --verb --help\n"));
    assert_null(strstr(printed, "--yes"));
}

static int set_up(void **state)
{
    static char folder[] = "/tmp/test_conf_command.XXXXXX";

    *state = folder;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    return chdir("/") || rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_takes_its_flags_and_the_daemons_settings),
        cmocka_unit_test(test_a_name_in_lower_case_is_no_variable),
        cmocka_unit_test(test_a_daemon_knows_nothing_of_its_commands_flags),
        cmocka_unit_test(test_wrong_values_are_refused_by_name),
        cmocka_unit_test(test_help_shows_what_is_ones_own),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
