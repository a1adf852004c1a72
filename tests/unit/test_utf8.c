/* test_utf8.c -- every code point in and out, and what UTF-8 is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/text/utf8.h"

/* Encodes without asking whether the code point may be. */
static size_t encode(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

static void test_utf8_takes_every_code_point_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x1fffff; point++) {
        char text[4];
        size_t len = encode(point, text);
        bool is_fine = point < 0xd800 || (point > 0xdfff && point < 0x110000);
        assert_int_equal(utf8_char_len(text, len), is_fine ? len : 0);
        for (size_t cut = 1; cut < len; cut++)
            assert_int_equal(utf8_char_len(text, cut), 0);
    }
}

static void test_utf8_refuses_what_it_is_not(void **state)
{
    static const char *const rows[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        "\xc3(",
        "\xe2\x82(",
        "\xf0\x9f(\x80",
        "ok\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_false(utf8_is_valid(rows[i], strlen(rows[i])));
    assert_true(utf8_is_valid("", 0));
    assert_int_equal(utf8_char_len("", 0), 0);
    assert_true(utf8_is_valid("a\0b", 3));
}

static void test_utf8_counts_and_cuts_between_characters(void **state)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};

    (void)state;
    assert_int_equal(utf8_count(text, strlen(text)), 5);
    assert_int_equal(utf8_count("", 0), 0);
    for (size_t max = 0; max < sizeof(cuts) / sizeof(cuts[0]); max++)
        assert_int_equal(utf8_cut(text, strlen(text), max), cuts[max]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_takes_every_code_point_but_surrogates),
        cmocka_unit_test(test_utf8_refuses_what_it_is_not),
        cmocka_unit_test(test_utf8_counts_and_cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
