/* test_timestamp.c -- which texts are points in time, and which ones.
 *
 * The table is what the original suite (JavaScript's Date behind Joi's isoDate) answers in
 * the UTC zone, but for the rows marked "differs", where the HTTP contract departs from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "shared/text/timestamp.h"

struct accepted_row {
    const char *text;
    const char *canonical;
};

static const struct accepted_row accepted[] = {
    /* dates */
    {"2025", "2025-01-01T00:00:00.000Z"},
    {"0001", "0001-01-01T00:00:00.000Z"},
    {"2025-11", "2025-11-01T00:00:00.000Z"},
    {"2025-11-14", "2025-11-14T00:00:00.000Z"},
    {"2024-02-29", "2024-02-29T00:00:00.000Z"},
    {"2000-02-29", "2000-02-29T00:00:00.000Z"},
    {"1600-02-29", "1600-02-29T00:00:00.000Z"},
    {"1969-12-31", "1969-12-31T00:00:00.000Z"},
    {"9999-12-31", "9999-12-31T00:00:00.000Z"},
    /* separators */
    {"2025-11-14T10:00", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14 10:00", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14\t10:00", "2025-11-14T10:00:00.000Z"},
    /* clocks */
    {"2025-11-14T00:00:00", "2025-11-14T00:00:00.000Z"},
    {"2025-11-14T23:59:59", "2025-11-14T23:59:59.000Z"},
    {"2025-11-14T24:00", "2025-11-15T00:00:00.000Z"},
    {"2025-11-14T24:00Z", "2025-11-15T00:00:00.000Z"},
    {"2025-11-14T24:00+05:30", "2025-11-14T18:30:00.000Z"},
    {"2025-12-31T24:00", "2026-01-01T00:00:00.000Z"},
    {"2024-02-28T24:00", "2024-02-29T00:00:00.000Z"},
    /* fractions: cut, never rounded */
    {"2025-11-14T10:00:00.1", "2025-11-14T10:00:00.100Z"},
    {"2025-11-14T10:00:00.12", "2025-11-14T10:00:00.120Z"},
    {"2025-11-14T10:00:00.123", "2025-11-14T10:00:00.123Z"},
    {"2025-11-14T10:00:00.1239", "2025-11-14T10:00:00.123Z"},
    {"2025-11-14T10:00:00.9999", "2025-11-14T10:00:00.999Z"},
    {"2025-11-14T10:00:00.123456789Z", "2025-11-14T10:00:00.123Z"},
    {"2025-11-14T10:00:00.99999999999999999999999999999999Z", "2025-11-14T10:00:00.999Z"},
    {"1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"},
    {"2025-11-14T10:00:00.0123456789Z",
     "2025-11-14T10:00:00.012Z"}, /* differs: V8 .123 */
    /* zones */
    {"2025-11-14T10:00Z", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14T10:00:00Z", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14 10:00:00Z", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14T10:00:00+05", "2025-11-14T05:00:00.000Z"},
    {"2025-11-14T10:00:00+0530", "2025-11-14T04:30:00.000Z"},
    {"2025-11-14T10:00:00+05:30", "2025-11-14T04:30:00.000Z"},
    {"2025-11-14T10:00:00-05:30", "2025-11-14T15:30:00.000Z"},
    {"2025-11-14T10:00:00-00:00", "2025-11-14T10:00:00.000Z"},
    {"2025-11-14T10:00:00+23:59", "2025-11-13T10:01:00.000Z"},
    {"2025-11-14T10:00:00-2359", "2025-11-15T09:59:00.000Z"},
    {"2024-03-01T00:00:00+00:01", "2024-02-29T23:59:00.000Z"},
    {"2025-11-14T10:00:00.5+05:30", "2025-11-14T04:30:00.500Z"},
    /* the ends of the range */
    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
    {"0001-01-01T00:01:00+00:01", "0001-01-01T00:00:00.000Z"},
    {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
    {"9999-12-31T23:58:59.9999-00:01", "9999-12-31T23:59:59.999Z"},
    {"0025-11-14 10:00", "0025-11-14T10:00:00.000Z"}, /* differs: two-digit year in V8 */
};

static const char *const refused[] = {
    "",
    " ",
    "now",
    "infinity",
    "-infinity",
    "T10:00",
    /* other forms of a date */
    "20251114",
    "20251114T1000Z",
    "2025-1114",
    "202511-14",
    "202511",
    "2025/11/14",
    "2025-W46",
    "2025-W46-5",
    "2025W465",
    "2025-318",
    "2025318",
    "2025-1",
    "2025-1-14",
    "2025-11-1",
    "25-11-14",
    "999",
    "20255",
    "2025-",
    "2025-11-",
    "2025-11-14-",
    "1763114400",
    "1763114400000",
    "Fri, 14 Nov 2025 10:00:00 GMT",
    "14 Nov 2025",
    "2025-001", /* differs */
    /* days that are none */
    "2025-00",
    "2025-13",
    "2025-00-14",
    "2025-13-14",
    "2025-11-00",
    "2025-11-32",
    "2025-02-29",
    "2025-02-30",
    "2025-04-31",
    "1900-02-29",           /* differs */
    "2100-02-29T10:00:00Z", /* differs */
    /* years outside 0001 to 9999: differ */
    "0000",
    "0000-12-31",
    "-0001-01-01",
    "+2025-01-01",
    "+002025-01-01T00:00:00Z",
    "-002025-01-01",
    "12025-01-01",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:00-00:01",
    "9999-12-31T24:00",
    "+010000-01-01T00:00:00Z",
    /* separators */
    "2025-11-14t10:00",
    "2025-11-14  10:00",
    "2025-11-14 \t10:00",
    "2025-11-14_10:00",
    "2025-11-14T 10:00",
    "2025-11-14 T10:00",
    "2025-11-14T",
    "2025-11-14 ",
    "2025-11-14\n10:00",
    "2025-11-14\v10:00",
    "2025-11-14\302\24010:00", /* differ */
    /* a time needs a full date: differ */
    "2025T10:00",
    "2025-11T10:00Z",
    "2025-11 10:00",
    /* clocks */
    "2025-11-14T10",
    "2025-11-14T10Z",
    "2025-11-14T1000",
    "2025-11-14T1000Z",
    "2025-11-14T100000Z",
    "2025-11-14T10:",
    "2025-11-14T10:0",
    "2025-11-14T1:00",
    "2025-11-14T10:00:",
    "2025-11-14T10:00:0",
    "2025-11-14T25:00",
    "2025-11-14T24:01",
    "2025-11-14T24:00:00",
    "2025-11-14T24:00:00Z",
    "2025-11-14T24:00.0",
    "2025-11-14T10:60",
    "2025-11-14T23:59:60",
    "2025-11-14T23:59:60Z",
    "2025-11-14T10:00:61",
    "2025-11-14T-1:00",
    "2025-11-14T10.00",
    "2025-11-14T10:00.00",
    /* fractions */
    "2025-11-14T10:00:00.",
    "2025-11-14T10:00:00.Z",
    "2025-11-14T10:00:00,5",
    "2025-11-14T10:00:00,5Z",
    "2025-11-14T10:00.5",
    "2025-11-14T10:00:00.5.5",
    "2025-11-14T10:00:00.-5",
    "2025-11-14T10:00:00. 5",
    /* zones */
    "2025-11-14T10:00:00z",
    "2025-11-14T10:00:00 Z",
    "2025-11-14T10:00:00ZZ",
    "2025-11-14T10:00:00 +05:30",
    "2025-11-14T10:00:00+5",
    "2025-11-14T10:00:00+053",
    "2025-11-14T10:00:00+05:3",
    "2025-11-14T10:00:00+05:",
    "2025-11-14T10:00:00+",
    "2025-11-14T10:00:00+24:00",
    "2025-11-14T10:00:00-24",
    "2025-11-14T10:00:00+99:99",
    "2025-11-14T10:00:00+05:60",
    "2025-11-14T10:00:00+05:30Z",
    "2025-11-14T10:00:00+05:30:00",
    "2025-11-14T10:00:00UTC",
    "2025-11-14T10:00:00 UTC",
    "2025-11-14T10:00:00GMT",
    "2025-11-14T10:00:00[UTC]",
    "2025-11-14Z",
    "2025-11-14+05:30",
    "2025Z",
    "2025-11Z",
    "2025-11-14T10:00:00\342\210\22205:30",
    /* space around, and what looks like digits */
    " 2025-11-14",
    "2025-11-14 ",
    "\t2025-11-14",
    "2025-11-14T10:00:00Z ",
    " 2025-11-14T10:00:00Z",
    "2025-11-14T10:00:00Z\n",
    "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa5-11-14",
    "0x25-11-14",
    "2025-+1-14",
    "2025-1e-14",
};

static void test_timestamp_accepts_the_forms_of_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        char text[TIMESTAMP_TEXT_LEN + 1] = {0};
        int64_t ms;
        if (timestamp_parse(accepted[i].text, strlen(accepted[i].text), &ms))
            fail_msg("refused: %s", accepted[i].text);
        timestamp_format(ms, text);
        assert_string_equal(text, accepted[i].canonical);
    }
}

