/* test_pg_err.c -- each SQLSTATE leads to the action that the design's table gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/pg/conn.h"

struct state_case {
    const char *sqlstate;
    const char *message;
    enum err_code code;
    enum err_action action;
};

static const struct state_case cases[] = {
    {NULL, "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"08006", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"57P01", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"57P02", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"57P03", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"57P05", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"25P03", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"40001", "", ERR_BUSY, ACTION_RETRY},
    {"40P01", "", ERR_BUSY, ACTION_RETRY},
    {"55P03", "", ERR_BUSY, ACTION_RETRY},
    {"55006", "", ERR_BUSY, ACTION_RETRY},
    {"53100", "", ERR_BUSY, ACTION_RETRY},
    {"53200", "", ERR_BUSY, ACTION_RETRY},
    {"53300", "", ERR_BUSY, ACTION_RETRY},
    {"58030", "", ERR_UNAVAILABLE, ACTION_RETRY},
    {"57014", "", ERR_TIMEOUT, ACTION_RETRY},
    {"25006", "", ERR_READ_ONLY, ACTION_RETRY},
    {"57P04", "", ERR_READ_ONLY, ACTION_RETRY},
    {"28000", "", ERR_DENIED, ACTION_HALT},
    {"28P01", "", ERR_DENIED, ACTION_HALT},
    {"3D000", "", ERR_CONFIG, ACTION_HALT},
    {"3F000", "", ERR_SCHEMA, ACTION_HALT},
    {"42P01", "", ERR_SCHEMA, ACTION_HALT},
    {"42703", "", ERR_SCHEMA, ACTION_HALT},
    {"42501", "", ERR_DENIED, ACTION_HALT},
    {"55000", "", ERR_SCHEMA, ACTION_HALT},
    {"23514", "no partition of relation \"events\" found for row", ERR_SCHEMA,
     ACTION_HALT},
    {"23514", "new row for relation \"events_default\" violates partition constraint",
     ERR_BUSY, ACTION_RETRY},
    {"23514", "new row for relation \"events\" violates check constraint \"c\"",
     ERR_INVALID, ACTION_ISOLATE},
    {"23505", "", ERR_DUPLICATE, ACTION_SKIP},
    {"XX000", "", ERR_BUG, ACTION_HALT},
    {"XX001", "", ERR_CORRUPT, ACTION_HALT},
    {"25P02", "", ERR_BUG, ACTION_HALT},
    {"0A000", "", ERR_BUG, ACTION_HALT},
    {"26000", "", ERR_BUG, ACTION_HALT},
    {"34000", "", ERR_BUG, ACTION_HALT},
    {"21000", "", ERR_BUG, ACTION_HALT},
    {"22021", "", ERR_INVALID, ACTION_ISOLATE},
    {"22P05", "", ERR_INVALID, ACTION_ISOLATE},
    {"22P02", "", ERR_INVALID, ACTION_ISOLATE},
    {"22P04", "", ERR_INVALID, ACTION_ISOLATE},
    {"22001", "", ERR_INVALID, ACTION_ISOLATE},
    {"22003", "", ERR_INVALID, ACTION_ISOLATE},
    {"22007", "", ERR_INVALID, ACTION_ISOLATE},
    {"22008", "", ERR_INVALID, ACTION_ISOLATE},
    {"23502", "", ERR_INVALID, ACTION_ISOLATE},
    {"23503", "", ERR_INVALID, ACTION_ISOLATE},
    {"54000", "", ERR_INVALID, ACTION_ISOLATE},
    {"54001", "", ERR_INVALID, ACTION_ISOLATE},
    {"P0001", "", ERR_INVALID, ACTION_ISOLATE},
};

static void test_each_sqlstate_leads_to_its_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum err_code code = pg_err_code(cases[i].sqlstate, cases[i].message);

        if (code != cases[i].code || err_action(code) != cases[i].action)
            fail_msg("SQLSTATE %s gave %s", cases[i].sqlstate ? cases[i].sqlstate : "-",
                     err_name(code));
    }
}

static void test_the_sqlstate_of_a_refused_login_is_found(void **state)
{
    char found[PG_SQLSTATE_LEN + 1];

    (void)state;
    pg_err_find_sqlstate("connection to server at \"127.0.0.1\", port 5432 failed: "
                         "FATAL:  28P01: password authentication failed for user \"x\"\n"
                         "LOCATION:  auth_failed, auth.c:335\n",
                         found);
    assert_string_equal(found, "28P01");
    pg_err_find_sqlstate("failed: FATAL:  the database system is starting up\n", found);
    assert_string_equal(found, "");
    pg_err_find_sqlstate("", found);
    assert_string_equal(found, "");
    pg_err_find_sqlstate("x:  ", found);
    assert_string_equal(found, "");
}

static void test_the_row_of_a_copy_error_is_found(void **state)
{
    (void)state;
    assert_int_equal(pg_err_find_line("COPY events, line 17"), 17);
    assert_int_equal(pg_err_find_line("COPY events, line 3, column path"), 3);
    assert_int_equal(pg_err_find_line("COPY events, Zeile 5"), 5);
    assert_int_equal(pg_err_find_line("PL/pgSQL function f() line 2 at RAISE\n"
                                      "COPY events, line 9"),
                     9);
    assert_int_equal(pg_err_find_line("COPY events"), 0);
    assert_int_equal(pg_err_find_line("COPY events, line"), 0);
    assert_int_equal(pg_err_find_line("SQL statement"), 0);
    assert_int_equal(pg_err_find_line(NULL), 0);
    assert_int_equal(pg_err_find_line("COPY e, line 99999999999999999999999"), 0);
}

static void test_a_broken_url_is_refused_without_its_password(void **state)
{
    static const char *const urls[] = {"postgres://u:geheim@h:port/db", "host=x geheim",
                                       "postgres://u:geheim@[::1/db"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct pg_conn_options options = {
            .url = urls[i], .application_name = "t", .connect_timeout_ms = 1000};
        PGconn *conn = NULL;
        struct err err;

        if (pg_conn_open(&options, &conn, &err) == ERR_OK)
            fail_msg("%s was accepted", urls[i]);
        assert_null(strstr(err.msg, "geheim"));
    }
}

static void test_a_refused_connection_is_an_outage(void **state)
{
    struct pg_conn_options options = {
        .url = "host=127.0.0.1 port=1 password=geheim",
        .application_name = "t",
        .connect_timeout_ms = 2000,
    };
    PGconn *conn = NULL;
    struct err err;

    (void)state;
    assert_int_equal(pg_conn_open(&options, &conn, &err), ERR_UNAVAILABLE);
    assert_null(strchr(err.msg, '\n'));
    assert_null(strstr(err.msg, "geheim"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_sqlstate_leads_to_its_action),
        cmocka_unit_test(test_the_sqlstate_of_a_refused_login_is_found),
        cmocka_unit_test(test_the_row_of_a_copy_error_is_found),
        cmocka_unit_test(test_a_broken_url_is_refused_without_its_password),
        cmocka_unit_test(test_a_refused_connection_is_an_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
