/* test_metrics.c -- cells count exactly, sums go over threads, and the text is what
 * Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/base/metrics.h"
#include "shared/daemon/process_stats.h"
#include "shared/event/event.h"
#include "shared/http/metrics.h"

/* A thread's struct with something of each kind. */
struct counts {
    struct metric done;
    struct metric level;
    struct metric by_reason[3];
    struct metric_histogram took_us;
};

static const struct metric_buckets buckets = {3, {10, 1000, 2500000}};
static const char *const reasons[] = {"plain", NULL, "a \"b\"\\c\nd"};
static const char *const kinds[] = {"x", "y", "z"};

static const struct metric_item items[] = {
    {.name = "done_total",
     .kind = METRIC_COUNTER,
     .offset = offsetof(struct counts, done),
     .help = "Back\\slash, \"quotes\"\nand lines."},
    {.name = "level_seconds",
     .kind = METRIC_GAUGE,
     .offset = offsetof(struct counts, level),
     .help = "L.",
     .per_unit = 1000},
    {.name = "refused_total",
     .kind = METRIC_COUNTER,
     .offset = offsetof(struct counts, by_reason),
     .help = "R.",
     .count = 3,
     .labels = {{"reason", reasons}, {"kind", kinds}}},
    {.name = "took_seconds",
     .kind = METRIC_HISTOGRAM,
     .offset = offsetof(struct counts, took_us),
     .help = "T.",
     .per_unit = 1000000,
     .buckets = &buckets},
    {.name = NULL},
};

static const char expected[] =
    "# HELP demo_done_total Back\\\\slash, \"quotes\"\\nand lines.\n"
    "# TYPE demo_done_total counter\n"
    "demo_done_total 12\n"
    "# HELP demo_level_seconds L.\n"
    "# TYPE demo_level_seconds gauge\n"
    "demo_level_seconds -1.5\n"
    "# HELP demo_refused_total R.\n"
    "# TYPE demo_refused_total counter\n"
    "demo_refused_total{reason=\"plain\",kind=\"x\"} 3\n"
    "demo_refused_total{reason=\"a \\\"b\\\"\\\\c\\nd\",kind=\"z\"} 4\n"
    "# HELP demo_took_seconds T.\n"
    "# TYPE demo_took_seconds histogram\n"
    "demo_took_seconds_bucket{le=\"0.00001\"} 2\n"
    "demo_took_seconds_bucket{le=\"0.001\"} 3\n"
    "demo_took_seconds_bucket{le=\"2.5\"} 4\n"
    "demo_took_seconds_bucket{le=\"+Inf\"} 5\n"
    "demo_took_seconds_count 5\n"
    "demo_took_seconds_sum 5.000022\n";

static void fill(struct counts threads[2])
{
    metric_add(&threads[0].done, 5);
    metric_add(&threads[1].done, 7);
    metric_set(&threads[0].level, -2000);
    metric_set(&threads[1].level, 500);
    metric_add(&threads[0].by_reason[0], 3);
    metric_add(&threads[0].by_reason[1], 99); /* has no label value */
    metric_add(&threads[1].by_reason[2], 4);
    metric_observe(&threads[0].took_us, &buckets, 0);
    metric_observe(&threads[1].took_us, &buckets, 10); /* a bound belongs to its bucket */
    metric_observe(&threads[0].took_us, &buckets, 11);
    metric_observe(&threads[1].took_us, &buckets, 2500000);
    metric_observe(&threads[1].took_us, &buckets, 2500001);
}

static struct metrics_part part_of(const struct counts *threads, size_t count)
{
    return (struct metrics_part){"demo_", items, threads, count, sizeof(*threads)};
}

