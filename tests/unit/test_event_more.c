/* test_event_more.c -- the fields that few events have: their rules, and their way through a
 * job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"

#define BASE                                                                             \
    "\"site_id\":\"s\",\"event_type\":\"t\",\"path\":\"/\","                             \
    "\"timestamp\":\"2025-11-14T10:00:00.000Z\""
#define JOB_HEAD                                                                         \
    "{\"event_id\":\"019a81f2-5b80-7c3e-9f10-0242ac120002\",\"site_id\":\"s\","          \
    "\"event_type\":\"t\",\"path\":\"/\",\"user_id\":null,"                              \
    "\"timestamp\":\"2025-11-14T10:00:00.000Z\""
#define ID "\"event_id\":\"019a81f2-5b80-7c3e-9f10-0242ac120002\","

static struct event_parser *parser;

static int setup(void **state)
{
    (void)state;
    parser = event_parser_new();
    return parser ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    event_parser_free(parser);
    return 0;
}

/* The member as a client sends it, and as a job has it; NULL: absent. */
static const char *const taken[][2] = {
    {"\"hostname\":\"Example.COM\"", "\"hostname\":\"Example.COM\""},
    {"\"hostname\":null", NULL},
    {"\"referrer\":\"\"", NULL},
    {"\"referrer\":\"https://a.example/?q\"", "\"referrer\":\"https://a.example/?q\""},
    {"\"utm_term\":\"a \\\"b\\\"\"", "\"utm_term\":\"a \\\"b\\\"\""},
    {"\"screen_width\":1", "\"screen_width\":1"},
    {"\"screen_width\":1.92e3", "\"screen_width\":1920"},
    {"\"screen_width\":100000", "\"screen_width\":100000"},
    {"\"screen_width\":7,\"screen_width\":8", "\"screen_width\":8"},
    {"\"duration_ms\":0,\"scroll\":100", "\"duration_ms\":0,\"scroll\":100"},
    {"\"duration_ms\":86400000", "\"duration_ms\":86400000"},
    {"\"props\":{}", NULL},
    {"\"props\":{\"a\":null}", NULL},
    {"\"props\":{ \"b\" : \"x\\u0041\" , \"a\" : true, \"c\":null,\"d\":false }",
     "\"props\":{\"b\":\"xA\",\"a\":true,\"d\":false}"},
    {"\"props\":{\"n\":1,\"m\":-0.1,\"e\":1e300,\"t\":0.30000000000000004}",
     "\"props\":{\"n\":1,\"m\":-0.1,\"e\":1e+300,\"t\":0.30000000000000004}"},
    {"\"props\":{\"plan\":\"\"}", "\"props\":{\"plan\":\"\"}"},
    {"\"url\":\"https://a.example/\",\"ip\":\"::1\",\"user_agent\":\"x\"", NULL},
};

static void test_what_is_taken_comes_back_from_its_job(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        char text[1024];
        char want[1024];
        struct event event;
        struct event again;
        struct buf job;
        struct err err;

        (void)snprintf(text, sizeof(text), "{" ID BASE ",%s}", taken[i][0]);
        (void)snprintf(want, sizeof(want), JOB_HEAD "%s%s}", taken[i][1] ? "," : "",
                       taken[i][1] ? taken[i][1] : "");
        buf_init(&job, 4096);
        if (event_parse(parser, text, strlen(text), &event, &err))
            fail_msg("%s: %s", text, err.msg);
        assert_int_equal(event_format_job(&event, &job), ERR_OK);
        assert_int_equal(job.len, strlen(want));
        assert_memory_equal(job.data, want, job.len);
        assert_int_equal(event_parse_job(parser, job.data, job.len, &again, &err),
                         ERR_OK);
        assert_int_equal(again.more, event.more & event_more_columns);
        buf_release(&job);
    }
}

