/* test_mem.c -- the allocation that is told to fail does, and only that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"

static void test_mem_gives_blocks_of_any_size(void **state)
{
    char *block = mem_alloc(0);
    char *zeroed = mem_calloc(4, 4);
    char *copy = mem_strdup("text");

    (void)state;
    assert_non_null(block);
    assert_memory_equal(zeroed, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_string_equal(copy, "text");
    copy = mem_realloc(copy, 100);
    assert_non_null(copy);
    assert_string_equal(copy, "text");
    mem_free(block);
    mem_free(zeroed);
    mem_free(copy);
    mem_free(NULL);
}

static void test_mem_refuses_sizes_that_overflow(void **state)
{
    volatile size_t half = SIZE_MAX / 2;

    (void)state;
    assert_null(mem_calloc(half, 4));
}

static void test_mem_fails_once_where_it_was_told_to(void **state)
{
    char *blocks[4];

    (void)state;
    mem_fail_after(2);
    for (size_t i = 0; i < 4; i++)
        blocks[i] = mem_alloc(8);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(blocks[i] == NULL, i == 2);
        mem_free(blocks[i]);
    }
}

static void test_mem_fails_in_every_function(void **state)
{
    char *kept = mem_alloc(8);

    (void)state;
    assert_non_null(kept);
    mem_fail_after(0);
    assert_null(mem_alloc(8));
    mem_fail_after(0);
    assert_null(mem_calloc(1, 8));
    mem_fail_after(0);
    assert_null(mem_strdup("x"));
    mem_fail_after(0);
    assert_null(mem_realloc(kept, 16)); /* kept is still ours */
    mem_fail_after(0);
    mem_fail_after(-1);
    kept[7] = 'x';
    kept = mem_realloc(kept, 16);
    assert_non_null(kept);
    mem_free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_gives_blocks_of_any_size),
        cmocka_unit_test(test_mem_refuses_sizes_that_overflow),
        cmocka_unit_test(test_mem_fails_once_where_it_was_told_to),
        cmocka_unit_test(test_mem_fails_in_every_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
