/* test_group.c -- a group's jobs are one command for Redis, and come back one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/commit/group.h"
#include "shared/base/mem.h"

static struct group *make_group(size_t max_bytes)
{
    struct group *group = group_new(NULL, max_bytes);

    assert_non_null(group);
    return group;
}

static void add(struct group *group, const char *job)
{
    assert_int_equal(group_add(group, job, strlen(job), NULL, 0), ERR_OK);
}

static void test_group_is_one_command(void **state)
{
    static const char expected[] = "*4\r\n$5\r\nLPUSH\r\n$14\r\n{events}:queue\r\n$2\r\n{"
                                   "}\r\n$10\r\n{\"a\":\"\r\n\"}\r\n";
    struct group *group = make_group(1000);
    const char *command;
    size_t len;

    (void)state;
    for (int i = 0; i < 2; i++) {
        add(group, "{}");
        add(group, "{\"a\":\"\r\n\"}");
        command = group_command(group, &len);
        assert_int_equal(len, sizeof(expected) - 1);
        assert_memory_equal(command, expected, len);
        assert_int_equal(group->count, 2);
        group_clear(group);
        assert_int_equal(group_bytes(group), 0);
    }
    group_free(group);
}

static void test_group_gives_its_jobs_one_by_one(void **state)
{
    struct group *group = make_group(100000);
    char job[300];
    const char *found;
    size_t offset = 0;
    size_t len;

    (void)state;
    memset(job, '$', sizeof(job));
    for (size_t i = 0; i <= sizeof(job); i++)
        assert_int_equal(group_add(group, job, i, NULL, 0), ERR_OK);
    for (size_t i = 0; i <= sizeof(job); i++) {
        assert_true(group_next_job(group, &offset, &found, &len));
        assert_int_equal(len, i);
        assert_memory_equal(found, job, i);
    }
    assert_false(group_next_job(group, &offset, &found, &len));
    assert_int_equal(offset, group_bytes(group));
    group_free(group);
}

static void test_group_takes_bytes_up_to_its_limit(void **state)
{
    struct group *group = make_group(16);

    (void)state;
    add(group, "{}"); /* $2\r\n{}\r\n */
    add(group, "{}");
    assert_int_equal(group_bytes(group), 16);
    assert_int_equal(group_add(group, "", 0, NULL, 0), ERR_TOO_BIG);
    assert_int_equal(group->count, 2);
    assert_int_equal(group_bytes(group), 16);
    group_free(group);
}

static void test_group_survives_allocations_that_fail(void **state)
{
    char job[300];
    bool has_failed = true;

    (void)state;
    memset(job, 'j', sizeof(job));
    for (long after = 0; has_failed; after++) {
        struct group *group;
        size_t added = 0;
        mem_fail_after(after);
        group = group_new(NULL, 100000);
        has_failed = group == NULL;
        for (int i = 0; group && i < 20; i++) {
            enum err_code code = group_add(group, job, sizeof(job), NULL, 0);
            assert_true(code == ERR_OK || code == ERR_NOMEM);
            has_failed = has_failed || code;
            added += code == ERR_OK;
        }
        mem_fail_after(-1);
        if (group)
            assert_int_equal(group->count, added);
        group_free(group);
    }
}

static void test_lists_of_groups_keep_their_order(void **state)
{
    struct group_list list = {NULL, NULL};
    struct group *groups[4] = {NULL};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        groups[i] = make_group(100);
        group_list_append(&list, groups[i]);
    }
    group_list_remove(&list, groups[3]); /* the last */
    group_list_append(&list, groups[3]);
    group_list_remove(&list, groups[1]);
    assert_ptr_equal(group_list_take(&list), groups[0]);
    assert_ptr_equal(group_list_take(&list), groups[2]);
    assert_ptr_equal(group_list_take(&list), groups[3]);
    assert_null(group_list_take(&list));
    assert_null(list.last);
    for (size_t i = 0; i < 4; i++)
        group_free(groups[i]);
}

/* As when a connection is lost: their replies come oldest first. */
static void test_groups_that_are_put_back_stand_by_age(void **state)
{
    static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}};
    struct group *groups[4] = {NULL};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        groups[i] = make_group(100);
        groups[i]->number = i;
    }
    for (size_t order = 0; order < 3; order++) {
        struct group_list list = {NULL, NULL};
        for (size_t i = 0; i < 4; i++)
            group_list_put_back(&list, groups[orders[order][i]]);
        assert_ptr_equal(list.last, groups[3]);
        for (size_t i = 0; i < 4; i++)
            assert_ptr_equal(group_list_take(&list), groups[i]);
        assert_null(list.last);
    }
    for (size_t i = 0; i < 4; i++)
        group_free(groups[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_is_one_command),
        cmocka_unit_test(test_group_gives_its_jobs_one_by_one),
        cmocka_unit_test(test_group_takes_bytes_up_to_its_limit),
        cmocka_unit_test(test_group_survives_allocations_that_fail),
        cmocka_unit_test(test_lists_of_groups_keep_their_order),
        cmocka_unit_test(test_groups_that_are_put_back_stand_by_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
