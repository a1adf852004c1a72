/* test_json.c -- what is JSON and what is not, by RFC 8259, and the tree of it.
 *
 * The cases follow JSONTestSuite's manner: y_ must be taken, n_ must be refused, and every
 * one of them is also cut at every byte and has every byte changed, which must never do
 * worse than a refusal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/text/json.h"

enum {
    TEXT_MAX = 4096
};

static struct json_parser *parser;

static int set_up(void **state)
{
    (void)state;
    parser = json_parser_new(TEXT_MAX);
    return parser ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    json_parser_free(parser);
    return 0;
}

/* Parses a copy of exactly len bytes on the heap, so that a read past the end is found. */
static enum err_code parse(const char *bytes, size_t len, const cJSON **ret_root,
                           struct err *err)
{
    char *copy = malloc(len ? len : 1);
    enum err_code code;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    code = json_parse(parser, "text", copy, len, ret_root, err);
    free(copy);
    return code;
}

static const char *const good[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "12345678901234567890",
    "0.0",
    "-0.5",
    "1.25",
    "1e1",
    "1E1",
    "1e+1",
    "1e-1",
    "0e0",
    "-0.0E-0",
    "1e999",
    "\"\"",
    "\"a\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"",
    "\"\x7f\"",
    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
    "[]",
    "{}",
    " [ ] ",
    "\t{\r}\n",
    "[1]",
    "[1,2,3]",
    " [ 1 , 2 ] ",
    "[[],{}]",
    "[[[[[]]]]]",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"\":0}",
    " { \"a\" : 1 , \"b\" : [ ] } ",
    "{\"a\":{\"b\":{\"c\":[{}]}}}",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\xff\"",
    "\"\xed\xa0\x80\"",
    "{\"a\\u0000\":1}",
};

static const char *const wrong[] = {
    "",
    " ",
    "nul",
    "nulL",
    "Null",
    "nullx",
    "null null",
    "tru",
    "True",
    "truee",
    "fals",
    "undefined",
    "NaN",
    "Infinity",
    "-Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "00",
    ".5",
    "-.5",
    "1.",
    "-1.",
    "1.e1",
    "1e",
    "1e+",
    "1E-",
    "1e1.5",
    "0x1",
    "1_000",
    "1 2",
    "1,",
    "--1",
    "1-",
    "1a",
    "1.2.3",
    "\"",
    "\"a",
    "a\"",
    "'a'",
    "\"\\\"",
    "\"\\",
    "\"\\a\"",
    "\"\\U0041\"",
    "\"\\u\"",
    "\"\\u1\"",
    "\"\\u12\"",
    "\"\\u123\"",
    "\"\\u12g4\"",
    "\"\\u-123\"",
    "\"\\u 123\"",
    "\"\\x41\"",
    "\"\\'\"",
    "\"\\\n\"",
    "\"a\nb\"",
    "\"\t\"",
    "\"\x1f\"",
    "\"\r\"",
    "\"a\" \"b\"",
    "\"a\",",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1 2]",
    "[1}",
    "[}",
    "[]]",
    "[][]",
    "[1:2]",
    "[a]",
    "{",
    "}",
    "{]",
    "{,}",
    "{1:1}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{\"a\",1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\"::1}",
    "{\"a\":1,,\"b\":2}",
    "{a:1}",
    "{'a':1}",
    "{null:1}",
    "{\"a\":1}}",
    "{}{}",
    "{} x",
    "{\"a\":1]",
    "{[]:1}",
    "{\"a\":01}",
    "// c\n1",
    "/* c */ 1",
    "1 // c",
    "# c\n1",
    "\f1",
    "\v1",
    "1\f",
    "\302\2401",
    "\357\273\2771",
    "\xff",
    "\342\200\2501",
    "[\xff]",
    "{\"a\":\xff}",
    "\\u005b]",
    "<a>",
    "*",
    "\x7f",
    "\x01",
    "[1,\x01]",
    "\"\\ud800\\\"",
    "\"\\ud800\\u\"",
    "\"\\ud800\\ud80\"",
};

static void test_json_takes_what_is_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        const cJSON *root;
        struct err err = {.msg = ""};
        if (parse(good[i], strlen(good[i]), &root, &err))
            fail_msg("%s: %s", good[i], err.msg);
    }
}

static void test_json_refuses_what_is_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const cJSON *root;
        struct err err = {.msg = ""};
        if (parse(wrong[i], strlen(wrong[i]), &root, &err) != ERR_INVALID)
            fail_msg("accepted: %s", wrong[i]);
        assert_memory_equal(err.msg, "text is not valid JSON: ", 24);
        assert_non_null(strstr(err.msg, " at byte "));
    }
}

