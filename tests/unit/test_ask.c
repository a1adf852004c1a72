/* test_ask.c -- the parameters of reports, from the query string to the value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/params.h"
#include "reporting/report/report.h"
#include "reporting/report/resolve.h"
#include "shared/base/buf.h"
#include "shared/text/query.h"

/* Reads text as the daemon does; the value borrows from *query. */
static enum err_code read_text(const char *text, struct query *query,
                               struct ask *ret_read, struct err *err)
{
    enum err_code code = query_parse(text, query, err);

    return code ? code
                : params_read(report_get(STATEMENT_STATS)->params, query, ret_read, err);
}

static void test_ask_reads_what_the_contract_allows(void **state)
{
    static const struct {
        const char *text;
        const char *site_id;
        const char *date; /* NULL: all time */
        bool is_exact;
    } cases[] = {
        {"site_id=demo", "demo", NULL, false},
        {"site_id=demo&date=", "demo", NULL, false},
        {"site_id=demo&date=2025-11-14", "demo", "2025-11-14", false},
        {"date=2025-11-14&site_id=demo", "demo", "2025-11-14", false},
        {"site_id=demo&date=2024-02-29", "demo", "2024-02-29", false},
        {"site_id=demo&date=2000-02-29", "demo", "2000-02-29", false},
        {"site_id=demo&date=0001-01-01", "demo", "0001-01-01", false},
        {"site_id=demo&date=9999-12-31", "demo", "9999-12-31", false},
        {"site_id=demo&date=2025%2D11-14", "demo", "2025-11-14", false},
        {"site_id=demo&exact=true", "demo", NULL, true},
        {"site_id=demo&exact=false", "demo", NULL, false},
        {"site_id=demo&date=2025-11-14&exact=true", "demo", "2025-11-14", true},
        {"site_id=demo&other=1&date=2025-01-31", "demo", "2025-01-31", false},
        {"site_id=demo&SITE_ID=x", "demo", NULL, false},
        {"site_id=%20", " ", NULL, false},
        {"site_id=a+b%26c%3Dd", "a b&c=d", NULL, false},
        {"site_id=%27%3B+DROP+TABLE+events%3B--", "'; DROP TABLE events;--", NULL, false},
        {"site_id=%F0%9F%98%80", "\xF0\x9F\x98\x80", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct query query;
        struct ask read;
        struct err err = {0};
        if (read_text(cases[i].text, &query, &read, &err))
            fail_msg("%s: %s", cases[i].text, err.msg);
        assert_string_equal(read.texts[ASK_SITE_ID].bytes, cases[i].site_id);
        assert_int_equal(read.is_exact, cases[i].is_exact);
        if (!cases[i].date)
            assert_null(read.texts[ASK_DATE].bytes);
        else
            assert_string_equal(read.texts[ASK_DATE].bytes, cases[i].date);
    }
}

static void test_ask_refuses_with_the_contracts_sentence(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } cases[] = {
        {"", "site_id required"},
        {"site_id=", "site_id required"},
        {"site_id", "site_id required"},
        {"date=2025-11-14", "site_id required"},
        {"Site_id=demo", "site_id required"},
        {"site_id=&date=x&exact=x", "site_id required"},
        {"site_id=demo&date=x&exact=x", "date must be YYYY-MM-DD"},
        {"site_id=demo&exact=", "exact must be true or false"},
        {"site_id=demo&exact=1", "exact must be true or false"},
        {"site_id=demo&exact=TRUE", "exact must be true or false"},
        {"site_id=demo&exact=true%20", "exact must be true or false"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct query query;
        struct ask read;
        struct err err = {0};
        assert_int_equal(read_text(cases[i].text, &query, &read, &err), ERR_INVALID);
        assert_string_equal(err.msg, cases[i].sentence);
    }
}

static void test_ask_refuses_what_is_no_real_day(void **state)
{
    static const char *const dates[] = {
        "2025-02-29", "1900-02-29",         "2025-04-31",      "2025-13-01",
        "2025-00-10", "2025-01-00",         "2025-01-32",      "0000-01-01",
        "2025-1-1",   "20251114",           "2025/11/14",      "2025-11-14T00:00:00Z",
        "-001-01-01", "12025-01-01",        "today",           "infinity",
        "-infinity",  "2025-11-14%20",      "%202025-11-14",   "2025-W46-5",
        "2025-11-1a", "+025-11-14",         "2025-11-1%C2%B2", "epoch",
        "2025-11--4", "%EF%BC%92025-11-14",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        char text[128];
        struct query query;
        struct ask read;
        struct err err = {0};
        (void)snprintf(text, sizeof(text), "site_id=demo&date=%s", dates[i]);
        if (read_text(text, &query, &read, &err) != ERR_INVALID)
            fail_msg("%s was taken", dates[i]);
        assert_string_equal(err.msg, "date must be YYYY-MM-DD");
    }
}

/* The calendar, once more and in another way: a day is real when counting reaches it. */
static void test_ask_knows_every_day_of_four_centuries(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    long taken = 0;

    (void)state;
    for (int year = 1601; year <= 2000; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= 31; day++) {
                char text[64];
                struct query query;
                struct ask read;
                struct err err = {0};
                bool is_read;
                (void)snprintf(text, sizeof(text), "site_id=x&date=%04d-%02d-%02d", year,
                               month, day);
                is_read = read_text(text, &query, &read, &err) == ERR_OK;
                taken += is_read;
                if (day <= lengths[month - 1] && !is_read)
                    fail_msg("%s was refused", text);
            }
        }
    }
    assert_int_equal(taken, 146097); /* days in 400 years of the Gregorian calendar */
}

