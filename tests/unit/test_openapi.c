/* test_openapi.c -- how the OpenAPI document is written: its quotes and commas, memory that runs
 * out, and a route that nobody has described.  What stands in it is looked at by
 * integration/test_openapi.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reporting/openapi/document.h"
#include "reporting/routes.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/http/http.h"
#include "shared/openapi/doc.h"

static void test_apostrophes_become_quotes_but_in_strings(void **state)
{
    struct buf out;
    struct openapi_doc doc = {.out = &out};

    (void)state;
    buf_init(&out, 4096);
    openapi_add(&doc, "{'a':[");
    for (int i = 0; i < 2; i++) {
        openapi_add_comma(&doc);
        openapi_add(&doc, "'%s%d'", "x", i);
    }
    openapi_add(&doc, "]");
    openapi_add_name(&doc, "it's");
    openapi_add_string(&doc, "a \"'\\");
    openapi_add(&doc, "}");
    assert_int_equal(doc.code, ERR_OK);
    assert_int_equal(buf_add(&out, "", 1), ERR_OK);
    assert_string_equal(out.data, "{\"a\":[\"x0\",\"x1\"],\"it's\":\"a \\\"'\\\\\"}");
    buf_release(&out);
}

static void test_after_a_failure_nothing_is_added(void **state)
{
    struct buf out;
    struct openapi_doc doc = {.out = &out};

    (void)state;
    buf_init(&out, 8);
    openapi_add(&doc, "[1");
    openapi_add_string(&doc, "too long for the rest");
    openapi_add_name(&doc, "x");
    openapi_add(&doc, "]");
    assert_int_equal(doc.code, ERR_TOO_BIG);
    assert_int_equal(out.len, 2);
    buf_release(&out);
}

static enum err_code make(const struct http_route *routes, struct err *err)
{
    struct document *document = NULL;
    enum err_code code =
        document_new(routes, "https://stats.example", "", &document, err);

    document_free(document);
    return code;
}

static void test_a_route_that_is_not_described_is_refused(void **state)
{
    static const struct http_route routes[] = {
        {.method = "GET", .path = "/stats", .access = HTTP_GUARDED},
        {.method = "GET", .path = "/new", .access = HTTP_OPEN},
        {.path = NULL}};
    struct err err;

    (void)state;
    assert_int_equal(make(routes, &err), ERR_BUG);
    assert_int_equal(make(routes_table, &err), ERR_OK);
}

static void test_memory_that_runs_out_is_told(void **state)
{
    struct err err = {.code = ERR_OK};
    enum err_code code = ERR_NOMEM;
    int failures = 0;

    (void)state;
    for (int after = 0; code; after++) {
        mem_fail_after(after);
        code = make(routes_table, &err);
        mem_fail_after(-1);
        assert_true(code == ERR_OK || code == ERR_NOMEM);
        failures += code != ERR_OK;
    }
    assert_true(failures > 3);
    document_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apostrophes_become_quotes_but_in_strings),
        cmocka_unit_test(test_after_a_failure_nothing_is_added),
        cmocka_unit_test(test_a_route_that_is_not_described_is_refused),
        cmocka_unit_test(test_memory_that_runs_out_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