static void test_json_refuses_nul_bytes_anywhere(void **state)
{
    static const char text[] = "{\"ab\":\"cd\",\"e\":[1.5,true]}";
    size_t len = strlen(text);

    (void)state;
    for (size_t at = 0; at <= len; at++) {
        char with[64];
        const cJSON *root;
        struct err err;
        memcpy(with, text, at);
        with[at] = '\0';
        memcpy(with + at + 1, text + at, len - at);
        assert_int_equal(parse(with, len + 1, &root, &err), ERR_INVALID);
    }
}

/* Whatever is taken has a tree; whatever is not has a sentence.  Nothing else happens. */
static void check_sane(const char *text, size_t len)
{
    const cJSON *root = NULL;
    struct err err = {.msg = ""};
    enum err_code code = parse(text, len, &root, &err);

    if (code) {
        assert_int_equal(code, ERR_INVALID);
        assert_non_null(strstr(err.msg, " at byte "));
    } else {
        assert_non_null(root);
    }
}

static void check_cuts_and_changes(const char *text)
{
    static const char bytes[] = "\"\\{}[],:0-.eu \n\x1f\x7f\x80\xc3\xf0\xff";
    size_t len = strlen(text);
    char changed[128];

    assert_true(len < sizeof(changed));
    for (size_t at = 0; at <= len; at++) {
        check_sane(text, at);
        check_sane(text + at, len - at);
        for (size_t b = 0; b < sizeof(bytes) && at < len; b++) {
            memcpy(changed, text, len);
            changed[at] = bytes[b];
            check_sane(changed, len);
        }
    }
}

static void test_json_survives_cuts_and_changed_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        check_cuts_and_changes(good[i]);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        check_cuts_and_changes(wrong[i]);
}

static void test_json_of_any_two_bytes_is_taken_or_refused(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            const char text[] = {(char)a, (char)b};
            check_sane(text, 2);
        }
    }
}

static size_t nest(char *text, size_t depth, const char *open, const char *close)
{
    size_t len = 0;

    for (size_t i = 0; i < depth; i++)
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s", open);
    len += (size_t)snprintf(text + len, TEXT_MAX - len, "1");
    for (size_t i = 0; i < depth; i++)
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s", close);
    return len;
}