static void test_ask_refuses_a_parameter_given_twice(void **state)
{
    static const char *const texts[] = {
        "site_id=a&site_id=b",
        "site_id=a&site_id=a",
        "site_id=a&site%5Fid=b",
        "site_id=a&date=2025-01-01&date=2025-01-01",
        "site_id=a&exact=true&exact=false",
        "site_id=a&other=1&other=2",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct query query;
        struct ask read;
        struct err err = {0};
        assert_int_equal(read_text(texts[i], &query, &read, &err), ERR_INVALID);
        assert_true(err.msg[0]);
    }
}

static void test_ask_names_a_parameter_that_a_report_does_not_take(void **state)
{
    struct query query;
    struct ask ask;
    struct err err = {0};

    (void)state;
    assert_int_equal(query_parse("site_id=a&datum=x", &query, &err), ERR_OK);
    assert_int_equal(params_read(ASK_PARAM_SITE_ID | ASK_PARAM_DATE, &query, &ask, &err),
                     ERR_INVALID);
    assert_string_equal(err.msg, "\"datum\" is not allowed; allowed are site_id, date");
}

static void test_ask_moves_its_texts(void **state)
{
    static char bytes[1024];
    struct buf out = {.data = bytes, .cap = sizeof(bytes), .max_bytes = sizeof(bytes)};
    struct query query;
    struct ask ask;
    struct err err = {0};

    (void)state;
    assert_int_equal(read_text("site_id=ab&date=2025-11-14", &query, &ask, &err), ERR_OK);
    assert_true(ask_bytes(&ask) >= 3 + 11 && ask_bytes(&ask) <= sizeof(bytes));
    ask_move(&ask, &out);
    memset(&query, 'x', sizeof(query));
    assert_string_equal(ask.texts[ASK_SITE_ID].bytes, "ab");
    assert_string_equal(ask.texts[ASK_DATE].bytes, "2025-11-14");
    assert_int_equal(ask.texts[ASK_DATE].len, 10);
}

static void test_ask_finds_the_source_of_stats(void **state)
{
    static const struct {
        const char *text;
        enum statement_id source;
    } cases[] = {
        {"site_id=a", STATEMENT_STATS},
        {"site_id=a&date=2025-11-14", STATEMENT_STATS},
        {"site_id=a&exact=true", STATEMENT_STATS_EXACT_ALL},
        {"site_id=a&exact=true&date=2025-11-14", STATEMENT_STATS_EXACT_DAY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct query query;
        struct ask ask;
        struct err err = {0};
        assert_int_equal(read_text(cases[i].text, &query, &ask, &err), ERR_OK);
        assert_int_equal(report_source(STATEMENT_STATS, &ask), cases[i].source);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask_reads_what_the_contract_allows),
        cmocka_unit_test(test_ask_refuses_with_the_contracts_sentence),
        cmocka_unit_test(test_ask_refuses_what_is_no_real_day),
        cmocka_unit_test(test_ask_knows_every_day_of_four_centuries),
        cmocka_unit_test(test_ask_refuses_a_parameter_given_twice),
        cmocka_unit_test(test_ask_names_a_parameter_that_a_report_does_not_take),
        cmocka_unit_test(test_ask_moves_its_texts),
        cmocka_unit_test(test_ask_finds_the_source_of_stats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
