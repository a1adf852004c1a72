/* test_event_peer.c -- the event parser beside the suite it replaces.
 *
 * The answers are those that the original stack (express.json and Joi) gave when it was run
 * on these bodies; where the HTTP contract departs from it the row says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/event/event.h"

/* What one value is for one field. */
enum answer {
    OK,
    TYPE,  /* must be a string */
    EMPTY, /* is not allowed to be empty */
    ISO,   /* must be in iso format */
    JSON,  /* the whole body is no JSON */
};

struct value_row {
    const char *json;
    enum answer text; /* of site_id, event_type and path */
    enum answer user_id;
    enum answer timestamp;
};

static const struct value_row values[] = {
    {"null", TYPE, OK, TYPE},
    {"true", TYPE, TYPE, TYPE},
    {"false", TYPE, TYPE, TYPE},
    {"0", TYPE, TYPE, TYPE},
    {"-0", TYPE, TYPE, TYPE},
    {"1", TYPE, TYPE, TYPE},
    {"-1.5e3", TYPE, TYPE, TYPE},
    {"1E+2", TYPE, TYPE, TYPE},
    {"0.0", TYPE, TYPE, TYPE},
    {"1e999", TYPE, TYPE, TYPE},
    {"[]", TYPE, TYPE, TYPE},
    {"{}", TYPE, TYPE, TYPE},
    {"[1,[2,{\"a\":\"b\"}]]", TYPE, TYPE, TYPE},
    {"{\"a\":{\"b\":[]}}", TYPE, TYPE, TYPE},
    {"\"\"", EMPTY, OK, EMPTY},
    {"\" \"", OK, OK, ISO},
    {"\"x\"", OK, OK, ISO},
    {"\"\\n\"", OK, OK, ISO},
    {"\"\\u0041\"", OK, OK, ISO},
    {"\"\\ud83d\\ude00\"", OK, OK, ISO},
    {"\"\303\251\"", OK, OK, ISO},
    {"\"\\/\"", OK, OK, ISO},
    {"\"\177\"", OK, OK, ISO},
    {"\"\342\200\250\"", OK, OK, ISO},
    {"\"2025-11-14\"", OK, OK, OK},
    {"\"\\u0032025-11-14\"", OK, OK, OK},
    {"\" 2025-11-14\"", OK, OK, ISO},
    {"\"2025-11-14\\t10:00\"", OK, OK, OK},
    {"\"2025-02-29\"", OK, OK, ISO}, /* differs: the original moves it to March */
    {"\"12\"", OK, OK, ISO},
    {"\"null\"", OK, OK, ISO},
    {"\"{{#label}}\"", OK, OK, ISO},
    {"\"<b>\"", OK, OK, ISO},
    {"01", JSON, JSON, JSON},
    {"-01", JSON, JSON, JSON},
    {"1.", JSON, JSON, JSON},
    {".5", JSON, JSON, JSON},
    {"-", JSON, JSON, JSON},
    {"+1", JSON, JSON, JSON},
    {"1e", JSON, JSON, JSON},
    {"1e+", JSON, JSON, JSON},
    {"0x10", JSON, JSON, JSON},
    {"1_0", JSON, JSON, JSON},
    {"tru", JSON, JSON, JSON},
    {"nul", JSON, JSON, JSON},
    {"NaN", JSON, JSON, JSON},
    {"Infinity", JSON, JSON, JSON},
    {"undefined", JSON, JSON, JSON},
    {"", JSON, JSON, JSON},
    {"\"\\x\"", JSON, JSON, JSON},
    {"\"\\u12\"", JSON, JSON, JSON},
    {"\"\\U0041\"", JSON, JSON, JSON},
    {"\"\\u00zz\"", JSON, JSON, JSON},
    {"\"a", JSON, JSON, JSON},
    {"'a'", JSON, JSON, JSON},
    {"\"\t\"", JSON, JSON, JSON},
    {"\"\n\"", JSON, JSON, JSON},
    {"\"\\\"", JSON, JSON, JSON},
    {"{", JSON, JSON, JSON},
    {"[", JSON, JSON, JSON},
    {"}", JSON, JSON, JSON},
    {"]", JSON, JSON, JSON},
    {"[1,]", JSON, JSON, JSON},
    {"[,]", JSON, JSON, JSON},
    {"{\"a\":1,}", JSON, JSON, JSON},
    {"{\"a\"}", JSON, JSON, JSON},
    {"{a:1}", JSON, JSON, JSON},
    {"{1:1}", JSON, JSON, JSON},
    {"1 2", JSON, JSON, JSON},
    {"\"a\" \"b\"", JSON, JSON, JSON},
    {"1,", JSON, JSON, JSON},
    {"// c\n1", JSON, JSON, JSON},
    {"/* c */1", JSON, JSON, JSON},
    {"1 /* c */", JSON, JSON, JSON},
    {"\f1", JSON, JSON, JSON},
    {"\302\2401", JSON, JSON, JSON},
};

