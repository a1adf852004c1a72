/* test_spool_files.c -- the files of the spool: what is appended is found, each segment has
 * one owner, the limit is one for all, and nothing is lost when memory runs out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "ingestion/commit/group.h"
#include "ingestion/spool/files.h"
#include "ingestion/spool/segment.h"
#include "ingestion/spool/writer.h"
#include "shared/base/mem.h"

enum {
    LIMIT = 1000,
    GROUP_MAX = 1024 * 1024,
    PATH_LEN = 128
};

struct fixture {
    char root[PATH_LEN];
    char path[PATH_LEN];
    struct spool_files *dir;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    (void)snprintf(fixture.root, sizeof(fixture.root), "/tmp/test_spool_dir.XXXXXX");
    if (!mkdtemp(fixture.root))
        return -1;
    (void)snprintf(fixture.path, sizeof(fixture.path), "%.100s/spool", fixture.root);
    *state = &fixture;
    return spool_files_open(fixture.path, LIMIT, &fixture.dir, &fixture.err) ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[PATH_LEN + 16];

    spool_files_close(fixture->dir);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", fixture->root);
    return system(command); /* NOLINT(cert-env33-c): of our own making */
}

static void append(struct fixture *fixture, struct spool_file *file, size_t len)
{
    static const char bytes[LIMIT] = "some";

    assert_int_equal(spool_files_append(fixture->dir, file, bytes, len, &fixture->err),
                     ERR_OK);
}

static void put(struct fixture *fixture, const char *name, const char *text)
{
    char path[2 * PATH_LEN];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static bool is_there(struct fixture *fixture, const char *name)
{
    char path[2 * PATH_LEN];

    (void)snprintf(path, sizeof(path), "%s/%s", fixture->path, name);
    return access(path, F_OK) == 0;
}

/* --- writing and reading ---------------------------------------------------- */

static void test_dir_gives_back_what_was_appended(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file file = {.fd = -1};
    struct spool_file taken = {.fd = -1};
    char bytes[16];
    size_t len;

    append(fixture, &file, 4);
    append(fixture, &file, 4);
    assert_int_equal(file.len, 8);
    assert_int_equal(spool_files_bytes(fixture->dir), 8);
    spool_files_release(&file);
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err), ERR_OK);
    assert_int_equal(taken.len, 8);
    assert_int_equal(
        spool_files_read(&taken, 2, bytes, sizeof(bytes), &len, &fixture->err), ERR_OK);
    assert_int_equal(len, 6);
    assert_memory_equal(bytes, "mesome", 6);
    assert_int_equal(
        spool_files_read(&taken, 8, bytes, sizeof(bytes), &len, &fixture->err), ERR_OK);
    assert_int_equal(len, 0);
    assert_int_equal(spool_files_finish(fixture->dir, &taken, false, &fixture->err),
                     ERR_OK);
    assert_int_equal(taken.fd, -1);
    assert_int_equal(spool_files_bytes(fixture->dir), 0);
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err),
                     ERR_NOT_FOUND);
}

static void test_dir_gives_a_segment_to_one_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file writer = {.fd = -1};
    struct spool_file first = {.fd = -1};
    struct spool_file second = {.fd = -1};

    append(fixture, &writer, 4);
    assert_int_equal(spool_files_take(fixture->dir, &first, &fixture->err),
                     ERR_NOT_FOUND);
    spool_files_release(&writer);
    assert_int_equal(spool_files_take(fixture->dir, &first, &fixture->err), ERR_OK);
    assert_int_equal(spool_files_take(fixture->dir, &second, &fixture->err),
                     ERR_NOT_FOUND);
    spool_files_release(&first); /* as when its process dies */
    assert_int_equal(spool_files_take(fixture->dir, &second, &fixture->err), ERR_OK);
    spool_files_release(&second);
}

static void test_dir_gives_the_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"b.spool", "c.spool", "a.spool"};
    static const char *const order[] = {"a.spool", "b.spool", "c.spool"};
    struct spool_file taken[3];

    for (size_t i = 0; i < 3; i++)
        put(fixture, names[i], "x");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(spool_files_take(fixture->dir, &taken[i], &fixture->err),
                         ERR_OK);
        assert_string_equal(taken[i].name, order[i]);
    }
    for (size_t i = 0; i < 3; i++)
        spool_files_release(&taken[i]);
}

