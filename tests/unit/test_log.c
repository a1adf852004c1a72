/* test_log.c -- lines that no input can forge, and that nobody waits for. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"

enum {
    READ_MAX = 1 << 20
};

/* A pipe in the place of one of our streams. */
struct capture {
    int stream;
    int saved;
    int reader;
    char text[READ_MAX];
    size_t len;
};

static struct capture capture;

static void capture_start(int stream)
{
    int ends[2];

    if (pipe(ends) != 0)
        abort();
    assert_true(fcntl(ends[0], F_SETFL, O_NONBLOCK) >= 0);
    capture.stream = stream;
    capture.saved = dup(stream);
    capture.reader = ends[0];
    capture.len = 0;
    assert_true(capture.saved >= 0);
    assert_true(dup2(ends[1], stream) >= 0);
    (void)close(ends[1]);
}

/* Reads all that is in the pipe now. */
static const char *capture_read(void)
{
    ssize_t got;

    while (capture.len < READ_MAX - 1) {
        got =
            read(capture.reader, capture.text + capture.len, READ_MAX - 1 - capture.len);
        if (got <= 0)
            break;
        capture.len += (size_t)got;
    }
    capture.text[capture.len] = '\0';
    return capture.text;
}

static void capture_stop(void)
{
    (void)capture_read();
    assert_true(dup2(capture.saved, capture.stream) >= 0);
    (void)close(capture.saved);
    (void)close(capture.reader);
}

/* The line after "2026-01-31T10:00:00.123Z ". */
static const char *after_time(const char *line)
{
    static const char form[] = "0000-00-00T00:00:00.000Z ";

    for (size_t i = 0; i < strlen(form); i++) {
        bool is_digit = line[i] >= '0' && line[i] <= '9';
        assert_true(form[i] == '0' ? is_digit : line[i] == form[i]);
    }
    return line + strlen(form);
}

static int set_up(void **state)
{
    (void)state;
    log_init("tester", LOG_INFO);
    return 0;
}

static void test_log_writes_one_line_of_keys_and_values(void **state)
{
    static const char warning[] =
        "warn tester msg=\"could not connect\" addr=h:1 n=-5 none=-\n";

    (void)state;
    capture_start(STDERR_FILENO);
    log_line(
        LOG_WARN, "could not connect",
        LOG_FIELDS(log_text("addr", "h:1"), log_int("n", -5), log_text("none", NULL)));
    log_line(LOG_INFO, "plain", NULL);
    capture_stop();
    assert_memory_equal(after_time(capture.text), warning, strlen(warning));
    assert_string_equal(after_time(strchr(capture.text, '\n') + 1),
                        "info tester msg=plain\n");
}

static void test_log_escapes_what_could_forge_a_line(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *shown;
    } rows[] = {
        {"", 0, "\"\""},
        {"a b", 3, "\"a b\""},
        {"a=b", 3, "\"a=b\""},
        {"\"\\", 2, "\"\\\"\\\\\""},
        {"a\nb", 3, "\"a\\x0ab\""},
        {"\r\t\x1b[31m", 7, "\"\\x0d\\x09\\x1b[31m\""},
        {"\0", 1, "\"\\x00\""},
        {"\x7f\x80\xff", 3, "\"\\x7f\\x80\\xff\""},
        {"\xc3\xa9", 2, "\"\\xc3\\xa9\""},
        {"x/y?z", 5, "x/y?z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char want[128];
        (void)snprintf(want, sizeof(want), "info tester msg=m v=%s\n", rows[i].shown);
        capture_start(STDERR_FILENO);
        log_line(LOG_INFO, "m", LOG_FIELDS(log_bytes("v", rows[i].bytes, rows[i].len)));
        capture_stop();
        assert_string_equal(after_time(capture.text), want);
    }
}

static void test_log_keeps_to_its_level(void **state)
{
    enum log_level level;

    (void)state;
    capture_start(STDERR_FILENO);
    log_line(LOG_DEBUG, "hidden", NULL);
    log_init("tester", LOG_ERROR);
    log_line(LOG_WARN, "hidden", NULL);
    log_line(LOG_ERROR, "shown", NULL);
    capture_stop();
    assert_string_equal(after_time(capture.text), "error tester msg=shown\n");
    assert_int_equal(log_level_parse("debug", &level), ERR_OK);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse("error", &level), ERR_OK);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_level_parse("", &level), ERR_INVALID);
    assert_int_equal(log_level_parse("INFO", &level), ERR_INVALID);
    assert_int_equal(log_level_parse("information", &level), ERR_INVALID);
    log_init("tester", LOG_INFO);
}

