/* test_pool.c -- the pool without any Postgres: everyone is answered exactly once, within
 * the limits, whatever fails.  What needs rows is tested with a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "reporting/metrics.h"
#include "reporting/pool.h"
#include "reporting/query_run.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/settings/pg_conf.h"

enum {
    WAITING_MAX = 3,
    TIMEOUT_MS = 200,
    SLACK_MS = 2000, /* a loaded machine is late, but not for ever */
};

struct fixture {
    uv_loop_t loop;
    struct pool *pool;
    bool is_stopped;
    int answers;
    struct err last;
};

static void on_stopped(void *user)
{
    struct fixture *f = user;

    assert_false(f->is_stopped);
    f->is_stopped = true;
}

static void on_answer(const PGresult *rows, const struct err *err, void *user)
{
    struct fixture *f = user;

    assert_null(rows);
    f->answers++;
    f->last = *err;
}

static bool is_here(const void *user)
{
    (void)user;
    return false;
}

static struct reporting_metrics metrics;

static char url[] = "host=/nonexistent/socket/folder dbname=x";

static const struct pg_conf pg = {.url = url, .connect_timeout_ms = 100};

static const struct pool_options options = {
    .pg = &pg,
    .connections = 2,
    .waiting_max = WAITING_MAX,
    .query_timeout_ms = TIMEOUT_MS,
    .reconnect_max_ms = 50,
    .metrics = &metrics,
};

static void start(struct fixture *f)
{
    *f = (struct fixture){0};
    assert_int_equal(uv_loop_init(&f->loop), 0);
    f->pool = pool_start(&f->loop, &options);
    assert_non_null(f->pool);
}

static void finish(struct fixture *f)
{
    pool_stop(f->pool, on_stopped, f);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_true(f->is_stopped);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static struct ask_text text_of(const char *bytes)
{
    return (struct ask_text){.bytes = bytes, .len = bytes ? strlen(bytes) : 0};
}

static enum err_code ask(struct fixture *f, const char *site_id, struct err *err)
{
    const struct question query = {STATEMENT_STATS, {text_of(site_id), text_of(NULL)}};
    const struct asker asker = {.fn = on_answer, .is_gone = is_here, .user = f};

    return pool_ask(f->pool, &query, &asker, err);
}

static void run_until_answers(struct fixture *f, int count)
{
    int64_t limit_ms = clock_mono_ms() + TIMEOUT_MS + SLACK_MS;

    while (f->answers < count && clock_mono_ms() < limit_ms)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->answers, count);
}

static void test_pool_answers_everyone_at_the_deadline(void **state)
{
    struct fixture f;
    struct err err;
    int64_t begun_ms;

    (void)state;
    start(&f);
    begun_ms = clock_mono_ms();
    for (int i = 0; i < 10; i++)
        assert_int_equal(ask(&f, i % 2 ? "a" : "b", &err), ERR_OK);
    pool_dispatch(f.pool);
    assert_int_equal(f.answers, 0); /* never from within */
    run_until_answers(&f, 10);
    assert_int_equal(f.last.code, ERR_TIMEOUT);
    assert_true(clock_mono_ms() - begun_ms >= TIMEOUT_MS - 1);
    finish(&f);
    assert_int_equal(f.answers, 10);
}

static void test_pool_refuses_one_query_past_its_limit(void **state)
{
    struct fixture f;
    struct err err;
    char site_id[] = "a";

    (void)state;
    start(&f);
    for (; site_id[0] < 'a' + WAITING_MAX; site_id[0]++)
        assert_int_equal(ask(&f, site_id, &err), ERR_OK);
    assert_int_equal(ask(&f, site_id, &err), ERR_BUSY);
    assert_int_equal(ask(&f, "a", &err), ERR_OK); /* joins one that waits */
    run_until_answers(&f, WAITING_MAX + 1);
    assert_int_equal(ask(&f, site_id, &err), ERR_OK); /* there is room again */
    finish(&f);
    assert_int_equal(f.answers, WAITING_MAX + 2);
}