static void test_dir_passes_over_what_is_no_segment(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file taken = {.fd = -1};
    char path[2 * PATH_LEN];

    put(fixture, "a.txt", "x");
    put(fixture, ".spool", "x");
    put(fixture, "b.damaged", "x");
    put(fixture, "c.spool", ""); /* its writer died before it wrote */
    (void)snprintf(path, sizeof(path), "%s/d.spool", fixture->path);
    assert_int_equal(symlink("a.txt", path), 0);
    (void)snprintf(path, sizeof(path), "%s/e.spool", fixture->path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err),
                     ERR_NOT_FOUND);
    assert_false(is_there(fixture, "c.spool"));
    assert_true(is_there(fixture, "a.txt") && is_there(fixture, "b.damaged"));
}

static void test_dir_keeps_a_damaged_segment(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file taken = {.fd = -1};

    put(fixture, "a.spool", "damaged");
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err), ERR_OK);
    assert_int_equal(spool_files_finish(fixture->dir, &taken, true, &fixture->err),
                     ERR_OK);
    assert_true(is_there(fixture, "a.damaged") && !is_there(fixture, "a.spool"));
    assert_int_equal(spool_files_bytes(fixture->dir), 7); /* it still takes room */
}

/* --- the limit -------------------------------------------------------------- */

static void test_dir_takes_bytes_up_to_its_limit(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file one = {.fd = -1};
    struct spool_file other = {.fd = -1};

    append(fixture, &one, LIMIT - 10);
    append(fixture, &other, 10);
    assert_int_equal(spool_files_room(fixture->dir), 0);
    assert_int_equal(spool_files_append(fixture->dir, &other, "x", 1, &fixture->err),
                     ERR_BUSY);
    assert_int_equal(other.fd, -1); /* what it holds can be fed now */
    assert_int_equal(spool_files_bytes(fixture->dir), LIMIT);
    spool_files_release(&one);
}

static void test_dir_counts_what_others_did(void **state)
{
    struct fixture *fixture = *state;
    struct spool_files *other = NULL;
    struct spool_file taken = {.fd = -1};

    put(fixture, "a.spool", "0123456789");
    put(fixture, "b.damaged", "01234");
    assert_int_equal(spool_files_open(fixture->path, LIMIT, &other, &fixture->err),
                     ERR_OK);
    assert_int_equal(spool_files_bytes(other), 15);
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err), ERR_OK);
    assert_int_equal(spool_files_finish(fixture->dir, &taken, false, &fixture->err),
                     ERR_OK);
    assert_int_equal(spool_files_bytes(other), 15);
    assert_int_equal(spool_files_take(other, &taken, &fixture->err), ERR_NOT_FOUND);
    assert_int_equal(spool_files_bytes(other), 5);
    spool_files_close(other);
}

/* --- opening ---------------------------------------------------------------- */

static void test_dir_refuses_a_path_that_cannot_be_used(void **state)
{
    struct fixture *fixture = *state;
    char path[2 * PATH_LEN];
    struct spool_files *dir = NULL;

    (void)snprintf(path, sizeof(path), "%s/no/spool", fixture->root);
    assert_int_equal(spool_files_open(path, LIMIT, &dir, &fixture->err), ERR_CONFIG);
    assert_non_null(strstr(fixture->err.msg, "no/spool"));
    put(fixture, "file", "x");
    (void)snprintf(path, sizeof(path), "%s/file", fixture->path);
    assert_int_equal(spool_files_open(path, LIMIT, &dir, &fixture->err), ERR_CONFIG);
    assert_null(dir);
}

static void test_dir_survives_allocations_that_fail(void **state)
{
    struct fixture *fixture = *state;
    enum err_code code = ERR_NOMEM;

    for (long after = 0; code; after++) {
        struct spool_files *dir = NULL;
        mem_fail_after(after);
        code = spool_files_open(fixture->path, LIMIT, &dir, &fixture->err);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
        assert_true((dir != NULL) == (code == ERR_OK));
        spool_files_close(dir);
    }
}

/* --- the writing side of a loop --------------------------------------------- */

struct outcome {
    bool is_known;
    enum err_code code;
    bool is_stopped;
};