/* What is wrong, and the sentence. */
static const char *const refused[][2] = {
    {"\"hostname\":1", "\"hostname\" must be a string"},
    {"\"hostname\":\"\"", "\"hostname\" is not allowed to be empty"},
    {"\"hostname\":\"a\\u0000\"", "\"hostname\" must not contain the character \\u0000"},
    {"\"referrer\":\"\\ud800\"", "\"referrer\" must not contain a lone surrogate"},
    {"\"screen_width\":\"1\"", "\"screen_width\" must be a number"},
    {"\"screen_width\":1.5", "\"screen_width\" must be an integer"},
    {"\"screen_width\":0", "\"screen_width\" must be greater than or equal to 1"},
    {"\"screen_width\":100001", "\"screen_width\" must be less than or equal to 100000"},
    {"\"screen_width\":1e400", "\"screen_width\" must be a safe number"},
    {"\"screen_width\":9007199254740993", "\"screen_width\" must be a safe number"},
    {"\"scroll\":-1", "\"scroll\" must be greater than or equal to 0"},
    {"\"scroll\":101", "\"scroll\" must be less than or equal to 100"},
    {"\"props\":[]", "\"props\" must be of type object"},
    {"\"props\":\"\"", "\"props\" must be of type object"},
    {"\"props\":{\"a\":{}}", "\"props\" must not be nested"},
    {"\"props\":{\"a\":[1]}", "\"props\" must not be nested"},
    {"\"props\":{\"\":1}", "\"props\" must not have an empty name"},
    {"\"props\":{\"a\":1,\"a\":1}", "\"props\" must not have the same name twice"},
    {"\"props\":{\"a\":1e400}", "\"props\" must not have a number out of range"},
    {"\"props\":{\"a\":-1e400}", "\"props\" must not have a number out of range"},
    {"\"props\":{\"a\":1234567890123456789012345678901234567890123456789012345678901}",
     "\"props\" must not have a number out of range"},
    {"\"props\":{\"a\":NaN}", "body is not valid JSON: unexpected character at byte 95"},
    {"\"props\":{\"a\":\"\\u0000\"}", "\"props\" must not contain the character \\u0000"},
    {"\"props\":{\"\\udc00\":1}", "\"props\" must not contain a lone surrogate"},
    {"\"source\":\"Google\"", "\"source\" is not allowed"},
    {"\"visitor_id\":\"0123456789abcdef\"", "\"visitor_id\" is not allowed"},
    {"\"country\":null", "\"country\" is not allowed"},
    {"\"zzz\":1,\"scroll\":101", "\"scroll\" must be less than or equal to 100"},
    {"\"scroll\":101,\"hostname\":1", "\"hostname\" must be a string"},
};

static void test_what_is_wrong_is_refused_with_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char text[1024];
        struct event event;
        struct err err;

        (void)snprintf(text, sizeof(text), "{" BASE ",%s}", refused[i][0]);
        assert_int_equal(event_parse(parser, text, strlen(text), &event, &err),
                         ERR_INVALID);
        assert_string_equal(err.msg, refused[i][1]);
    }
}

/* An event with so many properties. */
static void write_props(struct buf *out, size_t members, size_t name_len,
                        size_t value_len)
{
    buf_clear(out);
    assert_int_equal(buf_printf(out, "{" BASE ",\"props\":{"), ERR_OK);
    for (size_t i = 0; i < members; i++)
        assert_int_equal(buf_printf(out, "%s\"%0*zu\":\"%0*d\"", i ? "," : "",
                                    (int)name_len, i, (int)value_len, 0),
                         ERR_OK);
    assert_int_equal(buf_printf(out, "}}"), ERR_OK);
}

static void test_the_limits_of_props(void **state)
{
    static const struct {
        size_t members, name, value;
        const char *sentence; /* NULL: taken */
    } cases[] = {
        {30, 100, 500, NULL},
        {31, 5, 5, "\"props\" must not have more than 30 members"},
        {1, 101, 5, "\"props\" must not have a name of more than 100 characters"},
        {1, 5, 501, "\"props\" must not have a string of more than 500 characters"},
    };
    struct buf text;

    (void)state;
    buf_init(&text, 65536);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event event;
        struct err err = {.msg = ""};
        enum err_code code;

        write_props(&text, cases[i].members, cases[i].name, cases[i].value);
        code = event_parse(parser, text.data, text.len, &event, &err);
        assert_int_equal(code, cases[i].sentence ? ERR_INVALID : ERR_OK);
        if (cases[i].sentence)
            assert_string_equal(err.msg, cases[i].sentence);
    }
    buf_release(&text);
}