struct field_row {
    const char *name;
    const char *good;
};

static const struct field_row fields[] = {
    {"site_id", "\"demo\""},
    {"event_type", "\"v\""},
    {"path", "\"/\""},
    {"user_id", "\"u\""},
    {"timestamp", "\"2025-11-14T10:00:00Z\""},
};

enum {
    FIELDS = sizeof(fields) / sizeof(fields[0]),
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

static enum answer answer_of(const struct value_row *row, size_t field)
{
    return field < 3 ? row->text : field == 3 ? row->user_id : row->timestamp;
}

/* A good body but for one field. */
static void write_body(char *body, size_t size, size_t field, const char *json)
{
    size_t len = 0;

    for (size_t i = 0; i < FIELDS; i++)
        len += (size_t)snprintf(body + len, size - len, "%c\"%s\":%s", i ? ',' : '{',
                                fields[i].name, i == field ? json : fields[i].good);
    (void)snprintf(body + len, size - len, "}");
}

static void check_value(const struct value_row *row, size_t field)
{
    static const char *const complaints[] = {[TYPE] = "must be a string",
                                             [EMPTY] = "is not allowed to be empty",
                                             [ISO] = "must be in iso format"};
    enum answer answer = answer_of(row, field);
    char body[512];
    char want[128];
    struct event event;
    struct err err = {.msg = ""};

    write_body(body, sizeof(body), field, row->json);
    if (event_parse(parser, body, strlen(body), &event, &err) !=
        (answer == OK ? ERR_OK : ERR_INVALID))
        fail_msg("%s: %s", body, err.msg);
    if (answer == JSON) {
        assert_memory_equal(err.msg, "body is not valid JSON: ", 24);
    } else if (answer != OK) {
        (void)snprintf(want, sizeof(want), "\"%s\" %s", fields[field].name,
                       complaints[answer]);
        assert_string_equal(err.msg, want);
    }
}

static void test_event_answers_to_each_value_as_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (size_t field = 0; field < FIELDS; field++)
            check_value(&values[i], field);
    }
}

#define SITE "\"site_id\":\"demo\""
#define KIND "\"event_type\":\"v\""
#define PATH "\"path\":\"/\""
#define TIME "\"timestamp\":\"2025-11-14T10:00:00Z\""
#define ALL  SITE "," KIND "," PATH "," TIME

/* In the place of a sentence: an HTML page in the original, ours says where. */
static const char not_json[] = "body is not valid JSON: ";

