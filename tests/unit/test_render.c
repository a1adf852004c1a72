/* test_render.c -- the answers of reports from the rows of their statements, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "reporting/report/render.h"
#include "reporting/report/report.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum {
    BYTES_MAX = 65536,
    COLUMNS = 4,
    PATHS = 10
};

typedef const char *cells[COLUMNS]; /* NULL is SQL's null */

static PGresult *make_rows(cells *rows, int count, int columns)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc attributes[COLUMNS] = {{0}};
    char name[] = "column";

    assert_non_null(result);
    for (int i = 0; i < columns; i++)
        attributes[i].name = name;
    assert_true(PQsetResultAttrs(result, columns, attributes));
    for (int row = 0; row < count; row++) {
        for (int column = 0; column < columns; column++) {
            const char *text = rows[row][column];
            /* copied: libpq takes a pointer that is not const, and only reads */
            char copy[4096] = "";
            if (text)
                memcpy(copy, text, strlen(text) + 1);
            assert_true(PQsetvalue(result, row, column, text ? copy : NULL,
                                   text ? (int)strlen(text) : -1));
        }
    }
    return result;
}

static struct ask asked(const char *site_id, const char *date)
{
    struct ask ask = {.texts[ASK_SITE_ID] = {site_id, strlen(site_id)}};

    if (date)
        ask.texts[ASK_DATE] = (struct ask_text){date, strlen(date)};
    return ask;
}

static enum err_code render_stats(const struct ask *ask, const PGresult *rows,
                                  struct buf *out)
{
    struct err err = {0};
    enum err_code code = render_json(report_get(STATEMENT_STATS), ask, rows, out, &err);

    assert_int_equal(code, err.code);
    return code;
}

