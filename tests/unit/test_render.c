/* test_render.c -- the body of /stats, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/report/render.h"
#include "reporting/report/stats.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum {
    BYTES_MAX = 65536
};

static void add_path(struct stats *stats, const char *path, int64_t views)
{
    stats->paths[stats->path_count++] =
        (struct stats_path){.path = path, .len = strlen(path), .views = views};
}

static void check_render(const char *site_id, const char *date, const struct stats *stats,
                         const char *expected)
{
    struct buf out;

    buf_init(&out, BYTES_MAX);
    assert_int_equal(render_stats(site_id, date, stats, &out), ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void test_render_shows_the_contracts_example(void **state)
{
    struct stats stats = {.total_views = 1, .unique_users = 1};

    (void)state;
    add_path(&stats, "/", 1);
    check_render("demo", NULL, &stats,
                 "{\"site_id\":\"demo\",\"date\":null,\"total_views\":1,"
                 "\"unique_users\":1,\"top_paths\":[{\"path\":\"/\",\"views\":1}]}");
}

static void test_render_shows_zeros_for_an_unknown_site(void **state)
{
    const struct stats stats = {0};

    (void)state;
    check_render("nobody", "2025-11-14", &stats,
                 "{\"site_id\":\"nobody\",\"date\":\"2025-11-14\",\"total_views\":0,"
                 "\"unique_users\":0,\"top_paths\":[]}");
}

static void test_render_keeps_the_order_of_paths(void **state)
{
    struct stats stats = {.total_views = INT64_MAX, .unique_users = 9007199254740993};

    (void)state;
    add_path(&stats, "/b", 3);
    add_path(&stats, "/a", 2);
    add_path(&stats, "", INT64_MAX);
    check_render("s", NULL, &stats,
                 "{\"site_id\":\"s\",\"date\":null,\"total_views\":9223372036854775807,"
                 "\"unique_users\":9007199254740993,\"top_paths\":["
                 "{\"path\":\"/b\",\"views\":3},{\"path\":\"/a\",\"views\":2},"
                 "{\"path\":\"\",\"views\":9223372036854775807}]}");
}

static void test_render_escapes_what_users_sent(void **state)
{
    struct stats stats = {0};

    (void)state;
    add_path(&stats, "/\"quoted\\\n</script>\xC3\xA4\xF0\x9F\x98\x80", 1);
    check_render("\",\"x\":\"", NULL, &stats,
                 "{\"site_id\":\"\\\",\\\"x\\\":\\\"\",\"date\":null,\"total_views\":0,"
                 "\"unique_users\":0,\"top_paths\":[{\"path\":\"/\\\"quoted\\\\\\n"
                 "</script>\xC3\xA4\xF0\x9F\x98\x80\",\"views\":1}]}");
}

static struct stats make_full(const char *path)
{
    struct stats stats = {.total_views = 10, .unique_users = 1};

    while (stats.path_count < STATS_PATHS_MAX)
        add_path(&stats, path, 1);
    return stats;
}

/* The 1st, 2nd, 3rd ... allocation fails, until there is none left to fail. */
static void test_render_reports_every_failed_allocation(void **state)
{
    static char path[4000];
    struct stats stats;
    enum err_code code = ERR_NOMEM;
    long failures = -1;

    (void)state;
    memset(path, 'p', sizeof(path) - 1);
    stats = make_full(path);
    while (code) {
        struct buf out;
        buf_init(&out, BYTES_MAX);
        mem_fail_after(++failures);
        code = render_stats("site", "2025-11-14", &stats, &out);
        mem_fail_after(-1);
        if (code)
            assert_int_equal(code, ERR_NOMEM);
        buf_release(&out);
        assert_true(failures < 100);
    }
    assert_true(failures > 2);
}

static void test_render_stops_at_the_limit_of_the_buffer(void **state)
{
    struct stats stats = make_full("/some/path");
    struct buf out;
    size_t len;

    (void)state;
    buf_init(&out, BYTES_MAX);
    assert_int_equal(render_stats("site", NULL, &stats, &out), ERR_OK);
    len = out.len;
    buf_release(&out);
    for (size_t max_bytes = 0; max_bytes < len; max_bytes++) {
        buf_init(&out, max_bytes);
        assert_int_equal(render_stats("site", NULL, &stats, &out), ERR_TOO_BIG);
        buf_release(&out);
    }
    buf_init(&out, len);
    assert_int_equal(render_stats("site", NULL, &stats, &out), ERR_OK);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render_shows_the_contracts_example),
        cmocka_unit_test(test_render_shows_zeros_for_an_unknown_site),
        cmocka_unit_test(test_render_keeps_the_order_of_paths),
        cmocka_unit_test(test_render_escapes_what_users_sent),
        cmocka_unit_test(test_render_reports_every_failed_allocation),
        cmocka_unit_test(test_render_stops_at_the_limit_of_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