static void test_a_url_stands_for_a_path(void **state)
{
    static const char with[] = "{\"site_id\":\"s\",\"event_type\":\"t\",\"url\":\"x\","
                               "\"timestamp\":\"2025-11-14T10:00:00Z\"}";
    static const char null[] = "{\"site_id\":\"s\",\"event_type\":\"t\",\"url\":null,"
                               "\"user_id\":1}";
    struct event event;
    struct err err;

    (void)state;
    assert_int_equal(event_parse(parser, with, strlen(with), &event, &err), ERR_OK);
    assert_null(event.path.bytes);
    assert_string_equal(event_text_of(&event, EVENT_MORE_URL).bytes, "x");
    assert_int_equal(event_parse(parser, null, strlen(null), &event, &err), ERR_INVALID);
    assert_string_equal(err.msg, "\"path\" is required");
}

static bool is_nothing(const struct event_text *text)
{
    return text->len == 0;
}

static void test_a_further_rule_is_judged_in_its_place(void **state)
{
    static const char text[] = "{\"site_id\":\"s\",\"event_type\":\"t\",\"hostname\":1,"
                               "\"url\":\"x\",\"timestamp\":\"2025-11-14T10:00:00Z\"}";
    struct event event;
    struct err err;

    (void)state;
    event_parser_check(parser, EVENT_MORE_URL, is_nothing, "must be a valid uri");
    assert_int_equal(event_parse(parser, text, strlen(text), &event, &err), ERR_INVALID);
    assert_string_equal(err.msg, "\"url\" must be a valid uri");
    event_parser_check(parser, EVENT_MORE_URL, NULL, NULL);
}

static void test_jobs_have_what_is_derived(void **state)
{
    static const char job[] =
        JOB_HEAD ",\"received_at\":\"2025-11-14T10:00:00.000Z\",\"source\":\"Google\","
                 "\"visitor_id\":\"fedcba9876543210\"}";
    static const char wrong[] = JOB_HEAD ",\"visitor_id\":\"fedcba987654321\"}";
    static const char input[] = JOB_HEAD ",\"ip\":\"::1\"}";
    struct event event;
    struct buf again;
    struct err err;

    (void)state;
    assert_int_equal(event_parse_job(parser, job, strlen(job), &event, &err), ERR_OK);
    assert_true(event.visitor_id == UINT64_C(0xfedcba9876543210));
    buf_init(&again, 4096);
    assert_int_equal(event_format_job(&event, &again), ERR_OK);
    assert_int_equal(again.len, strlen(job));
    assert_memory_equal(again.data, job, again.len);
    buf_release(&again);
    assert_int_equal(event_parse_job(parser, wrong, strlen(wrong), &event, &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "\"visitor_id\" must have 16 hexadecimal digits");
    assert_int_equal(event_parse_job(parser, input, strlen(input), &event, &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "\"ip\" is not allowed");
}

static void test_a_job_has_a_referrer_as_long_as_the_column(void **state)
{
    static const struct {
        int chars;
        enum err_code code;
    } cases[] = {{2048, ERR_OK}, {2049, ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct event event;
        struct buf job;
        struct err err;

        buf_init(&job, 16384);
        assert_int_equal(buf_add_text(&job, JOB_HEAD ",\"referrer\":\""), ERR_OK);
        for (int n = 0; n < cases[i].chars; n++)
            assert_int_equal(buf_add_text(&job, "\xc3\xa4"), ERR_OK);
        assert_int_equal(buf_add_text(&job, "\"}"), ERR_OK);
        assert_int_equal(event_parse(parser, job.data, job.len, &event, &err), ERR_OK);
        assert_int_equal(event_parse_job(parser, job.data, job.len, &event, &err),
                         cases[i].code);
        buf_release(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken_comes_back_from_its_job),
        cmocka_unit_test(test_what_is_wrong_is_refused_with_its_sentence),
        cmocka_unit_test(test_the_limits_of_props),
        cmocka_unit_test(test_a_url_stands_for_a_path),
        cmocka_unit_test(test_a_further_rule_is_judged_in_its_place),
        cmocka_unit_test(test_jobs_have_what_is_derived),
        cmocka_unit_test(test_a_job_has_a_referrer_as_long_as_the_column),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