static void test_pool_answers_everyone_when_it_stops(void **state)
{
    struct fixture f;
    struct err err;

    (void)state;
    start(&f);
    assert_int_equal(ask(&f, "a", &err), ERR_OK);
    assert_int_equal(ask(&f, "a", &err), ERR_OK);
    assert_int_equal(ask(&f, "b", &err), ERR_OK);
    finish(&f);
    assert_int_equal(f.answers, 3);
    assert_int_equal(f.last.code, ERR_UNAVAILABLE);
}

static void test_pool_refuses_at_once_when_postgres_is_known_to_be_away(void **state)
{
    struct fixture f;
    struct err err = {0};
    int64_t limit_ms = clock_mono_ms() + 1000 + SLACK_MS;
    int asked = 0;

    (void)state;
    start(&f);
    while (ask(&f, "a", &err) == ERR_OK && clock_mono_ms() < limit_ms) {
        asked++;
        (void)uv_run(&f.loop, UV_RUN_ONCE);
    }
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_true(asked > 0);
    run_until_answers(&f, asked); /* those before it, too */
    finish(&f);
}

static void test_pool_stops_while_it_connects(void **state)
{
    (void)state;
    for (int turns = 0; turns < 20; turns++) {
        struct fixture f;
        start(&f);
        for (int i = 0; i < turns; i++)
            (void)uv_run(&f.loop, UV_RUN_NOWAIT);
        finish(&f);
    }
}

static void test_pool_survives_every_failed_allocation(void **state)
{
    struct fixture f = {0};
    struct err err;
    long failures = -1;

    (void)state;
    assert_int_equal(uv_loop_init(&f.loop), 0);
    while (!f.pool) {
        mem_fail_after(++failures);
        f.pool = pool_start(&f.loop, &options);
        mem_fail_after(-1);
        assert_true(failures < 50);
    }
    assert_int_equal(failures, 1 + 2); /* the pool and its links */
    for (long after = 0; after < 2; after++) {
        mem_fail_after(after);
        assert_int_equal(ask(&f, "a", &err), ERR_NOMEM);
        mem_fail_after(-1);
    }
    assert_int_equal(ask(&f, "a", &err), ERR_OK);
    finish(&f);
    assert_int_equal(f.answers, 1); /* those that were refused get no second answer */
}

static struct query_run *must_make_run(enum statement_id id, const char *a, const char *b)
{
    const struct question query = {id, {text_of(a), text_of(b)}};
    struct query_run *run = query_run_new(NULL, &query);

    assert_non_null(run);
    return run;
}

static void test_job_is_found_by_its_whole_query(void **state)
{
    struct query_run *runs[] = {
        must_make_run(STATEMENT_STATS, "a", "2025-11-14"),
        must_make_run(STATEMENT_STATS_EXACT_DAY, "a", "2025-11-14"),
        must_make_run(STATEMENT_STATS, "a2025", "-11-14"),
        must_make_run(STATEMENT_STATS, "a", NULL),
        must_make_run(STATEMENT_STATS, "a", ""),
        must_make_run(STATEMENT_STATS_EXACT_ALL, "a", NULL),
        must_make_run(STATEMENT_SCHEMA_VERSION, NULL, NULL),
        must_make_run(STATEMENT_STATS, "A", "2025-11-14"),
    };
    const struct question unknown = {STATEMENT_STATS,
                                     {text_of("a"), text_of("2025-11-15")}};
    size_t count = sizeof(runs) / sizeof(runs[0]);
    struct query_run_list list = TAILQ_HEAD_INITIALIZER(list);

    (void)state;
    for (size_t i = 0; i < count; i++)
        TAILQ_INSERT_TAIL(&list, runs[i], next);
    for (size_t i = 0; i < count; i++)
        assert_ptr_equal(query_run_find(&list, &runs[i]->query), runs[i]);
    assert_null(query_run_find(&list, &unknown));
    for (size_t i = 0; i < count; i++)
        query_run_free(runs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_answers_everyone_at_the_deadline),
        cmocka_unit_test(test_pool_refuses_one_query_past_its_limit),
        cmocka_unit_test(test_pool_answers_everyone_when_it_stops),
        cmocka_unit_test(test_pool_refuses_at_once_when_postgres_is_known_to_be_away),
        cmocka_unit_test(test_pool_stops_while_it_connects),
        cmocka_unit_test(test_pool_survives_every_failed_allocation),
        cmocka_unit_test(test_job_is_found_by_its_whole_query),
    };
    log_init("test_pool", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