static void check_render(const char *site_id, const char *date, cells *rows, int count,
                         const char *expected)
{
    PGresult *result = make_rows(rows, count, COLUMNS);
    struct ask ask = asked(site_id, date);
    struct buf out;

    buf_init(&out, BYTES_MAX);
    assert_int_equal(render_stats(&ask, result, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, expected);
    buf_release(&out);
    PQclear(result);
}

static void test_render_shows_the_contracts_example(void **state)
{
    cells rows[] = {{"1", "1", "/", "1"}};

    (void)state;
    check_render("demo", NULL, rows, 1,
                 "{\"site_id\":\"demo\",\"date\":null,\"total_views\":1,"
                 "\"unique_users\":1,\"top_paths\":[{\"path\":\"/\",\"views\":1}]}");
}

static void test_render_shows_zeros_for_an_unknown_site(void **state)
{
    cells rows[] = {{"0", "0", NULL, NULL}};

    (void)state;
    check_render("nobody", "2025-11-14", rows, 1,
                 "{\"site_id\":\"nobody\",\"date\":\"2025-11-14\",\"total_views\":0,"
                 "\"unique_users\":0,\"top_paths\":[]}");
}

static void test_render_keeps_the_order_and_the_largest_numbers(void **state)
{
    cells rows[] = {{"9223372036854775807", "9007199254740993", "/b", "3"},
                    {"9223372036854775807", "9007199254740993", "/a", "2"},
                    {"9223372036854775807", "9007199254740993", "", "-1"}};

    (void)state;
    check_render("s", NULL, rows, 3,
                 "{\"site_id\":\"s\",\"date\":null,\"total_views\":9223372036854775807,"
                 "\"unique_users\":9007199254740993,\"top_paths\":["
                 "{\"path\":\"/b\",\"views\":3},{\"path\":\"/a\",\"views\":2},"
                 "{\"path\":\"\",\"views\":-1}]}");
}

static void test_render_escapes_what_users_sent(void **state)
{
    cells rows[] = {{"0", "0", "/\"quoted\\\n</script>\xC3\xA4\xF0\x9F\x98\x80", "1"}};

    (void)state;
    check_render("\",\"x\":\"", NULL, rows, 1,
                 "{\"site_id\":\"\\\",\\\"x\\\":\\\"\",\"date\":null,\"total_views\":0,"
                 "\"unique_users\":0,\"top_paths\":[{\"path\":\"/\\\"quoted\\\\\\n"
                 "</script>\xC3\xA4\xF0\x9F\x98\x80\",\"views\":1}]}");
}

static void test_render_refuses_rows_of_another_form(void **state)
{
    cells no_number[] = {{"x", "0", NULL, NULL}};
    cells too_long[] = {{"10000000000000000000", "0", NULL, NULL}};
    cells sign_alone[] = {{"-", "0", NULL, NULL}};
    cells null_total[] = {{NULL, "0", "/", "1"}};
    cells null_views[] = {{"1", "1", "/", NULL}};
    cells trailing[] = {{"1", "1 ", "/", "1"}};
    cells second_null[] = {{"0", "0", NULL, NULL}, {"0", "0", NULL, NULL}};
    const struct {
        cells *rows;
        int count;
        int columns;
    } cases[] = {
        {no_number, 1, 4},  {too_long, 1, 4},    {sign_alone, 1, 4},
        {null_total, 1, 4}, {null_views, 1, 4},  {trailing, 1, 4},
        {no_number, 0, 4},  {second_null, 2, 4}, {second_null, 1, 3},
    };
    struct ask ask = asked("site", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PGresult *result = make_rows(cases[i].rows, cases[i].count, cases[i].columns);
        struct buf out;
        buf_init(&out, BYTES_MAX);
        assert_int_equal(render_stats(&ask, result, &out), ERR_BUG);
        buf_release(&out);
        PQclear(result);
    }
}

static PGresult *make_full(const char *path)
{
    cells rows[PATHS];

    for (int i = 0; i < PATHS; i++) {
        rows[i][0] = "10";
        rows[i][1] = rows[i][3] = "1";
        rows[i][2] = path;
    }
    return make_rows(rows, PATHS, COLUMNS);
}

/* The 1st, 2nd, 3rd ... allocation fails, until there is none left to fail. */
static void test_render_reports_every_failed_allocation(void **state)
{
    static char path[4000];
    struct ask ask = asked("site", "2025-11-14");
    enum err_code code = ERR_NOMEM;
    long failures = -1;
    PGresult *rows;

    (void)state;
    memset(path, 'p', sizeof(path) - 1);
    rows = make_full(path);
    while (code) {
        struct buf out;
        buf_init(&out, BYTES_MAX);
        mem_fail_after(++failures);
        code = render_stats(&ask, rows, &out);
        mem_fail_after(-1);
        if (code)
            assert_int_equal(code, ERR_NOMEM);
        buf_release(&out);
        assert_true(failures < 100);
    }
    assert_true(failures > 2);
    PQclear(rows);
}

static void test_render_stops_at_the_limit_of_the_buffer(void **state)
{
    struct ask ask = asked("site", NULL);
    PGresult *rows = make_full("/some/path");
    struct buf out;
    size_t len;

    (void)state;
    buf_init(&out, BYTES_MAX);
    assert_int_equal(render_stats(&ask, rows, &out), ERR_OK);
    len = out.len;
    buf_release(&out);
    for (size_t max_bytes = 0; max_bytes < len; max_bytes++) {
        buf_init(&out, max_bytes);
        assert_int_equal(render_stats(&ask, rows, &out), ERR_TOO_BIG);
        buf_release(&out);
    }
    buf_init(&out, len);
    assert_int_equal(render_stats(&ask, rows, &out), ERR_OK);
    buf_release(&out);
    PQclear(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render_shows_the_contracts_example),
        cmocka_unit_test(test_render_shows_zeros_for_an_unknown_site),
        cmocka_unit_test(test_render_keeps_the_order_and_the_largest_numbers),
        cmocka_unit_test(test_render_escapes_what_users_sent),
        cmocka_unit_test(test_render_refuses_rows_of_another_form),
        cmocka_unit_test(test_render_reports_every_failed_allocation),
        cmocka_unit_test(test_render_stops_at_the_limit_of_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
