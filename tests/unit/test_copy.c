/* test_copy.c -- rows of binary COPY, byte for byte as the format's description has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "processor/store/copy.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"

static const struct uuid some_id = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7d, 0xef, 0x80,
                                     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}};

static struct event some_event(void)
{
    return (struct event){
        .site_id = {"s", 1},
        .event_type = {"ev", 2},
        .path = {"/\xc3\xa4", 3},
        .user_id = {NULL, 0},
        .timestamp_ms = INT64_C(946684800001), /* one millisecond into 2000 */
    };
}

static void test_a_row_has_the_bytes_of_the_format(void **state)
{
    struct copy_columns columns = {.count = 0};
    static const char expected[] =
        "\x00\x06"
        "\x00\x00\x00\x10\x01\x23\x45\x67\x89\xab\x7d\xef\x80\x11\x22\x33\x44\x55\x66\x77"
        "\x00\x00\x00\x01s"
        "\x00\x00\x00\x02"
        "ev"
        "\x00\x00\x00\x03/\xc3\xa4"
        "\xff\xff\xff\xff"
        "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x03\xe8";
    struct event event = some_event();
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    assert_int_equal(copy_add_row(&out, &some_id, &event, &columns), ERR_OK);
    assert_int_equal(out.len, sizeof(expected) - 1);
    assert_memory_equal(out.data, expected, sizeof(expected) - 1);
    buf_release(&out);
}

static void test_an_empty_user_is_not_a_missing_one(void **state)
{
    struct copy_columns columns = {.count = 0};
    struct event event = some_event();
    struct buf without;
    struct buf empty;

    (void)state;
    buf_init(&without, 1024);
    buf_init(&empty, 1024);
    assert_int_equal(copy_add_row(&without, &some_id, &event, &columns), ERR_OK);
    event.user_id.bytes = "";
    assert_int_equal(copy_add_row(&empty, &some_id, &event, &columns), ERR_OK);
    assert_int_equal(without.len, empty.len);
    assert_memory_equal(without.data + without.len - 16, "\xff\xff\xff\xff", 4);
    assert_memory_equal(empty.data + empty.len - 16, "\0\0\0\0", 4);
    buf_release(&without);
    buf_release(&empty);
}

struct time_case {
    int64_t ms;
    int64_t micros; /* since 2000 */
};

static void test_times_count_from_2000_in_microseconds(void **state)
{
    struct copy_columns columns = {.count = 0};
    static const struct time_case cases[] = {
        {INT64_C(946684800000), 0},
        {INT64_C(946684799999), -1000},
        {0, INT64_C(-946684800000000)},
        {INT64_C(-62135596800000), INT64_C(-63082281600000000)}, /* 0001-01-01 */
        {INT64_C(253402300799999), INT64_C(252455615999999000)}, /* 9999-12-31 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event event = some_event();
        uint64_t found = 0;
        struct buf out;

        buf_init(&out, 1024);
        event.timestamp_ms = cases[i].ms;
        assert_int_equal(copy_add_row(&out, &some_id, &event, &columns), ERR_OK);
        for (size_t b = out.len - 8; b < out.len; b++)
            found = found << 8 | (unsigned char)out.data[b];
        assert_true((int64_t)found == cases[i].micros);
        buf_release(&out);
    }
}

static void test_header_and_trailer_are_those_of_the_format(void **state)
{
    (void)state;
    assert_memory_equal(copy_header(), "PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0",
                        COPY_HEADER_LEN);
    assert_memory_equal(copy_trailer(), "\xff\xff", COPY_TRAILER_LEN);
}

static void test_a_placed_row_has_one_column_more(void **state)
{
    struct copy_columns columns = {.count = 0};
    struct event event = some_event();
    struct buf row;
    struct buf placed;

    (void)state;
    buf_init(&row, 1024);
    buf_init(&placed, 1024);
    assert_int_equal(copy_add_row(&row, &some_id, &event, &columns), ERR_OK);
    assert_int_equal(copy_add_complete(&placed, row.data, row.len, 258, &columns),
                     ERR_OK);
    assert_int_equal(placed.len, row.len + 8);
    assert_memory_equal(placed.data, "\x00\x07\x00\x00\x00\x04\x00\x00\x01\x02", 10);
    assert_memory_equal(placed.data + 10, row.data + 2, row.len - 2);
    buf_release(&row);
    buf_release(&placed);
}

static void test_nothing_is_added_when_memory_runs_out(void **state)
{
    struct copy_columns columns = {.count = 0};
    struct event event = some_event();
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    mem_fail_after(0);
    assert_int_equal(copy_add_row(&out, &some_id, &event, &columns), ERR_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(out.len, 0);
    buf_release(&out);
    buf_init(&out, 10);
    assert_int_equal(copy_add_row(&out, &some_id, &event, &columns), ERR_TOO_BIG);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_has_the_bytes_of_the_format),
        cmocka_unit_test(test_an_empty_user_is_not_a_missing_one),
        cmocka_unit_test(test_times_count_from_2000_in_microseconds),
        cmocka_unit_test(test_header_and_trailer_are_those_of_the_format),
        cmocka_unit_test(test_a_placed_row_has_one_column_more),
        cmocka_unit_test(test_nothing_is_added_when_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
