/* test_stopgap.c -- one thing at a time: what is told to a stopgap while it writes is done
 * after it, and what is let go of is a segment for whoever takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <uv.h>

#include "ingestion/commit/group.h"
#include "ingestion/spool/files.h"
#include "ingestion/spool/segment.h"
#include "ingestion/spool/stopgap.h"
#include "shared/base/mem.h"

enum {
    LIMIT = 1000,
    GROUP_MAX = 64 * 1024,
    PATH_LEN = 128
};

struct fixture {
    char path[PATH_LEN];
    uv_loop_t loop;
    struct spool_files *dir;
    struct stopgap *gap;
    struct err err;
    int appended; /* so often */
    enum err_code code;
    int ready;
    bool is_stopped;
};

static void on_appended(enum err_code code, void *user)
{
    struct fixture *fixture = user;

    fixture->appended++;
    fixture->code = code;
}

static void on_ready(void *user)
{
    ((struct fixture *)user)->ready++;
}

static void on_stopped(void *user)
{
    ((struct fixture *)user)->is_stopped = true;
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct stopgap_options options = {.group_max_bytes = GROUP_MAX,
                                      .on_appended = on_appended,
                                      .on_ready = on_ready,
                                      .user = &fixture};

    fixture = (struct fixture){.code = ERR_BUG};
    (void)snprintf(fixture.path, sizeof(fixture.path), "/tmp/test_stopgap.XXXXXX");
    *state = &fixture;
    if (!mkdtemp(fixture.path) || uv_loop_init(&fixture.loop) != 0 ||
        spool_files_open(fixture.path, LIMIT, &options.dir, &fixture.err) != ERR_OK)
        return -1;
    fixture.dir = options.dir;
    return stopgap_start(&fixture.loop, &options, &fixture.gap, &fixture.err) ? -1 : 0;
}

