/* test_json_items.c -- the items of a text that has many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/text/json.h"
#include "shared/text/json_items.h"

enum {
    TEXT_MAX = 4096
};

static void add(char *out, const char *bytes, size_t len)
{
    size_t at = strlen(out);

    assert_true(at + len < TEXT_MAX);
    memcpy(out + at, bytes, len);
    out[at + len] = '\0';
}

/* All items, each followed by a bar, then the sentence if there was an error. */
static void read_all(struct json_items *items, char *out)
{
    struct json_item item;
    struct err err;
    enum err_code code;

    *out = '\0';
    while ((code = json_items_next(items, &item, &err)) == ERR_OK && item.bytes) {
        add(out, item.bytes, item.len);
        add(out, "|", 1);
    }
    if (code) {
        assert_int_equal(code, ERR_INVALID);
        add(out, err.msg, strlen(err.msg));
    }
    assert_int_equal(json_items_next(items, &item, &err), ERR_OK);
    assert_null(item.bytes);
}

static void check_text(const char *text, const char *expected)
{
    struct json_items items;
    char found[TEXT_MAX];

    json_items_init(&items, "batch", text, strlen(text));
    read_all(&items, found);
    assert_string_equal(found, expected);
}

static void check_lines(const char *text, const char *expected)
{
    struct json_items items;
    char found[TEXT_MAX];

    json_items_init_lines(&items, text, strlen(text));
    read_all(&items, found);
    assert_string_equal(found, expected);
}

#define BAD "body is not valid JSON: "

static void test_items_of_a_json_text(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \r\n\t", ""},
        {"[]", ""},
        {" [ ] ", ""},
        {"{\"batch\":[]}", ""},
        {"[1]", "1|"},
        {"\xef\xbb\xbf[1]", "1|"},
        {"[ 1 , -0.5e+3 ,\"a\",true,false , null]", "1|-0.5e+3|\"a\"|true|false|null|"},
        {"[{\"a\":[1,{}]},[[],{\"b\":{}}] ]", "{\"a\":[1,{}]}|[[],{\"b\":{}}]|"},
        {"[\"],[\\\"\\\\\",\"\\u00e9}\"]", "\"],[\\\"\\\\\"|\"\\u00e9}\"|"},
        {"{ \"batch\" : [ {\"a\" : 1 } , {} ] } ", "{\"a\" : 1 }|{}|"},
        {"{\"a\":1,\"batch\":[2]}", "2|\"a\" is not allowed"},
        {"{\"batch\":[2],\"a\":[[1]],\"b\":2}", "2|\"a\" is not allowed"},
        {"{}", "\"batch\" is required"},
        {"{\"a\":{}}", "\"batch\" is required"},
        {"{\"batch\":{\"batch\":[1]}}", "\"batch\" must be an array"},
        {"{\"batch\":[1],\"batch\":[2]}", "1|\"batch\" must not be given twice"},
        {"7", "\"value\" must be an array"},
        {"\"[]\"", "\"value\" must be an array"},
        {"7 7", BAD "unexpected character at byte 2"},
        {"[", BAD "unexpected end at byte 1"},
        {"[1", "1|" BAD "unexpected end at byte 2"},
        {"[1,]", "1|" BAD "unexpected character at byte 3"},
        {"[,1]", BAD "unexpected character at byte 1"},
        {"[1 2]", "1|" BAD "unexpected character at byte 3"},
        {"[1]]", "1|" BAD "unexpected character at byte 3"},
        {"[{]", BAD "unexpected character at byte 2"},
        {"[[}]", BAD "unexpected character at byte 2"},
        {"[{\"a\"}]", BAD "unexpected character at byte 5"},
        {"[{\"a\":1,}]", BAD "unexpected character at byte 8"},
        {"[{\"a\":1 \"b\":2}]", BAD "unexpected character at byte 8"},
        {"[{1:2}]", BAD "unexpected character at byte 2"},
        {"[01]", "0|" BAD "unexpected character at byte 2"},
        {"[1.]", BAD "unexpected character at byte 3"},
        {"[+1]", BAD "unexpected character at byte 1"},
        {"[tru]", BAD "unexpected character at byte 4"},
        {"[\"\\x\"]", BAD "invalid escape at byte 2"},
        {"[\"\\u12g4\"]", BAD "invalid escape at byte 2"},
        {"[\"a\nb\"]", BAD "control character in a string at byte 3"},
        {"[\"a", BAD "unexpected end at byte 3"},
        {"[\"a\\", BAD "unexpected end at byte 4"},
        {"{\"batch\":[1]", "1|" BAD "unexpected end at byte 12"},
        {"{\"batch\":[1],}", "1|" BAD "unexpected character at byte 13"},
        {"{\"batch\" [1]}", BAD "unexpected character at byte 9"},
        {"{,\"batch\":[1]}", BAD "unexpected character at byte 1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_text(cases[i][0], cases[i][1]);
}

static void test_items_of_lines(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"\n\r\n \t\n", ""},
        {"{}", "{}|"},
        {"{}\n", "{}|"},
        {"\xef\xbb\xbf{}\r\n\r\n [1] \r\n", "{}|[1]|"},
        {"{\n}\nnonsense", "{|}|nonsense|"},
        {"a\rb\n", "a\rb|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_lines(cases[i][0], cases[i][1]);
}

static void test_the_depth_of_an_item_is_bounded(void **state)
{
    char text[TEXT_MAX] = "[";
    char expected[TEXT_MAX] = "";

    (void)state;
    for (size_t i = 0; i < 2 * (size_t)JSON_DEPTH_MAX; i++) {
        const char *bracket = i < JSON_DEPTH_MAX ? "[" : "]";
        add(text, bracket, 1);
        add(expected, bracket, 1);
    }
    add(text, "]", 1);
    add(expected, "|", 1);
    check_text(text, expected);
    memset(text, '[', JSON_DEPTH_MAX + 2);
    check_text(text, BAD "too deeply nested at byte 33");
}

static void test_a_long_key_is_cut_in_its_sentence(void **state)
{
    char text[TEXT_MAX] = "{\"batch\":[],\"";
    char expected[TEXT_MAX] = "\"";

    (void)state;
    memset(text + strlen(text), 'k', 600);
    add(text, "\":1}", 4);
    memset(expected + 1, 'k', 256);
    add(expected, "...\" is not allowed", 19);
    check_text(text, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_of_a_json_text),
        cmocka_unit_test(test_items_of_lines),
        cmocka_unit_test(test_the_depth_of_an_item_is_bounded),
        cmocka_unit_test(test_a_long_key_is_cut_in_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
