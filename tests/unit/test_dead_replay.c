/* test_dead_replay.c -- the job that a dead letter becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "processor/dead/letters.h"
#include "processor/dead/replay.h"
#include "shared/base/buf.h"
#include "shared/event/event.h"

#define EVENT_ID "0190a1b2-c3d4-7e5f-8a6b-000000000001"
#define REST                                                                             \
    "\"site_id\":\"s\",\"event_type\":\"e\",\"path\":\"/\",\"user_id\":null,"            \
    "\"timestamp\":\"2025-11-14T10:00:00.000Z\""
#define RECEIVED ",\"received_at\":\"2025-11-14T10:00:01.000Z\""

static struct letter sample(const char *payload)
{
    return (struct letter){
        .event_id = EVENT_ID,
        .payload = payload,
        .payload_len = strlen(payload),
        .payload_bytes = (int64_t)strlen(payload),
    };
}

/* What the letter becomes after what is in the buffer already; "" for nothing. */
static enum err_code make(const struct letter *letter, char *out, size_t size,
                          struct err *err)
{
    struct event_parser *parser = event_parser_new();
    struct buf jobs;
    enum err_code code;

    assert_non_null(parser);
    buf_init(&jobs, size);
    assert_int_equal(buf_add_text(&jobs, "before"), ERR_OK);
    code = dead_replay_job(parser, letter, &jobs, err);
    assert_true(jobs.len < size);
    memcpy(out, jobs.data + strlen("before"), jobs.len - strlen("before"));
    out[jobs.len - strlen("before")] = '\0';
    buf_release(&jobs);
    event_parser_free(parser);
    return code;
}

static void test_the_job_has_the_letters_event_id(void **state)
{
    static const char *const rows[][2] = {
        {"{\"event_id\":\"" EVENT_ID "\"," REST RECEIVED "}",
         "{\"event_id\":\"" EVENT_ID "\"," REST RECEIVED "}"}, /* the same bytes */
        {"{" REST "}", "{\"event_id\":\"" EVENT_ID "\"," REST "}"},
        {"{" REST ",\"event_id\":null}", "{\"event_id\":\"" EVENT_ID "\"," REST "}"},
        {" { " REST RECEIVED " } ", "{\"event_id\":\"" EVENT_ID "\"," REST RECEIVED "}"},
        {"{\"event_id\":\"0190A1B2-C3D4-7E5F-8A6B-000000000001\"," REST "}",
         "{\"event_id\":\"" EVENT_ID "\"," REST "}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct letter letter = sample(rows[i][0]);
        struct err err;
        char job[1024];

        assert_int_equal(make(&letter, job, sizeof(job), &err), ERR_OK);
        assert_string_equal(job, rows[i][1]);
    }
}

static void test_a_job_that_can_be_no_event_is_refused(void **state)
{
    struct letter rows[] = {sample("no JSON"), sample("{\"site_id\":\"s\"}"), sample(""),
                            sample("{" REST "}")};
    static const char *const reasons[] = {"JSON", "\"event_type\" is required",
                                          "\"site_id\" is required", "were kept"};

    (void)state;
    rows[3].payload_bytes++;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err;
        char job[1024];

        assert_int_equal(make(&rows[i], job, sizeof(job), &err), ERR_INVALID);
        assert_non_null(strstr(err.msg, reasons[i]));
        assert_string_equal(job, "");
    }
}

static void test_a_job_that_is_too_long_is_refused(void **state)
{
    static char text[EVENT_JOB_MAX + 2];
    struct letter letter;
    struct err err;
    char job[1024];

    (void)state;
    memset(text, ' ', sizeof(text) - 1);
    letter = sample(text);
    assert_int_equal(make(&letter, job, sizeof(job), &err), ERR_INVALID);
    assert_non_null(strstr(err.msg, "118784 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_job_has_the_letters_event_id),
        cmocka_unit_test(test_a_job_that_can_be_no_event_is_refused),
        cmocka_unit_test(test_a_job_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
