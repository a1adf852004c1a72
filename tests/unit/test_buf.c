/* test_buf.c -- a buffer grows, stops at its maximum, and survives a failed allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

static void test_buf_keeps_what_was_added(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_add_text(&b, "0123456789"), ERR_OK);
    assert_int_equal(b.len, 1000);
    assert_memory_equal(b.data + 990, "0123456789", 10);
    assert_int_equal(buf_printf(&b, "%d", 42), ERR_OK);
    assert_memory_equal(b.data + 1000, "42", 2);
    buf_release(&b);
}

static void test_buf_refuses_one_byte_past_its_maximum(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    assert_int_equal(buf_add_text(&b, "0123456789"), ERR_OK);
    assert_int_equal(buf_add_text(&b, "x"), ERR_TOO_BIG);
    assert_int_equal(b.len, 10);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_TOO_BIG);
    buf_clear(&b);
    assert_int_equal(buf_add_text(&b, "x"), ERR_OK);
    buf_release(&b);
}

static void test_buf_is_unchanged_when_memory_runs_out(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(buf_add_text(&b, "kept"), ERR_OK);
    mem_fail_after(0);
    assert_int_equal(buf_reserve(&b, 1000), ERR_NOMEM);
    mem_fail_after(-1);
    assert_int_equal(b.len, 4);
    assert_memory_equal(b.data, "kept", 4);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf_keeps_what_was_added),
        cmocka_unit_test(test_buf_refuses_one_byte_past_its_maximum),
        cmocka_unit_test(test_buf_is_unchanged_when_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
