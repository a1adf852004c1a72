/* test_json_out.c -- JSON out: escapes, invalid bytes, and all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/text/json.h"
#include "shared/text/json_plain.h"

enum {
    TEXT_MAX = 4096
};

static void test_json_strings_are_escaped(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *json;
    } rows[] = {
        {"", 0, "\"\""},
        {NULL, 0, "\"\""},
        {"abc", 3, "\"abc\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
         "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"a\377b", 3, "\"a\357\277\275b\""},
        {"\xc3", 1, "\"\xef\xbf\xbd\""},
        {"\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xe2\x80\xa8", 3, "\"\xe2\x80\xa8\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;
        buf_init(&out, TEXT_MAX);
        assert_int_equal(json_add_string(&out, rows[i].bytes, rows[i].len), ERR_OK);
        assert_int_equal(out.len, strlen(rows[i].json));
        assert_memory_equal(out.data, rows[i].json, out.len);
        buf_release(&out);
    }
}

static void test_json_strings_come_back_as_they_were(void **state)
{
    struct json_parser *parser = json_parser_new(TEXT_MAX);

    (void)state;
    assert_non_null(parser);
    for (int c = 1; c < 128; c++) {
        const char bytes[] = {'<', (char)c, '>', '\0'};
        const struct cJSON *root;
        struct err err;
        struct buf out;
        buf_init(&out, TEXT_MAX);
        assert_int_equal(json_add_string(&out, bytes, 3), ERR_OK);
        assert_int_equal(json_parse(parser, "text", out.data, out.len, &root, &err),
                         ERR_OK);
        assert_string_equal(root->valuestring, bytes);
        buf_release(&out);
    }
    json_parser_free(parser);
}

static void test_json_error_is_an_object_with_a_sentence(void **state)
{
    static const char want[] = "{\"error\":\"\\\"zzz\\\" is not allowed\"}";
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    assert_int_equal(json_add_error(&out, "\"zzz\" is not allowed"), ERR_OK);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.data, want, out.len);
    buf_release(&out);
}

static void test_json_appends_all_or_nothing(void **state)
{
    static const char bytes[] = "a\n\x01\xff\xc3\xa9";
    struct buf out;
    enum err_code code;
    size_t limit = 4;

    (void)state;
    do {
        buf_init(&out, limit++);
        assert_int_equal(buf_add_text(&out, "kept"), ERR_OK);
        code = json_add_string(&out, bytes, strlen(bytes));
        assert_int_equal(code == ERR_OK, out.len > 4);
        if (code)
            assert_int_equal(json_add_error(&out, bytes), ERR_TOO_BIG);
        assert_int_equal(code == ERR_OK, out.len > 4);
        buf_release(&out);
    } while (code);
    buf_init(&out, TEXT_MAX);
    mem_fail_after(0);
    assert_int_equal(json_add_error(&out, bytes), ERR_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

/* Every byte at every place of texts that are read eight bytes at once, with another
 * special byte after it. */
static void test_json_plain_text_ends_at_the_first_special_byte(void **state)
{
    enum {
        LEN = 21
    };
    char text[LEN];

    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < LEN; at++) {
            memset(text, 'a', LEN);
            text[LEN - 1] = '"';
            text[at] = (char)byte;
            if (json_is_plain((unsigned char)byte))
                assert_int_equal(json_plain_len(text, LEN),
                                 at == LEN - 1 ? LEN : LEN - 1);
            else
                assert_int_equal(json_plain_len(text, LEN), at);
            assert_true(json_plain_len(text, at) == at); /* up to the end, not beyond */
        }
    }
}

static void test_json_string_takes_the_size_that_was_foretold(void **state)
{
    char bytes[3];
    char out[3 * 6 + 2];

    (void)state;
    for (int i = 0; i < 256 * 256; i++) {
        bytes[0] = (char)(i & 0xff);
        bytes[1] = (char)(i >> 8);
        bytes[2] = 'x';
        for (size_t len = 1; len <= sizeof(bytes); len++)
            assert_ptr_equal(json_put_string(out, bytes, len),
                             out + json_string_size(bytes, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_strings_are_escaped),
        cmocka_unit_test(test_json_strings_come_back_as_they_were),
        cmocka_unit_test(test_json_error_is_an_object_with_a_sentence),
        cmocka_unit_test(test_json_appends_all_or_nothing),
        cmocka_unit_test(test_json_plain_text_ends_at_the_first_special_byte),
        cmocka_unit_test(test_json_string_takes_the_size_that_was_foretold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