static void test_json_nests_so_deep_and_no_deeper(void **state)
{
    char text[TEXT_MAX];
    const cJSON *root;
    struct err err;

    (void)state;
    assert_int_equal(parse(text, nest(text, JSON_DEPTH_MAX, "[", "]"), &root, &err),
                     ERR_OK);
    assert_int_equal(parse(text, nest(text, JSON_DEPTH_MAX, "{\"a\":", "}"), &root, &err),
                     ERR_OK);
    assert_int_equal(parse(text, nest(text, JSON_DEPTH_MAX + 1, "[", "]"), &root, &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "text is not valid JSON: too deeply nested at byte 32");
    assert_int_equal(
        parse(text, nest(text, JSON_DEPTH_MAX + 1, "{\"a\":", "}"), &root, &err),
        ERR_INVALID);
    assert_int_equal(parse(text, nest(text, 700, "[", "]"), &root, &err), ERR_INVALID);
}

static void test_json_tree_has_members_in_order_and_deep_containers_emptied(void **state)
{
    static const char text[] =
        " { \"a\" : \"x\\u0041\" , \"b\" : [ 1 , \"]\" ] , \"a\" : "
        "{ \"c\" : \"}\" , \"n\" : { \"o\" : 1 } , \"p\" : [ 2 ] } , \"d\" : -1.5e3 , "
        "\"e\" : null } ";
    static const char *const keys[] = {"a", "b", "a", "d", "e"};
    const cJSON *root;
    const cJSON *item;
    struct err err;

    (void)state;
    assert_int_equal(parse(text, strlen(text), &root, &err), ERR_OK);
    assert_true(cJSON_IsObject(root));
    item = root->child;
    for (size_t i = 0; i < 5; i++, item = item->next) {
        assert_non_null(item);
        assert_string_equal(item->string, keys[i]);
    }
    assert_null(item);
    item = root->child;
    assert_string_equal(item->valuestring, "xA");
    item = item->next;
    assert_true(cJSON_IsArray(item) && !item->child);
    item = item->next;
    assert_true(cJSON_IsObject(item));
    assert_string_equal(item->child->valuestring, "}");
    assert_true(cJSON_IsObject(item->child->next) && !item->child->next->child);
    assert_true(cJSON_IsArray(item->child->prev) && !item->child->prev->child);
    item = item->next;
    assert_true(cJSON_IsNumber(item) && item->valuedouble == -1500);
    assert_true(cJSON_IsNull(item->next));
}

static void test_json_remembers_the_defects_of_each_member(void **state)
{
    static const char text[] = "{\"a\":\"fine\",\"b\":\"\\u0000\\ud800\",\"c\":\"\xff\","
                               "\"d\":[{\"x\":\"\\udfff\"}],"
                               "\"\\u0000e\":\"fine\",\"f\":[\"\\ud800\",\"\xff\"],\"g\":"
                               "{\"\\u0000\":1},\"h\":0}";
    static const enum json_defect want[] = {
        JSON_DEFECT_NONE, JSON_DEFECT_NUL,       JSON_DEFECT_UTF8, JSON_DEFECT_SURROGATE,
        JSON_DEFECT_NONE, JSON_DEFECT_SURROGATE, JSON_DEFECT_NUL,  JSON_DEFECT_NONE,
    };
    const cJSON *root;
    struct err err;

    (void)state;
    assert_int_equal(parse(text, strlen(text), &root, &err), ERR_OK);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
        assert_int_equal(json_member_defect(parser, i), want[i]);
    assert_int_equal(json_member_defect(parser, 8), JSON_DEFECT_NONE);
    assert_string_equal(root->child->next->valuestring, "??");
}

static void test_json_holds_the_fullest_object_of_its_size(void **state)
{
    /* The most members, the most strings, the longest string and the longest number. */
    static const char *const patterns[] = {"\"\":1,", "\"\":\"\",", "\"a\":\"b\",",
                                           "\"\":[],"};
    char text[TEXT_MAX + 1];
    const cJSON *root;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        size_t step = strlen(patterns[i]);
        size_t len = 1;
        int members = 0;
        text[0] = '{';
        for (; len + step <= TEXT_MAX; len += step, members++)
            memcpy(text + len, patterns[i], step);
        text[len - 1] = '}';
        assert_int_equal(parse(text, len, &root, &err), ERR_OK);
        assert_int_equal(cJSON_GetArraySize(root), members);
    }
    memset(text, '1', sizeof(text));
    assert_int_equal(parse(text, TEXT_MAX, &root, &err), ERR_OK);
    assert_int_equal(parse(text, TEXT_MAX + 1, &root, &err), ERR_TOO_BIG);
    assert_string_equal(err.msg, "text is larger than 4096 bytes");
    text[0] = text[TEXT_MAX - 1] = '"';
    assert_int_equal(parse(text, TEXT_MAX, &root, &err), ERR_OK);
    assert_int_equal(strlen(root->valuestring), TEXT_MAX - 2);
}

static void test_json_parser_survives_each_failed_allocation(void **state)
{
    struct json_parser *made = NULL;
    long after = 0;

    (void)state;
    for (; !made; after++) {
        mem_fail_after(after);
        made = json_parser_new(100);
    }
    mem_fail_after(-1);
    assert_int_equal(after, 5); /* itself, scratch, defects, arena: four can fail */
    json_parser_free(made);
    json_parser_free(NULL);
}

static void test_json_leaves_the_trees_of_others_alone(void **state)
{
    static const char text[] = "{\"b\":\"overwritten\",\"c\":\"overwritten\"}";
    const cJSON *root;
    struct err err;
    cJSON *other;

    (void)state;
    assert_int_equal(parse("1", 1, &root, &err), ERR_OK);
    other = cJSON_Parse("{\"a\":\"kept\"}"); /* with our hooks, outside of a parse */
    assert_non_null(other);
    assert_int_equal(parse(text, strlen(text), &root, &err), ERR_OK);
    assert_string_equal(other->child->valuestring, "kept");
    cJSON_Delete(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_takes_what_is_json),
        cmocka_unit_test(test_json_refuses_what_is_none),
        cmocka_unit_test(test_json_refuses_nul_bytes_anywhere),
        cmocka_unit_test(test_json_survives_cuts_and_changed_bytes),
        cmocka_unit_test(test_json_of_any_two_bytes_is_taken_or_refused),
        cmocka_unit_test(test_json_nests_so_deep_and_no_deeper),
        cmocka_unit_test(test_json_tree_has_members_in_order_and_deep_containers_emptied),
        cmocka_unit_test(test_json_remembers_the_defects_of_each_member),
        cmocka_unit_test(test_json_holds_the_fullest_object_of_its_size),
        cmocka_unit_test(test_json_parser_survives_each_failed_allocation),
        cmocka_unit_test(test_json_leaves_the_trees_of_others_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