static void test_timestamp_refuses_everything_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        int64_t ms = 42;
        if (timestamp_parse(refused[i], strlen(refused[i]), &ms) != ERR_INVALID)
            fail_msg("accepted: %s", refused[i]);
        assert_int_equal(ms, 42);
    }
}

static void test_timestamp_refuses_a_nul_byte(void **state)
{
    int64_t ms;

    (void)state;
    assert_int_equal(timestamp_parse("2025-11-14\0", 11, &ms), ERR_INVALID);
    assert_int_equal(timestamp_parse("2025\0", 5, &ms), ERR_INVALID);
}

/* Every prefix and every single changed byte either is refused or comes back from its
 * canonical form as the same point in time. */
static void check_round_trip(const char *text, size_t len)
{
    char canonical[TIMESTAMP_TEXT_LEN];
    int64_t ms;
    int64_t again;

    if (timestamp_parse(text, len, &ms))
        return;
    assert_in_range(ms - TIMESTAMP_MIN_MS, 0, TIMESTAMP_MAX_MS - TIMESTAMP_MIN_MS);
    timestamp_format(ms, canonical);
    assert_int_equal(timestamp_parse(canonical, sizeof(canonical), &again), ERR_OK);
    assert_int_equal(again, ms);
}

static void test_timestamp_survives_cuts_and_changed_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        size_t len = strlen(accepted[i].text);
        for (size_t at = 0; at <= len; at++) {
            char text[64];
            memcpy(text, accepted[i].text, len);
            check_round_trip(text, at);
            for (int c = 0; c < 256 && at < len; c++) {
                text[at] = (char)c;
                check_round_trip(text, len);
            }
        }
    }
}

