/* test_event.c -- the rules of an event, each sentence of the HTTP contract to the letter,
 * and the canonical job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"

#define GOOD_SITE "\"site_id\":\"demo\""
#define GOOD_TYPE "\"event_type\":\"page_view\""
#define GOOD_PATH "\"path\":\"/\""
#define GOOD_TIME "\"timestamp\":\"2025-11-14T10:00:00Z\""
#define GOOD_HEAD "{" GOOD_SITE "," GOOD_TYPE "," GOOD_PATH
#define GOOD      GOOD_HEAD "," GOOD_TIME

/* The sentence that the text is refused with, or NULL. */
struct case_row {
    const char *text;
    const char *sentence;
};

static struct event_parser *parser;

static int set_up(void **state)
{
    (void)state;
    parser = event_parser_new();
    return parser ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    event_parser_free(parser);
    return 0;
}

static void check_rows(const struct case_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct event event;
        struct err err = {.msg = ""};
        enum err_code code =
            event_parse(parser, rows[i].text, strlen(rows[i].text), &event, &err);
        if (rows[i].sentence) {
            if (code != ERR_INVALID)
                print_error("accepted: %s\n", rows[i].text);
            assert_int_equal(code, ERR_INVALID);
            assert_string_equal(err.msg, rows[i].sentence);
        } else {
            if (code)
                print_error("%s: %s\n", rows[i].text, err.msg);
            assert_int_equal(code, ERR_OK);
        }
    }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_event_takes_what_the_contract_takes(void **state)
{
    static const struct case_row rows[] = {
        {GOOD "}", NULL},
        {GOOD ",\"user_id\":\"u1\"}", NULL},
        {GOOD ",\"user_id\":null}", NULL},
        {GOOD ",\"user_id\":\"\"}", NULL},
        {GOOD ",\"event_id\":null}", NULL},
        {GOOD ",\"event_id\":\"018F3C4E-0000-7000-8000-00000000abcd\"}", NULL},
        {" \t\r\n" GOOD "} \t\r\n", NULL},
        {"\xef\xbb\xbf" GOOD "}", NULL},
        {"{\"site_id\":\" \",\"event_type\":\"\\t\",\"path\":\"no slash\"," GOOD_TIME "}",
         NULL},
        {"{\"site_id\":1," GOOD_TYPE "," GOOD_PATH "," GOOD_TIME "," GOOD_SITE "}", NULL},
        {"{\"s\\u0069te_id\":\"demo\"," GOOD_TYPE "," GOOD_PATH "," GOOD_TIME "}", NULL},
        {GOOD ",\"user_id\":\"\\ud83d\\ude00 \xf0\x9f\x98\x80 \\u00e9 \\/\"}", NULL},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_names_what_is_missing(void **state)
{
    static const struct case_row rows[] = {
        {"", "\"site_id\" is required"},
        {"\xef\xbb\xbf", "\"site_id\" is required"},
        {"{}", "\"site_id\" is required"},
        {"{\"zzz\":1}", "\"site_id\" is required"},
        {"{" GOOD_SITE "}", "\"event_type\" is required"},
        {"{" GOOD_SITE "," GOOD_TYPE "}", "\"path\" is required"},
        {GOOD_HEAD "}", "\"timestamp\" is required"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_refuses_a_value_that_is_no_object(void **state)
{
    static const char sentence[] = "\"value\" must be of type object";
    static const struct case_row rows[] = {
        {"[]", sentence},   {"[{}]", sentence},  {"\"x\"", sentence}, {"12", sentence},
        {"true", sentence}, {"false", sentence}, {" null", sentence}, {"-1e5 ", sentence},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_refuses_other_types(void **state)
{
    static const char *const keys[] = {"site_id", "event_type", "path", "user_id",
                                       "timestamp"};
    static const char *const values[] = {"null", "1", "true", "{}", "[\"a\"]"};

    (void)state;
    for (size_t k = 0; k < 5; k++) {
        for (size_t v = 0; v < 5; v++) {
            char text[512];
            char sentence[64];
            struct case_row row = {text, sentence};
            (void)snprintf(text, sizeof(text), GOOD ",\"%s\":%s}", keys[k], values[v]);
            (void)snprintf(sentence, sizeof(sentence), "\"%s\" must be a string",
                           keys[k]);
            if (strcmp(keys[k], "user_id") == 0 && strcmp(values[v], "null") == 0)
                row.sentence = NULL;
            check_rows(&row, 1);
        }
    }
}

static void test_event_refuses_empty_strings(void **state)
{
    static const struct case_row rows[] = {
        {GOOD ",\"site_id\":\"\"}", "\"site_id\" is not allowed to be empty"},
        {GOOD ",\"event_type\":\"\"}", "\"event_type\" is not allowed to be empty"},
        {GOOD ",\"path\":\"\"}", "\"path\" is not allowed to be empty"},
        {GOOD ",\"timestamp\":\"\"}", "\"timestamp\" is not allowed to be empty"},
        {GOOD ",\"event_id\":\"\"}", "\"event_id\" must be a valid GUID"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_gives_the_first_broken_rule(void **state)
{
    static const struct case_row rows[] = {
        {"{\"zzz\":1,\"event_id\":1,\"timestamp\":1,\"user_id\":1,\"path\":1,"
         "\"event_type\":1,\"site_id\":1}",
         "\"site_id\" must be a string"},
        {"{\"zzz\":1,\"event_id\":1,\"timestamp\":1,\"user_id\":1,\"path\":1,"
         "\"event_type\":1," GOOD_SITE "}",
         "\"event_type\" must be a string"},
        {"{\"zzz\":1,\"event_id\":1,\"timestamp\":1,\"user_id\":1,\"path\":1," GOOD_TYPE
         "," GOOD_SITE "}",
         "\"path\" must be a string"},
        {GOOD ",\"zzz\":1,\"event_id\":1,\"timestamp\":1,\"user_id\":1}",
         "\"user_id\" must be a string"},
        {GOOD ",\"zzz\":1,\"event_id\":1,\"timestamp\":1}",
         "\"timestamp\" must be a string"},
        {GOOD ",\"zzz\":1,\"event_id\":1}", "\"event_id\" must be a valid GUID"},
        {GOOD ",\"zzz\":1,\"aaa\":2,\"1\":2}", "\"zzz\" is not allowed"},
        {GOOD ",\"__proto__\":{}}", "\"__proto__\" is not allowed"},
        {GOOD ",\"\":1}", "\"\" is not allowed"},
        {GOOD ",\"Site_id\":\"a\"}", "\"Site_id\" is not allowed"},
        {GOOD ",\"received_at\":\"2025-11-14\"}", "\"received_at\" is not allowed"},
        {GOOD ",\"a\\ud800b\":1}", "\"a?b\" is not allowed"},
        {GOOD ",\"timestamp\":\"yesterday\"}", "\"timestamp\" must be in iso format"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_refuses_what_no_string_can_hold(void **state)
{
    static const char nul[] = "must not contain the character \\u0000";
    static const char half[] = "must not contain a lone surrogate";
    static const char utf8[] = "must not contain invalid UTF-8";
    static const struct {
        const char *value;
        const char *complaint;
    } rows[] = {
        {"\"a\\u0000b\"", nul},
        {"\"\\u0000\"", nul},
        {"\"\\ud800\"", half},
        {"\"\\ud800\\ud800\"", half},
        {"\"\\udc00\\ud800\"", half},
        {"\"\\ud83dx\"", half},
        {"\"\xff\"", utf8},
        {"\"\xc3\"", utf8},
        {"\"\xc0\xaf\"", utf8},
        {"\"\xed\xa0\x80\"", utf8},
        {"\"\xf4\x90\x80\x80\"", utf8},
    };
    static const char *const keys[] = {"site_id", "event_type", "path", "user_id",
                                       "timestamp"};

    (void)state;
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            char text[512];
            char sentence[128];
            struct case_row row = {text, sentence};
            (void)snprintf(sentence, sizeof(sentence), "\"%s\" %s", keys[k],
                           rows[i].complaint);
            (void)snprintf(text, sizeof(text), GOOD ",\"%s\":%s}", keys[k],
                           rows[i].value);
            check_rows(&row, 1);
        }
    }
}

static void test_event_refuses_a_defect_in_a_duplicate_that_was_overridden(void **state)
{
    static const struct case_row rows[] = {
        {"{\"path\":\"\xff\"," GOOD_SITE "," GOOD_TYPE "," GOOD_PATH "," GOOD_TIME "}",
         "\"path\" must not contain invalid UTF-8"},
        {GOOD ",\"user_id\":\"\\ud800\",\"user_id\":null}",
         "\"user_id\" must not contain a lone surrogate"},
        {GOOD ",\"user_id\":[\"\\u0000\"],\"user_id\":\"\"}",
         "\"user_id\" must not contain the character \\u0000"},
        {GOOD ",\"event_id\":\"\\u0000\",\"event_id\":null}",
         "\"event_id\" must not contain the character \\u0000"},
        {GOOD ",\"event_id\":\"\\u0000\","
              "\"event_id\":\"018F3C4E-0000-7000-8000-00000000abcd\"}",
         "\"event_id\" must not contain the character \\u0000"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_counts_characters_not_bytes(void **state)
{
    static const struct {
        const char *key;
        int max;
    } rows[] = {{"site_id", 255}, {"event_type", 255}, {"user_id", 255}, {"path", 2048}};
    static const char *const characters[] = {"x", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                             "\\ud83d\\ude00", "\\u00e9"};
    static char text[65536];
    char sentence[128];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t c = 0; c < 5; c++) {
            for (int extra = 0; extra <= 1; extra++) {
                struct case_row row = {text, extra ? sentence : NULL};
                size_t len =
                    (size_t)snprintf(text, sizeof(text), GOOD ",\"%s\":\"", rows[i].key);
                for (int n = 0; n < rows[i].max + extra; n++)
                    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s",
                                            characters[c]);
                (void)snprintf(text + len, sizeof(text) - len, "\"}");
                (void)snprintf(
                    sentence, sizeof(sentence),
                    "\"%s\" length must be less than or equal to %d characters long",
                    rows[i].key, rows[i].max);
                check_rows(&row, 1);
            }
        }
    }
}

static void test_event_says_where_the_json_ends_to_be_json(void **state)
{
    static const struct case_row rows[] = {
        {" ", "body is not valid JSON: unexpected end at byte 1"},
        {"{", "body is not valid JSON: unexpected end at byte 1"},
        {"{\"a\":1,}", "body is not valid JSON: unexpected character at byte 7"},
        {"{} x", "body is not valid JSON: unexpected character at byte 3"},
        {"{'a':1}", "body is not valid JSON: unexpected character at byte 1"},
        {"{\"a\":01}", "body is not valid JSON: unexpected character at byte 6"},
        {"{\"a\":\"\t\"}",
         "body is not valid JSON: control character in a string at byte 6"},
        {"{\"a\":\"\\x\"}", "body is not valid JSON: invalid escape at byte 6"},
    };

    (void)state;
    CHECK_ROWS(rows);
}

static void test_event_cuts_a_long_unknown_key_between_characters(void **state)
{
    char text[4096];
    struct event event;
    struct err err;

    (void)state;
    for (int lead = 0; lead < 4; lead++) {
        size_t len = (size_t)snprintf(text, sizeof(text), GOOD ",\"%.*s", lead, "abcd");
        size_t shown;
        for (int i = 0; i < 500; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "\xf0\x9f\x98\x80");
        len += (size_t)snprintf(text + len, sizeof(text) - len, "\":1}");
        assert_int_equal(event_parse(parser, text, len, &event, &err), ERR_INVALID);
        shown = strlen(err.msg);
        assert_true(shown > 200 && shown < sizeof(err.msg) - 1);
        assert_string_equal(err.msg + shown - strlen("...\" is not allowed"),
                            "...\" is not allowed");
    }
}

static void test_event_formats_a_canonical_job(void **state)
{
    static const char text[] =
        "{\"timestamp\":\"2025-11-14T10:00:00.1239+05:30\",\"user_id\":\"\",\"path\":"
        "\"/\\u0001\\\"\\\\\\n\\ud83d\\ude00\",\"event_type\":\"view\",\"site_id\":\"a\","
        "\"event_id\":\"018F3C4E-0000-7000-8000-00000000ABCD\"}";
    static const char job[] =
        "{\"event_id\":\"018f3c4e-0000-7000-8000-00000000abcd\",\"site_id\":\"a\","
        "\"event_type\":\"view\",\"path\":\"/\\u0001\\\"\\\\\\n\xf0\x9f\x98\x80\","
        "\"user_id\":\"\",\"timestamp\":\"2025-11-14T04:30:00.123Z\","
        "\"received_at\":\"2025-11-14T10:00:00.000Z\"}";
    struct event event;
    struct event again;
    struct err err;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(event_parse(parser, text, strlen(text), &event, &err), ERR_OK);
    event.received_at_ms = INT64_C(1763114400000);
    assert_int_equal(event_format_job(&event, &out), ERR_OK);
    assert_int_equal(out.len, strlen(job));
    assert_memory_equal(out.data, job, out.len);
    assert_int_equal(event_parse_job(parser, out.data, out.len, &again, &err), ERR_OK);
    assert_int_equal(again.received_at_ms, event.received_at_ms);
    assert_int_equal(again.timestamp_ms, event.timestamp_ms);
    assert_true(again.has_event_id);
    assert_memory_equal(&again.event_id, &event.event_id, sizeof(event.event_id));
    assert_non_null(again.user_id.bytes);
    buf_release(&out);
}

static void test_event_of_a_null_user_has_no_text(void **state)
{
    struct event event;
    struct err err;
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(event_parse(parser, GOOD ",\"user_id\":null}",
                                 strlen(GOOD ",\"user_id\":null}"), &event, &err),
                     ERR_OK);
    assert_null(event.user_id.bytes);
    assert_false(event.has_event_id);
    assert_int_equal(event_format_job(&event, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, "{\"site_id\":\"demo\",\"event_type\":\"page_view\","
                                  "\"path\":\"/\",\"user_id\":null,"
                                  "\"timestamp\":\"2025-11-14T10:00:00.000Z\"}");
    buf_release(&out);
}

static void test_event_job_keeps_the_buffer_when_it_does_not_fit(void **state)
{
    struct event event;
    struct err err;
    struct buf out;
    enum err_code code;
    size_t limit = 4;

    (void)state;
    assert_int_equal(event_parse(parser, GOOD "}", strlen(GOOD "}"), &event, &err),
                     ERR_OK);
    do {
        buf_init(&out, limit++);
        assert_int_equal(buf_add_text(&out, "kept"), ERR_OK);
        code = event_format_job(&event, &out);
        if (code) {
            assert_int_equal(code, ERR_TOO_BIG);
            assert_int_equal(out.len, 4);
        }
        buf_release(&out);
    } while (code);
}

static void test_event_refuses_one_byte_past_the_body_limit(void **state)
{
    static char text[EVENT_BODY_MAX + 1];
    struct event event;
    struct err err;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, GOOD "}", strlen(GOOD "}"));
    assert_int_equal(event_parse(parser, text, EVENT_BODY_MAX, &event, &err), ERR_OK);
    assert_int_equal(event_parse(parser, text, sizeof(text), &event, &err), ERR_TOO_BIG);
}

static void test_event_parser_survives_each_failed_allocation(void **state)
{
    struct event_parser *made = NULL;
    long after = 0;

    (void)state;
    for (; !made; after++) {
        mem_fail_after(after);
        made = event_parser_new();
    }
    mem_fail_after(-1);
    assert_true(after > 3);
    event_parser_free(made);
    event_parser_free(NULL);
}

static void test_event_parse_allocates_nothing(void **state)
{
    struct event event;
    struct err err;

    (void)state;
    mem_fail_after(0);
    assert_int_equal(event_parse(parser, GOOD "}", strlen(GOOD "}"), &event, &err),
                     ERR_OK);
    mem_fail_after(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_takes_what_the_contract_takes),
        cmocka_unit_test(test_event_names_what_is_missing),
        cmocka_unit_test(test_event_refuses_a_value_that_is_no_object),
        cmocka_unit_test(test_event_refuses_other_types),
        cmocka_unit_test(test_event_refuses_empty_strings),
        cmocka_unit_test(test_event_gives_the_first_broken_rule),
        cmocka_unit_test(test_event_refuses_what_no_string_can_hold),
        cmocka_unit_test(test_event_refuses_a_defect_in_a_duplicate_that_was_overridden),
        cmocka_unit_test(test_event_counts_characters_not_bytes),
        cmocka_unit_test(test_event_says_where_the_json_ends_to_be_json),
        cmocka_unit_test(test_event_cuts_a_long_unknown_key_between_characters),
        cmocka_unit_test(test_event_formats_a_canonical_job),
        cmocka_unit_test(test_event_of_a_null_user_has_no_text),
        cmocka_unit_test(test_event_job_keeps_the_buffer_when_it_does_not_fit),
        cmocka_unit_test(test_event_refuses_one_byte_past_the_body_limit),
        cmocka_unit_test(test_event_parser_survives_each_failed_allocation),
        cmocka_unit_test(test_event_parse_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
