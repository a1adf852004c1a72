/* test_arena.c -- memory given out piece by piece, never past the block. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/arena.h"
#include "shared/base/mem.h"

static void test_arena_gives_aligned_pieces_until_it_is_full(void **state)
{
    struct arena arena;
    size_t given = 0;
    char *piece;

    (void)state;
    assert_int_equal(arena_init(&arena, 1000), ERR_OK);
    for (piece = arena_alloc(&arena, 5); piece; piece = arena_alloc(&arena, 5)) {
        assert_int_equal((uintptr_t)piece % alignof(max_align_t), 0);
        assert_true(arena_owns(&arena, piece));
        memset(piece, 0xaa, 5);
        given++;
    }
    assert_int_equal(given, 63); /* 62 of 16 bytes, and one in the last 8 */
    arena_clear(&arena);
    assert_non_null(arena_alloc(&arena, 1000));
    assert_null(arena_alloc(&arena, 1));
    arena_release(&arena);
}

static void test_arena_refuses_more_than_it_has(void **state)
{
    struct arena arena;

    (void)state;
    assert_int_equal(arena_init(&arena, 64), ERR_OK);
    assert_null(arena_alloc(&arena, 65));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_non_null(arena_alloc(&arena, 1));
    assert_null(arena_alloc(&arena, 64));
    assert_false(arena_owns(&arena, &arena));
    assert_false(arena_owns(&arena, NULL));
    arena_release(&arena);
    assert_false(arena_owns(&arena, NULL));
    arena_release(&arena);
}

static void test_arena_reports_that_memory_ran_out(void **state)
{
    struct arena arena;

    (void)state;
    mem_fail_after(0);
    assert_int_equal(arena_init(&arena, 64), ERR_NOMEM);
    mem_fail_after(-1);
    assert_null(arena_alloc(&arena, 1));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_aligned_pieces_until_it_is_full),
        cmocka_unit_test(test_arena_refuses_more_than_it_has),
        cmocka_unit_test(test_arena_reports_that_memory_ran_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