static void test_timestamp_agrees_with_the_c_library_on_every_day(void **state)
{
    const int64_t day_ms = INT64_C(86400000);

    (void)state;
    for (int64_t ms = TIMESTAMP_MIN_MS; ms <= TIMESTAMP_MAX_MS; ms += day_ms) {
        time_t seconds = (time_t)(ms / 1000);
        struct tm tm;
        char want[64];
        char text[TIMESTAMP_TEXT_LEN + 1] = {0};
        int64_t again;
        assert_non_null(gmtime_r(&seconds, &tm));
        (void)snprintf(want, sizeof(want), "%04d-%02d-%02dT00:00:00.000Z",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
        timestamp_format(ms, text);
        if (strcmp(text, want) != 0)
            fail_msg("%s is not %s", text, want);
        if (timestamp_parse(text, TIMESTAMP_TEXT_LEN, &again) || again != ms)
            fail_msg("%s does not come back", text);
    }
}

static void test_timestamp_knows_a_date_when_it_sees_one(void **state)
{
    static const struct {
        const char *text;
        bool is_date;
    } rows[] = {
        {"2025-11-14", true},   {"2024-02-29", true},   {"0001-01-01", true},
        {"9999-12-31", true},   {"2025-02-29", false},  {"0000-01-01", false},
        {"2025-11", false},     {"2025", false},        {"", false},
        {"2025-11-14 ", false}, {" 2025-11-14", false}, {"2025-11-14T00:00", false},
        {"20251114", false},    {"2025-1-14", false},   {"today", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (timestamp_is_date(rows[i].text, strlen(rows[i].text)) != rows[i].is_date)
            fail_msg("\"%s\"", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timestamp_accepts_the_forms_of_the_contract),
        cmocka_unit_test(test_timestamp_refuses_everything_else),
        cmocka_unit_test(test_timestamp_refuses_a_nul_byte),
        cmocka_unit_test(test_timestamp_survives_cuts_and_changed_bytes),
        cmocka_unit_test(test_timestamp_agrees_with_the_c_library_on_every_day),
        cmocka_unit_test(test_timestamp_knows_a_date_when_it_sees_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
