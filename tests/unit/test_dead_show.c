/* test_dead_show.c -- dead letters as a table, in full, and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "processor/dead/letters.h"
#include "processor/dead/show.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"

#define EVENT_ID "0190a1b2-c3d4-7e5f-8a6b-000000000001"

static struct letter sample(const char *payload)
{
    return (struct letter){
        .created_at = "2025-11-14T10:00:00.123Z",
        .event_id = EVENT_ID,
        .site_id = "shop",
        .sqlstate = "P0001",
        .reason = "no \"good\"",
        .batch_id = "b",
        .batch_place = "7",
        .payload_bytes = (int64_t)strlen(payload),
        .payload = payload,
        .payload_len = strlen(payload),
        .identity = "[]",
    };
}

static void close_text(struct buf *out)
{
    assert_int_equal(buf_add(out, "", 1), ERR_OK);
}

static void test_nothing_moves_the_cursor_or_turns_the_text(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *shown;
        size_t width;
    } rows[] = {
        {"plain", 5, "plain", 5},
        {"", 0, "", 0},
        {"a\\b\n\r\t", 6, "a\\\\b\\n\\r\\t", 10},
        {"\x1b[2J\a\x7f\0", 7, "\\x1b[2J\\x07\\x7f\\x00", 19},
        {"\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80", 9,
         "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80", 3},
        {"\xc2\x9b"
         "31m",
         5, "\\xc2\\x9b31m", 11}, /* CSI in one character */
        {"\xe2\x80\xae"
         "x",
         4, "\\xe2\\x80\\xaex", 13},                         /* right to left */
        {"\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6", 12},          /* isolate */
        {"\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8", 12},          /* line separator */
        {"\xef\xbb\xbf", 3, "\\xef\\xbb\\xbf", 12},          /* byte order mark */
        {"e\xcc\x81", 3, "e\\xcc\\x81", 9},                  /* a combining accent */
        {"\xf3\xa0\x81\x81", 4, "\\xf3\\xa0\\x81\\x81", 16}, /* a tag */
        {"\xff\xc3", 2, "\\xff\\xc3", 8},           /* not UTF-8, and cut short */
        {"\xed\xa0\x80", 3, "\\xed\\xa0\\x80", 12}, /* a surrogate */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;
        size_t width;

        buf_init(&out, 1024);
        assert_int_equal(
            dead_show_escaped(&out, rows[i].bytes, rows[i].len, SIZE_MAX, &width),
            ERR_OK);
        close_text(&out);
        assert_string_equal(out.data, rows[i].shown);
        assert_int_equal(width, rows[i].width);
        buf_release(&out);
    }
}

static void test_a_text_is_cut_between_two_characters(void **state)
{
    static const char *const cut[] = {
        "", "a", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4\\n", "a\xc3\xa4\\nb"};

    (void)state;
    for (size_t max = 0; max < sizeof(cut) / sizeof(cut[0]); max++) {
        struct buf out;

        buf_init(&out, 1024);
        assert_int_equal(dead_show_escaped(&out, "a\xc3\xa4\nb", 5, max, NULL), ERR_OK);
        close_text(&out);
        assert_string_equal(out.data, cut[max]);
        buf_release(&out);
    }
}

/* Columns of a line; the payload, the last, begins at the same place in each. */
static void check_row(const struct letter *letter, const char *wanted_end)
{
    struct buf out;
    char *payload;

    buf_init(&out, 4096);
    assert_int_equal(dead_show_head(&out), ERR_OK);
    close_text(&out);
    payload = strstr(out.data, "payload");
    assert_non_null(payload);
    {
        size_t at = (size_t)(payload - out.data);

        buf_clear(&out);
        assert_int_equal(dead_show_row(&out, letter), ERR_OK);
        close_text(&out);
        assert_string_equal(out.data + at, wanted_end);
        assert_memory_equal(out.data + at - 2, "  ", 2);
    }
    buf_release(&out);
}

static void test_rows_are_aligned_and_what_is_cut_says_so(void **state)
{
    char long_text[200];
    struct letter letter = sample("{}");

    (void)state;
    check_row(&letter, "{}\n");
    letter.site_id = NULL;
    letter.sqlstate = NULL;
    check_row(&letter, "{}\n");
    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    letter.site_id = long_text;
    letter.reason = long_text;
    check_row(&letter, "{}\n");
    letter = sample(long_text);
    check_row(&letter, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..\n");
    long_text[DEAD_SHOW_PREVIEW] = '\0';
    letter = sample(long_text);
    check_row(&letter, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    letter = sample("ab");
    letter.payload_bytes = 3; /* the page has the beginning only */
    check_row(&letter, "ab..\n");
}

static void test_the_whole_letter(void **state)
{
    struct letter letter = sample("{\n}");
    struct buf out;

    (void)state;
    letter.sqlstate = NULL;
    letter.payload_bytes = 9;
    buf_init(&out, 4096);
    assert_int_equal(dead_show_whole(&out, &letter), ERR_OK);
    close_text(&out);
    assert_string_equal(out.data,
                        "event_id      " EVENT_ID "\n"
                        "failed at     2025-11-14T10:00:00.123Z\n"
                        "site_id       shop\n"
                        "reason        no \"good\"\n"
                        "sqlstate      -\n"
                        "batch_id      b\n"
                        "batch_place   7\n"
                        "payload       9 bytes, of which the first 3 were kept\n"
                        "  {\\n}\n\n");
    buf_release(&out);
}

static void test_json(void **state)
{
    static const char head[] =
        "{\"event_id\":\"" EVENT_ID "\",\"created_at\":\"2025-11-14T10:00:00.123Z\","
        "\"site_id\":\"shop\",\"reason\":\"no \\\"good\\\"\","
        "\"sqlstate\":\"P0001\",\"batch_id\":\"b\","
        "\"batch_place\":7,\"payload_bytes\":2,";
    static const char *const payloads[][2] = {{"{}", "\"payload\":\"{}\"}\n"},
                                              {"\xff\n", "\"payload_hex\":\"ff0a\"}\n"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct letter letter = sample(payloads[i][0]);
        struct buf out;

        buf_init(&out, 4096);
        assert_int_equal(dead_show_json(&out, &letter), ERR_OK);
        close_text(&out);
        assert_memory_equal(out.data, head, strlen(head));
        assert_string_equal(out.data + strlen(head), payloads[i][1]);
        buf_release(&out);
    }
}

static void test_a_buffer_that_is_full_is_an_error(void **state)
{
    struct letter letter = sample("\xff");

    (void)state;
    for (size_t max = 0; max < 200; max++) {
        struct buf out;

        buf_init(&out, max);
        assert_int_equal(dead_show_json(&out, &letter), ERR_TOO_BIG);
        buf_clear(&out);
        assert_int_equal(dead_show_whole(&out, &letter), ERR_TOO_BIG);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_moves_the_cursor_or_turns_the_text),
        cmocka_unit_test(test_a_text_is_cut_between_two_characters),
        cmocka_unit_test(test_rows_are_aligned_and_what_is_cut_says_so),
        cmocka_unit_test(test_the_whole_letter),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_a_buffer_that_is_full_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