static void test_text_is_what_prometheus_reads(void **state)
{
    struct counts threads[2] = {0};
    struct metrics_part part = part_of(threads, 2);
    struct buf out;

    (void)state;
    fill(threads);
    buf_init(&out, METRICS_TEXT_MAX);
    assert_int_equal(metrics_render(&part, 1, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void test_text_stops_at_its_maximum_and_without_memory(void **state)
{
    struct counts threads[2] = {0};
    struct metrics_part part = part_of(threads, 2);
    enum err_code code = ERR_NOMEM;
    long failures = -1;

    (void)state;
    fill(threads);
    for (size_t max = 0; max < sizeof(expected) - 1; max += 7) {
        struct buf out;
        buf_init(&out, max);
        assert_int_equal(metrics_render(&part, 1, &out), ERR_TOO_BIG);
        buf_release(&out);
    }
    while (code) {
        struct buf out;
        buf_init(&out, METRICS_TEXT_MAX);
        mem_fail_after(++failures);
        code = metrics_render(&part, 1, &out);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
        buf_release(&out);
        assert_true(failures < 100);
    }
    assert_true(failures > 0);
}

/* One gauge, as text. */
static void check_number(int64_t value, int64_t per_unit, const char *text)
{
    struct counts counts = {0};
    struct metric_item one[2] = {
        {.name = "n", .kind = METRIC_GAUGE, .help = "h", .per_unit = per_unit},
        {.name = NULL}};
    struct metrics_part part = {"", one, &counts.level, 1, 0};
    struct buf out;

    metric_set(&counts.level, value);
    buf_init(&out, 1024);
    assert_int_equal(metrics_render(&part, 1, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(strstr(out.data, "\nn ") + 3, text);
    buf_release(&out);
}

static void test_numbers_are_exact_decimals(void **state)
{
    (void)state;
    check_number(0, 0, "0\n");
    check_number(-7, 1, "-7\n");
    check_number(INT64_MAX, 0, "9223372036854775807\n");
    check_number(INT64_MIN, 0, "-9223372036854775808\n");
    check_number(1, 1000000, "0.000001\n");
    check_number(-1, 1000, "-0.001\n");
    check_number(1000000, 1000000, "1\n");
    check_number(1500000, 1000000, "1.5\n");
    check_number(1050, 1000, "1.05\n");
    check_number(INT64_MAX, 1000000, "9223372036854.775807\n");
}

enum {
    WRITERS = 4,
    ROUNDS = 20000
};

static void *count_much(void *user)
{
    struct counts *counts = user;

    for (int64_t i = 0; i < ROUNDS; i++) {
        metric_add(&counts->done, 1);
        metric_observe(&counts->took_us, &buckets, i % 2000);
    }
    return NULL;
}

/* The sum over the threads as another thread sees it, while they write. */
static int64_t read_done(const struct counts *threads)
{
    int64_t sum = 0;

    for (size_t i = 0; i < WRITERS; i++)
        sum += metric_get(&threads[i].done);
    return sum;
}

static void test_counts_of_threads_add_up(void **state)
{
    static struct counts threads[WRITERS];
    struct metrics_part part = part_of(threads, WRITERS);
    pthread_t writers[WRITERS];
    int64_t last = 0;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, count_much, &threads[i]), 0);
    while (last < (int64_t)WRITERS * ROUNDS) {
        int64_t now = read_done(threads);
        assert_true(now >= last);
        last = now;
        buf_init(&out, METRICS_TEXT_MAX);
        assert_int_equal(metrics_render(&part, 1, &out), ERR_OK);
        buf_release(&out);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    buf_init(&out, METRICS_TEXT_MAX);
    assert_int_equal(metrics_render(&part, 1, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_non_null(strstr(out.data, "\ndemo_done_total 80000\n"));
    assert_non_null(strstr(out.data, "\ndemo_took_seconds_count 80000\n"));
    /* 4 writers, 10 times the sum of 0 to 1999 microseconds */
    assert_non_null(strstr(out.data, "\ndemo_took_seconds_sum 79.96\n"));
    buf_release(&out);
}

static void test_errors_have_names_and_kinds_but_ok(void **state)
{
    (void)state;
    assert_null(metric_errors[ERR_OK]);
    for (int code = ERR_OK + 1; code < ERR_CODE_COUNT; code++)
        assert_string_equal(metric_errors[code], err_name((enum err_code)code));
    assert_string_equal(metric_actions[ERR_UNAVAILABLE], "outage");
    assert_string_equal(metric_actions[ERR_SCHEMA], "halt");
    assert_string_equal(metric_actions[ERR_INVALID], "other");
    assert_int_equal(metric_trouble_of(ERR_OK), METRIC_TROUBLE_NONE);
    assert_int_equal(metric_trouble_of(ERR_TIMEOUT), METRIC_TROUBLE_OUTAGE);
    assert_int_equal(metric_trouble_of(ERR_DENIED), METRIC_TROUBLE_HALT);
}

static void test_every_status_has_its_cell(void **state)
{
    (void)state;
    assert_int_equal(http_metric_status(200), HTTP_METRIC_200);
    assert_int_equal(http_metric_status(429), HTTP_METRIC_429);
    assert_int_equal(http_metric_status(503), HTTP_METRIC_503);
    assert_int_equal(http_metric_status(418), HTTP_METRIC_OTHER);
    assert_int_equal(http_metric_status(0), HTTP_METRIC_OTHER);
    assert_int_equal(http_metric_status(99999), HTTP_METRIC_OTHER);
}

static void test_flaws_name_the_rule_that_was_broken(void **state)
{
    static const struct {
        const char *body;
        enum event_flaw flaw;
    } cases[] = {
        {"{", EVENT_FLAW_JSON},
        {"[]", EVENT_FLAW_VALUE},
        {"", EVENT_FLAW_SITE_ID},
        {"{\"site_id\":1}", EVENT_FLAW_SITE_ID},
        {"{\"site_id\":\"a\"}", EVENT_FLAW_EVENT_TYPE},
        {"{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"\"}", EVENT_FLAW_PATH},
        {"{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"/\",\"user_id\":1}",
         EVENT_FLAW_USER_ID},
        {"{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"/\",\"timestamp\":\"x\"}",
         EVENT_FLAW_TIMESTAMP},
        {"{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"/\",\"timestamp\":\"2025\","
         "\"event_id\":\"x\"}",
         EVENT_FLAW_EVENT_ID},
        {"{\"site_id\":\"a\",\"event_type\":\"b\",\"path\":\"/\",\"timestamp\":\"2025\","
         "\"site_id \":1}",
         EVENT_FLAW_UNKNOWN_KEY},
    };
    struct event_parser *parser = event_parser_new();

    (void)state;
    assert_non_null(parser);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event event;
        struct err err;
        const char *body = cases[i].body;
        assert_int_equal(event_parse(parser, body, strlen(body), &event, &err),
                         ERR_INVALID);
        assert_int_equal(event_parser_flaw(parser), cases[i].flaw);
    }
    event_parser_free(parser);
}

static void test_process_knows_itself(void **state)
{
    struct process_stats stats = {0};
    int64_t before;
    int fds[2];

    (void)state;
    process_stats_init(&stats);
    before = metric_get(&stats.open_files);
    assert_true(before >= 3);
    if (pipe2(fds, O_CLOEXEC) != 0)
        abort();
    process_stats_refresh(&stats);
    assert_int_equal(metric_get(&stats.open_files), before + 2);
    assert_int_equal(close(fds[0]) + close(fds[1]), 0);
    process_stats_refresh(&stats);
    assert_int_equal(metric_get(&stats.open_files), before);
    assert_true(metric_get(&stats.open_files_max) > before);
    assert_true(metric_get(&stats.resident_bytes) > 100000);
    assert_true(metric_get(&stats.resident_bytes) < metric_get(&stats.virtual_bytes));
    assert_true(metric_get(&stats.threads) >= 1);
    assert_true(metric_get(&stats.start_ms) > 1700000000000);
    assert_int_equal(metric_get(&stats.one), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_what_prometheus_reads),
        cmocka_unit_test(test_text_stops_at_its_maximum_and_without_memory),
        cmocka_unit_test(test_numbers_are_exact_decimals),
        cmocka_unit_test(test_counts_of_threads_add_up),
        cmocka_unit_test(test_errors_have_names_and_kinds_but_ok),
        cmocka_unit_test(test_every_status_has_its_cell),
        cmocka_unit_test(test_flaws_name_the_rule_that_was_broken),
        cmocka_unit_test(test_process_knows_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