static void on_appended(enum err_code code, void *user)
{
    struct outcome *outcome = user;

    outcome->is_known = true;
    outcome->code = code;
}

static void on_stopped(void *user)
{
    ((struct outcome *)user)->is_stopped = true;
}

static struct spool_writer *start_spool(struct fixture *fixture, uv_loop_t *loop)
{
    struct spool_writer_options options = {
        .dir = fixture->dir, .segment_bytes = 65536, .group_max_bytes = GROUP_MAX};
    struct spool_writer *spool = NULL;

    assert_int_equal(uv_loop_init(loop), 0);
    assert_int_equal(spool_writer_start(loop, &options, &spool, &fixture->err), ERR_OK);
    return spool;
}

static struct group *make_group(const char *job, size_t count)
{
    struct group *group = group_new(NULL, GROUP_MAX);

    assert_non_null(group);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(group_add(group, job, strlen(job)), ERR_OK);
    return group;
}

/* Stopping with an append under way: the answer comes first. */
static void check_append(struct fixture *fixture, size_t jobs, enum err_code expected)
{
    uv_loop_t loop;
    struct spool_writer *spool = start_spool(fixture, &loop);
    struct group *group = make_group("{\"a\":1}", jobs);
    struct outcome outcome = {.is_known = false};

    assert_int_equal(spool_writer_add(spool, group), ERR_OK);
    assert_true(spool_writer_is_ready(spool, 0));
    spool_writer_append(spool, on_appended, &outcome);
    assert_false(spool_writer_is_ready(spool, 0));
    assert_false(spool_writer_let_go(spool));
    spool_writer_stop(spool, on_stopped, &outcome);
    assert_false(outcome.is_stopped);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(outcome.is_known && outcome.is_stopped);
    assert_int_equal(outcome.code, expected);
    group_free(group);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_spool_answers_before_it_stops(void **state)
{
    struct fixture *fixture = *state;
    struct spool_file taken = {.fd = -1};
    char bytes[LIMIT];
    struct segment_piece piece;
    size_t len;

    check_append(fixture, 3, ERR_OK);
    assert_int_equal(spool_files_take(fixture->dir, &taken, &fixture->err), ERR_OK);
    assert_int_equal(
        spool_files_read(&taken, 0, bytes, sizeof(bytes), &len, &fixture->err), ERR_OK);
    piece = segment_read(bytes, len, true);
    assert_int_equal(piece.kind, SEGMENT_RECORD);
    assert_int_equal(piece.count, 3);
    assert_memory_equal(piece.jobs, "{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n", piece.jobs_len);
    spool_files_release(&taken);
    check_append(fixture, LIMIT, ERR_BUSY);
}

static void test_spool_gathers_all_of_a_group_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    uv_loop_t loop;
    struct spool_writer *spool = start_spool(fixture, &loop);
    struct group *small = make_group("{\"a\":1}", 1);
    struct group *large = make_group("{\"b\":2}", 30000); /* several records */
    struct outcome outcome = {.is_known = false};
    enum err_code code = ERR_NOMEM;

    for (long after = 0; code; after++) {
        mem_fail_after(after);
        code = spool_writer_add(spool, large);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
    }
    assert_int_equal(spool_writer_add(spool, small),
                     ERR_BUSY); /* more than there is room for */
    group_free(small);
    group_free(large);
    spool_writer_stop(spool, on_stopped, &outcome);
    assert_true(outcome.is_stopped);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
#define DIR_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DIR_TEST(test_dir_gives_back_what_was_appended),
        DIR_TEST(test_dir_gives_a_segment_to_one_at_a_time),
        DIR_TEST(test_dir_gives_the_oldest_first),
        DIR_TEST(test_dir_passes_over_what_is_no_segment),
        DIR_TEST(test_dir_keeps_a_damaged_segment),
        DIR_TEST(test_dir_takes_bytes_up_to_its_limit),
        DIR_TEST(test_dir_counts_what_others_did),
        DIR_TEST(test_dir_refuses_a_path_that_cannot_be_used),
        DIR_TEST(test_dir_survives_allocations_that_fail),
        DIR_TEST(test_spool_answers_before_it_stops),
        DIR_TEST(test_spool_gathers_all_of_a_group_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