static void run(struct fixture *fixture)
{
    assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static void stop(struct fixture *fixture)
{
    stopgap_stop(fixture->gap, on_stopped, fixture);
    run(fixture);
    assert_true(fixture->is_stopped);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[PATH_LEN + 16];

    spool_files_close(fixture->dir);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", fixture->path);
    /* NOLINTNEXTLINE(cert-env33-c): of our own making */
    return system(command) || uv_loop_close(&fixture->loop);
}

/* Begins to append a group of so many small jobs. */
static void begin_append(struct fixture *fixture, size_t jobs)
{
    struct group *group = group_new(NULL, GROUP_MAX);

    assert_non_null(group);
    for (size_t i = 0; i < jobs; i++)
        assert_int_equal(group_add(group, "{\"a\":1}", 7), ERR_OK);
    assert_true(stopgap_is_ready(fixture->gap));
    assert_int_equal(stopgap_add(fixture->gap, group), ERR_OK);
    group_free(group); /* it has a copy */
    stopgap_append(fixture->gap);
    assert_false(stopgap_is_ready(fixture->gap));
}

static void append(struct fixture *fixture, size_t jobs, enum err_code expected)
{
    int before = fixture->appended;

    begin_append(fixture, jobs);
    run(fixture);
    assert_int_equal(fixture->appended, before + 1);
    assert_int_equal(fixture->code, expected);
}

/* The jobs in the segment that may be taken; -1 when there is none. */
static int64_t count_fed(struct fixture *fixture)
{
    struct spool_file file = {.fd = -1};
    char bytes[LIMIT];
    int64_t count = 0;
    size_t at = 0;
    size_t len;
    struct segment_piece piece;

    if (spool_files_take(fixture->dir, &file, &fixture->err) != ERR_OK)
        return -1;
    assert_int_equal(
        spool_files_read(&file, 0, bytes, sizeof(bytes), &len, &fixture->err), ERR_OK);
    while ((piece = segment_read(bytes + at, len - at, true)).kind == SEGMENT_RECORD) {
        count += (int64_t)piece.count;
        at += piece.len;
    }
    assert_int_equal(piece.kind, SEGMENT_END);
    assert_int_equal(spool_files_finish(fixture->dir, &file, false, &fixture->err),
                     ERR_OK);
    return count;
}

static void test_nobody_takes_it_while_it_is_ours(void **state)
{
    struct fixture *fixture = *state;

    assert_false(stopgap_is_filled(fixture->gap));
    append(fixture, 2, ERR_OK);
    append(fixture, 3, ERR_OK);
    assert_true(stopgap_is_filled(fixture->gap));
    assert_true(spool_files_bytes(fixture->dir) > 0);
    assert_int_equal(count_fed(fixture), -1);
    stop(fixture);
    assert_int_equal(count_fed(fixture), 5);
    assert_int_equal(spool_files_bytes(fixture->dir), 0);
}

static void test_discarded(void **state)
{
    struct fixture *fixture = *state;

    stopgap_discard(fixture->gap); /* nothing there: nothing done */
    assert_true(stopgap_is_ready(fixture->gap));
    append(fixture, 2, ERR_OK);
    stopgap_discard(fixture->gap);
    assert_false(stopgap_is_ready(fixture->gap));
    assert_false(stopgap_is_filled(fixture->gap));
    run(fixture);
    assert_true(stopgap_is_ready(fixture->gap));
    assert_int_equal(spool_files_bytes(fixture->dir), 0);
    append(fixture, 1, ERR_OK); /* a new file */
    stop(fixture);
    assert_int_equal(count_fed(fixture), 1);
}

static void test_let_go_of(void **state)
{
    struct fixture *fixture = *state;

    append(fixture, 2, ERR_OK);
    stopgap_let_go(fixture->gap);
    run(fixture);
    assert_false(stopgap_is_filled(fixture->gap));
    append(fixture, 3, ERR_OK); /* another file */
    stopgap_discard(fixture->gap);
    run(fixture);
    assert_int_equal(count_fed(fixture), 2);
    stop(fixture);
    assert_int_equal(count_fed(fixture), -1);
}

/* What comes first is about all that is in there, and what comes next about nothing. */
static void test_told_while_it_appends(void **state)
{
    struct fixture *fixture = *state;

    begin_append(fixture, 2);
    assert_true(stopgap_is_filled(fixture->gap));
    stopgap_let_go(fixture->gap);
    assert_false(stopgap_is_filled(fixture->gap));
    stopgap_discard(fixture->gap); /* another connection's */
    run(fixture);
    assert_int_equal(fixture->code, ERR_OK);
    assert_int_equal(count_fed(fixture), 2);

    begin_append(fixture, 3);
    stopgap_discard(fixture->gap);
    stopgap_let_go(fixture->gap);
    run(fixture);
    assert_int_equal(count_fed(fixture), -1);
    assert_int_equal(spool_files_bytes(fixture->dir), 0);
    stop(fixture);
}

static void test_a_stop_waits_for_all_of_it(void **state)
{
    struct fixture *fixture = *state;

    begin_append(fixture, 2);
    stopgap_discard(fixture->gap);
    stop(fixture);
    assert_int_equal(fixture->appended, 1);
    assert_int_equal(fixture->code, ERR_OK);
    assert_int_equal(spool_files_bytes(fixture->dir), 0);
}

static void test_full(void **state)
{
    struct fixture *fixture = *state;

    append(fixture, 2, ERR_OK);
    append(fixture, LIMIT, ERR_BUSY);
    assert_false(stopgap_is_ready(fixture->gap)); /* it rests */
    assert_true(stopgap_is_filled(fixture->gap)); /* what it had it still has */
    assert_int_equal(count_fed(fixture), -1);
    stop(fixture);
    assert_int_equal(count_fed(fixture), 2);
}

int main(void)
{
#define GAP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        GAP_TEST(test_nobody_takes_it_while_it_is_ours),
        GAP_TEST(test_discarded),
        GAP_TEST(test_let_go_of),
        GAP_TEST(test_told_while_it_appends),
        GAP_TEST(test_a_stop_waits_for_all_of_it),
        GAP_TEST(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