static void test_log_cuts_a_long_line_and_ends_it(void **state)
{
    char value[3 * LOG_LINE_MAX];

    (void)state;
    for (int c = 'x'; c >= '\n'; c -= 'x' - '\n') { /* plain, and all escapes */
        memset(value, c, sizeof(value));
        capture_start(STDERR_FILENO);
        log_line(LOG_INFO, "m",
                 LOG_FIELDS(log_bytes("v", value, sizeof(value)), log_int("after", 1)));
        capture_stop();
        assert_int_equal(capture.len, LOG_LINE_MAX);
        assert_ptr_equal(strchr(capture.text, '\n'), capture.text + LOG_LINE_MAX - 1);
    }
}

static void test_log_drops_lines_while_the_pipe_is_full_and_says_so(void **state)
{
    char filler[1000];
    int64_t before = log_dropped();
    int64_t dropped;
    char want[64];

    (void)state;
    memset(filler, 'x', sizeof(filler));
    capture_start(STDERR_FILENO);
    while (log_dropped() < before + 3) /* the pipe holds 64 KiB: some 60 lines */
        log_line(LOG_INFO, "m", LOG_FIELDS(log_bytes("v", filler, sizeof(filler))));
    dropped = log_dropped() - before;
    (void)capture_read();
    assert_null(strstr(capture.text, "dropped lines"));
    capture.len = 0;
    log_line(LOG_INFO, "room again", NULL);
    capture_stop();
    (void)snprintf(want, sizeof(want),
                   "warn tester msg=\"dropped lines that nobody read\" lines=%d\n",
                   (int)dropped);
    assert_memory_equal(after_time(capture.text), want, strlen(want));
    assert_string_equal(after_time(strchr(capture.text, '\n') + 1),
                        "info tester msg=\"room again\"\n");
    assert_int_equal(log_dropped(), before + dropped);
}

static void test_log_stdout_drops_whole_texts_while_the_pipe_is_full(void **state)
{
    char text[LOG_LINE_MAX];
    int64_t before = log_dropped();
    size_t written = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\n';
    capture_start(STDOUT_FILENO);
    for (; log_dropped() == before; written++)
        log_stdout(text, sizeof(text));
    capture_stop();
    assert_int_equal(capture.len, (written - 1) * sizeof(text));
    capture_start(STDERR_FILENO);
    log_line(LOG_INFO, "m", NULL);
    capture_stop();
    assert_non_null(strstr(capture.text, " lines=1\n")); /* said on stderr */
}

enum {
    THREADS = 4,
    LINES = 10
};

static void *log_many(void *name)
{
    for (int i = 0; i < LINES; i++)
        log_line(LOG_INFO, "m", LOG_FIELDS(log_text("thread", name), log_int("i", i)));
    return NULL;
}

static void test_log_lines_of_threads_do_not_mix(void **state)
{
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    pthread_t threads[THREADS];
    const char *line;
    int lines = 0;

    (void)state;
    capture_start(STDERR_FILENO);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    capture_stop();
    for (line = capture.text; *line; line = strchr(line, '\n') + 1, lines++)
        assert_memory_equal(after_time(line), "info tester msg=m thread=", 25);
    assert_int_equal(lines, THREADS * LINES);
}

static void test_log_limit_lets_one_line_through_each_interval(void **state)
{
    struct log_limit limit = {0};
    int64_t suppressed = -1;
    int64_t start_ms = clock_mono_ms();

    (void)state;
    assert_true(log_limit_allows(&limit, 60000, &suppressed));
    assert_int_equal(suppressed, 0);
    for (int i = 0; i < 7; i++)
        assert_false(log_limit_allows(&limit, 60000, &suppressed));
    assert_true(limit.next_ms >= start_ms + 60000);
    limit.next_ms = start_ms; /* the interval is over */
    assert_true(log_limit_allows(&limit, 60000, &suppressed));
    assert_int_equal(suppressed, 7);
    limit.next_ms = start_ms;
    assert_true(log_limit_allows(&limit, 60000, &suppressed));
    assert_int_equal(suppressed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_writes_one_line_of_keys_and_values),
        cmocka_unit_test(test_log_escapes_what_could_forge_a_line),
        cmocka_unit_test(test_log_keeps_to_its_level),
        cmocka_unit_test(test_log_cuts_a_long_line_and_ends_it),
        cmocka_unit_test(test_log_drops_lines_while_the_pipe_is_full_and_says_so),
        cmocka_unit_test(test_log_stdout_drops_whole_texts_while_the_pipe_is_full),
        cmocka_unit_test(test_log_lines_of_threads_do_not_mix),
        cmocka_unit_test(test_log_limit_lets_one_line_through_each_interval),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
