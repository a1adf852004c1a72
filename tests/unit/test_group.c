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
    assert_int_equal(group_add(group, job, strlen(job)), ERR_OK);
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
        assert_int_equal(group_add(group, job, i), ERR_OK);
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
    assert_int_equal(group_add(group, "", 0), ERR_TOO_BIG);
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
            enum err_code code = group_add(group, job, sizeof(job));
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

/* --- those who wait ---------------------------------------------------------- */

/* Nobody in these tests is there to be answered. */
static void wait_for(struct group *group, struct group_mark mark, int64_t deadline_ms)
{
    struct waiter waiter = {.deadline_ms = deadline_ms};

    assert_int_equal(group_wait(group, mark, &waiter), ERR_OK);
}

/* A request with so many jobs, each made of its letter. */
static void add_range(struct group *group, size_t jobs, char letter, int64_t deadline_ms)
{
    struct group_mark mark = group_mark(group);

    for (size_t i = 0; i < jobs; i++)
        assert_int_equal(group_add(group, &letter, 1), ERR_OK);
    wait_for(group, mark, deadline_ms);
}

/* The letters of a group's jobs, and how many jobs it says it has. */
static void check_jobs(const struct group *group, const char *letters)
{
    const char *job;
    size_t offset = 0;
    size_t len;
    size_t waiting = 0;

    assert_int_equal(group->count, strlen(letters));
    for (; *letters; letters++) {
        assert_true(group_next_job(group, &offset, &job, &len));
        assert_int_equal(len, 1);
        assert_int_equal(*job, *letters);
    }
    assert_false(group_next_job(group, &offset, &job, &len));
    for (size_t i = 0; i < group->waiter_count; i++)
        waiting += group->waiters[i].jobs;
    assert_int_equal(waiting, group->count);
}

static void test_what_is_taken_back_leaves_no_trace(void **state)
{
    struct group *group = make_group(1000);
    struct group_mark mark;

    (void)state;
    add_range(group, 2, 'a', 0);
    mark = group_mark(group);
    add(group, "x");
    add(group, "y");
    group_take_back(group, mark);
    check_jobs(group, "aa");
    add_range(group, 1, 'b', 0);
    check_jobs(group, "aab");
    group_free(group);
}

static void test_a_request_moves_to_another_group_whole(void **state)
{
    struct group *group = make_group(1000);
    struct group *other = make_group(1000);
    struct group *narrow = make_group(10);
    struct group_mark mark;

    (void)state;
    add_range(group, 2, 'a', 0);
    mark = group_mark(group);
    add(group, "b");
    add(group, "b");
    assert_int_equal(group_move(group, mark, narrow), ERR_TOO_BIG);
    assert_int_equal(narrow->count, 0);
    assert_int_equal(group->count, 4);
    assert_int_equal(group_move(group, mark, other), ERR_OK);
    check_jobs(group, "aa");
    assert_int_equal(other->count, 2);
    add(other, "b");
    wait_for(other, (struct group_mark){.offset = other->wire.len - group_bytes(other)},
             0);
    check_jobs(other, "bbb");
    group_free(narrow);
    group_free(other);
    group_free(group);
}

static void test_a_group_is_never_cut_inside_a_request(void **state)
{
    static const struct {
        size_t max_bytes;
        const char *head;
        const char *rest;
    } cuts[] = {
        {1, "a", "bbbcc"},                      /* one request at least */
        {8, "a", "bbbcc"},  {31, "abbb", "cc"}, /* a job has 7 bytes in the wire */
        {28, "abbb", "cc"}, {27, "a", "bbbcc"}, {1000, "abbbcc", ""},
    };
    struct group_pool pool;

    (void)state;
    group_pool_init(&pool, 1000);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct group *group = make_group(1000);
        struct group *head;
        group->number = 7;
        add_range(group, 1, 'a', 0);
        add_range(group, 3, 'b', 0);
        add_range(group, 2, 'c', 0);
        head = group_cut(group, cuts[i].max_bytes, &pool);
        assert_non_null(head);
        assert_int_equal(head->number, 7);
        check_jobs(head, cuts[i].head);
        check_jobs(group, cuts[i].rest);
        group_pool_put(&pool, head);
        group_free(group);
    }
    group_pool_release(&pool);
}

static void test_jobs_whose_time_is_up_are_left_out_by_requests(void **state)
{
    struct group *group = make_group(1000);

    (void)state;
    add_range(group, 3, 'a', 10);
    add_range(group, 1, 'b', 20);
    add_range(group, 2, 'c', 30);
    assert_int_equal(group_awaited(group), 6);
    assert_int_equal(group_expire(group, 9), 0);
    assert_int_equal(group_expire(group, 20), 4);
    assert_int_equal(group_awaited(group), 2);
    check_jobs(group, "aaabcc");
    group_compact(group);
    check_jobs(group, "cc");
    assert_false(group_is_expired(group));
    assert_int_equal(group_expire(group, 30), 2);
    assert_true(group_is_expired(group));
    group_compact(group);
    assert_int_equal(group_bytes(group), 0);
    group_free(group);
}

static void test_answers_count_as_memory_while_their_jobs_do(void **state)
{
    struct group *group = make_group(1000);
    struct group_mark mark = group_mark(group);
    struct waiter waiter = {.answer_len = 50, .deadline_ms = 10};

    (void)state;
    add(group, "a");
    waiter.answer = mem_alloc(50);
    assert_int_equal(group_wait(group, mark, &waiter), ERR_OK);
    assert_int_equal(group_memory(group), group_bytes(group) + 50);
    add_range(group, 1, 'b', 20);
    assert_int_equal(group_expire(group, 10), 1); /* frees the answer */
    assert_int_equal(group_memory(group), group_bytes(group) + 50);
    group_compact(group);
    assert_int_equal(group_memory(group), group_bytes(group));
    group_free(group);
}

/* --- lists ------------------------------------------------------------------- */

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
        struct group_list list = TAILQ_HEAD_INITIALIZER(list);
        for (size_t i = 0; i < 4; i++)
            group_list_put_back(&list, groups[orders[order][i]]);
        assert_ptr_equal(TAILQ_LAST(&list, group_list), groups[3]);
        for (size_t i = 0; i < 4; i++)
            assert_ptr_equal(group_list_take(&list), groups[i]);
        assert_true(TAILQ_EMPTY(&list));
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
        cmocka_unit_test(test_what_is_taken_back_leaves_no_trace),
        cmocka_unit_test(test_a_request_moves_to_another_group_whole),
        cmocka_unit_test(test_a_group_is_never_cut_inside_a_request),
        cmocka_unit_test(test_jobs_whose_time_is_up_are_left_out_by_requests),
        cmocka_unit_test(test_answers_count_as_memory_while_their_jobs_do),
        cmocka_unit_test(test_groups_that_are_put_back_stand_by_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
