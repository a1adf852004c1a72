/* test_export_row.c -- rows of COPY as lines of CSV and NDJSON, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/export/row.h"
#include "shared/base/buf.h"

enum {
    BYTES_MAX = 65536,
    ROW_SIZE = 512
};

static struct row_columns columns_of(enum row_kind kind, bool is_csv)
{
    struct row_columns columns = {.is_csv = is_csv, .count = 2};

    columns.at[0].name[0] = 'a';
    columns.at[0].kind = kind;
    columns.at[1].name[0] = 'b';
    columns.at[1].kind = ROW_NUMBER;
    return columns;
}

static enum err_code make(const struct row_columns *columns, const char *cell,
                          struct buf *out)
{
    char row[ROW_SIZE];
    size_t len = strlen(cell);

    memcpy(row, cell, len);
    memcpy(row + len, "\t7\n", 3);
    buf_init(out, BYTES_MAX);
    return row_add(columns, row, len + 3, out);
}

static void check(enum row_kind kind, const char *cell, bool is_csv, const char *expected)
{
    struct row_columns columns = columns_of(kind, is_csv);
    struct buf out;

    assert_int_equal(make(&columns, cell, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void test_each_cell_has_its_two_forms(void **state)
{
    static const struct {
        enum row_kind kind;
        const char *cell;
        const char *csv;
        const char *json;
    } cases[] = {
        {ROW_TEXT, "/a", "/a", "\"/a\""},
        {ROW_TEXT, "\\N", "", "null"},
        {ROW_TEXT, "", "\"\"", "\"\""},
        {ROW_TEXT, "\\\\N", "\\N", "\"\\\\N\""},
        {ROW_TEXT, "a\\tb\\nc\\rd\\be\\ff\\vg\\\\", "\"a\tb\nc\rd\be\ff\vg\\\"",
         "\"a\\tb\\nc\\rd\\be\\ff\\u000bg\\\\\""},
        {ROW_TEXT, "say \"a\", b", "\"say \"\"a\"\", b\"", "\"say \\\"a\\\", b\""},
        {ROW_TEXT, "=1", "'=1", "\"=1\""},
        {ROW_TEXT, "+1", "'+1", "\"+1\""},
        {ROW_TEXT, "-1", "'-1", "\"-1\""},
        {ROW_TEXT, "@a,b", "\"'@a,b\"", "\"@a,b\""},
        {ROW_NUMBER, "-5", "-5", "-5"},
        {ROW_NUMBER, "\\N", "", "null"},
        {ROW_TIME, "2025-11-14 10:00:00+00", "2025-11-14T10:00:00.000Z",
         "\"2025-11-14T10:00:00.000Z\""},
        {ROW_TIME, "2025-11-14 10:00:00.5+00", "2025-11-14T10:00:00.500Z",
         "\"2025-11-14T10:00:00.500Z\""},
        {ROW_TIME, "2025-11-14 10:00:00.123456+00", "2025-11-14T10:00:00.123456Z",
         "\"2025-11-14T10:00:00.123456Z\""},
        {ROW_TIME, "infinity", "infinity", "\"infinity\""},
        {ROW_JSON, "{\"a\": \"b\\\\nc\"}", "\"{\"\"a\"\": \"\"b\\nc\"\"}\"",
         "{\"a\": \"b\\nc\"}"},
        {ROW_ID64, "-1", "ffffffffffffffff", "\"ffffffffffffffff\""},
        {ROW_ID64, "9223372036854775807", "7fffffffffffffff", "\"7fffffffffffffff\""},
        {ROW_ID64, "\\N", "", "null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[ROW_SIZE];
        (void)snprintf(expected, sizeof(expected), "%s,7\r\n", cases[i].csv);
        check(cases[i].kind, cases[i].cell, true, expected);
        (void)snprintf(expected, sizeof(expected), "{\"a\":%s,\"b\":7}\n", cases[i].json);
        check(cases[i].kind, cases[i].cell, false, expected);
    }
}

static void test_the_header_names_the_columns_of_csv_alone(void **state)
{
    struct row_columns columns = columns_of(ROW_TEXT, true);
    struct buf out;

    (void)state;
    buf_init(&out, BYTES_MAX);
    assert_int_equal(row_add_header(&columns, &out), ERR_OK);
    assert_int_equal(out.len, strlen("a,b\r\n"));
    assert_memory_equal(out.data, "a,b\r\n", out.len);
    buf_clear(&out);
    columns.is_csv = false;
    assert_int_equal(row_add_header(&columns, &out), ERR_OK);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

static void test_a_row_of_another_form_is_refused(void **state)
{
    struct row_columns columns = columns_of(ROW_ID64, true);
    struct buf out;

    (void)state;
    assert_int_equal(make(&columns, "no number", &out), ERR_BUG);
    buf_release(&out);
    assert_int_equal(make(&columns, "1\t2", &out), ERR_BUG);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_cell_has_its_two_forms),
        cmocka_unit_test(test_the_header_names_the_columns_of_csv_alone),
        cmocka_unit_test(test_a_row_of_another_form_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
