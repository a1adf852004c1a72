/* test_stats_rows.c -- rows of a stats statement, right ones and wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "reporting/report/stats.h"
#include "reporting/report/stats_rows.h"

enum {
    COLUMNS = 4,
    ROWS_MAX = STATS_PATHS_MAX + 1
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
            char copy[64] = "";
            if (text)
                memcpy(copy, text, strlen(text) + 1);
            assert_true(PQsetvalue(result, row, column, text ? copy : NULL,
                                   text ? (int)strlen(text) : -1));
        }
    }
    return result;
}

static void test_stats_rows_reads_totals_and_paths(void **state)
{
    cells rows[] = {{"12", "3", "/a", "7"}, {"12", "3", "", "5"}};
    PGresult *result = make_rows(rows, 2, COLUMNS);
    struct stats stats;
    struct err err = {0};

    (void)state;
    assert_int_equal(stats_rows_read(result, &stats, &err), ERR_OK);
    assert_int_equal(stats.total_views, 12);
    assert_int_equal(stats.unique_users, 3);
    assert_int_equal(stats.path_count, 2);
    assert_int_equal(stats.paths[0].len, 2);
    assert_memory_equal(stats.paths[0].path, "/a", 2);
    assert_int_equal(stats.paths[0].views, 7);
    assert_int_equal(stats.paths[1].len, 0);
    assert_int_equal(stats.paths[1].views, 5);
    PQclear(result);
}

static void test_stats_rows_reads_a_site_without_events(void **state)
{
    cells rows[] = {{"0", "0", NULL, NULL}};
    PGresult *result = make_rows(rows, 1, COLUMNS);
    struct stats stats;
    struct err err = {0};

    (void)state;
    assert_int_equal(stats_rows_read(result, &stats, &err), ERR_OK);
    assert_int_equal(stats.total_views, 0);
    assert_int_equal(stats.path_count, 0);
    PQclear(result);
}

static void test_stats_rows_takes_ten_paths_and_the_largest_number(void **state)
{
    cells rows[ROWS_MAX];
    struct stats stats;
    struct err err = {0};

    (void)state;
    for (int i = 0; i < ROWS_MAX; i++) {
        rows[i][0] = rows[i][1] = rows[i][3] = "9223372036854775807";
        rows[i][2] = "/p";
    }
    for (int count = 1; count <= ROWS_MAX; count++) {
        PGresult *result = make_rows(rows, count, COLUMNS);
        enum err_code code = stats_rows_read(result, &stats, &err);
        assert_int_equal(code, count > STATS_PATHS_MAX ? ERR_BUG : ERR_OK);
        if (!code) {
            assert_int_equal(stats.path_count, count);
            assert_true(stats.total_views == INT64_MAX);
        }
        PQclear(result);
    }
}

static void test_stats_rows_refuses_another_form(void **state)
{
    cells no_number[] = {{"x", "0", NULL, NULL}};
    cells too_large[] = {{"9223372036854775808", "0", NULL, NULL}};
    cells null_total[] = {{NULL, "0", "/", "1"}};
    cells null_views[] = {{"1", "1", "/", NULL}};
    cells trailing[] = {{"1", "1 ", "/", "1"}};
    cells second_null[] = {{"0", "0", NULL, NULL}, {"0", "0", NULL, NULL}};
    const struct {
        cells *rows;
        int count;
        int columns;
    } cases[] = {
        {no_number, 1, 4}, {too_large, 1, 4}, {null_total, 1, 4},  {null_views, 1, 4},
        {trailing, 1, 4},  {no_number, 0, 4}, {second_null, 2, 4}, {second_null, 1, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        PGresult *result = make_rows(cases[i].rows, cases[i].count, cases[i].columns);
        struct stats stats = {.total_views = -1};
        struct err err = {0};
        assert_int_equal(stats_rows_read(result, &stats, &err), ERR_BUG);
        assert_int_equal(stats.total_views, -1); /* untouched */
        PQclear(result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stats_rows_reads_totals_and_paths),
        cmocka_unit_test(test_stats_rows_reads_a_site_without_events),
        cmocka_unit_test(test_stats_rows_takes_ten_paths_and_the_largest_number),
        cmocka_unit_test(test_stats_rows_refuses_another_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