static const struct {
    const char *body;
    const char *sentence; /* NULL: taken */
} bodies[] = {
    {"{" ALL "}", NULL},
    {"{" TIME "," PATH "," KIND "," SITE "}", NULL},
    {"{" ALL ",\"user_id\":\"u\"}", NULL},
    {"\357\273\277{" ALL "}", NULL},
    {" {" ALL "} ", NULL},
    {"\015\n\t{" ALL "}\015\n\t", NULL},
    {"", "\"site_id\" is required"},
    {" ", not_json},
    {"\357\273\277", "\"site_id\" is required"},
    {"{}", "\"site_id\" is required"},
    {"{ }", "\"site_id\" is required"},
    {"[]", "\"value\" must be of type object"},
    {"\"x\"", "\"value\" must be of type object"}, /* differs: HTML */
    {"null", "\"value\" must be of type object"},  /* differs: HTML */
    {"[{" ALL "}]", "\"value\" must be of type object"},
    {"{" ALL "}{}", not_json},
    {"{" ALL "},", not_json},
    {"{" ALL "} x", not_json},
    {"{" ALL ",}", not_json},
    {"{," ALL "}", not_json},
    {"{" ALL, not_json},
    {ALL, not_json},
    {ALL "}", not_json},
    {"{\"a\":{" ALL "}}", "\"site_id\" is required"},
    {"{" KIND "}", "\"site_id\" is required"},
    {"{" SITE "}", "\"event_type\" is required"},
    {"{" SITE "," KIND "}", "\"path\" is required"},
    {"{" SITE "," KIND "," PATH "}", "\"timestamp\" is required"},
    {"{" KIND "," PATH "," TIME "}", "\"site_id\" is required"},
    {"{\"zzz\":1}", "\"site_id\" is required"},
    {"{" ALL ",\"zzz\":1}", "\"zzz\" is not allowed"},
    {"{\"zzz\":1," ALL "}", "\"zzz\" is not allowed"},
    {"{" ALL ",\"zzz\":1,\"yyy\":2}", "\"zzz\" is not allowed"},
    {"{" ALL ",\"zzz\":null}", "\"zzz\" is not allowed"},
    {"{" ALL ",\"Site_id\":\"x\"}", "\"Site_id\" is not allowed"},
    {"{" ALL ",\"site_id \":\"x\"}", "\"site_id \" is not allowed"},
    {"{" ALL ",\"a\\\"b\":1}", "\"a\"b\" is not allowed"},
    {"{" ALL ",\"a.b\":1}", "\"a.b\" is not allowed"},
    {"{" ALL ",\"a\\nb\":1}", "\"a\nb\" is not allowed"},
    {"{" ALL ",\"\\u0061\":1}", "\"a\" is not allowed"},
    {"{" ALL ",\"constructor\":1}", "\"constructor\" is not allowed"},
    {"{" ALL ",\"toString\":1}", "\"toString\" is not allowed"},
    {"{" ALL ",\"\303\251\":1}", "\"\303\251\" is not allowed"},
    {"{" ALL ",\"path\":1}", "\"path\" must be a string"},
    {"{\"path\":1," ALL "}", NULL},
    {"{" ALL ",\"path\":\"\"}", "\"path\" is not allowed to be empty"},
    {"{\"path\":\"\"," ALL "}", NULL},
    {"{\"user_id\":1," ALL ",\"user_id\":null}", NULL},
    {"{" ALL ",\"user_id\":null,\"user_id\":1}", "\"user_id\" must be a string"},
    {"{\"s\\u0069te_id\":\"demo\"," KIND "," PATH "," TIME "}", NULL},
    {"{\"user_id\":1}", "\"site_id\" is required"},
    {"{\"site_id\":1,\"event_type\":1}", "\"site_id\" must be a string"},
    {"{\"site_id\":\"\",\"zzz\":1}", "\"site_id\" is not allowed to be empty"},
    {"{\"event_type\":\"\",\"site_id\":1}", "\"site_id\" must be a string"},
    {"{\"timestamp\":\"x\",\"path\":1," KIND ",\"site_id\":\"s\"}",
     "\"path\" must be a string"},
    {"{\"timestamp\":\"x\",\"user_id\":1," SITE "," KIND "," PATH "}",
     "\"user_id\" must be a string"},
    {"{" SITE "," KIND "," PATH ",\"timestamp\":\"x\",\"zzz\":1}",
     "\"timestamp\" must be in iso format"},
    {"\036{" ALL "}", not_json},
    {"\302\240{" ALL "}", not_json},
    {"{" ALL ",\"__proto__\":1}", "\"__proto__\" is not allowed"}, /* original: taken */
    {"{" ALL ",\"\":1}", "\"\" is not allowed"}, /* original: "value" is not allowed */
    {"{" ALL ",\"zzz\":1,\"1\":2}", "\"zzz\" is not allowed"}, /* original: "1" */
};

static void test_event_answers_to_each_body_as_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct event event;
        struct err err = {.msg = ""};
        const char *want = bodies[i].sentence;
        enum err_code code =
            event_parse(parser, bodies[i].body, strlen(bodies[i].body), &event, &err);
        if ((code == ERR_OK) != (want == NULL))
            fail_msg("%s: %s", bodies[i].body, err.msg);
        if (want == not_json)
            assert_memory_equal(err.msg, not_json, strlen(not_json));
        else if (want)
            assert_string_equal(err.msg, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_answers_to_each_value_as_the_original),
        cmocka_unit_test(test_event_answers_to_each_body_as_the_original),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
