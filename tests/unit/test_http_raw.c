/* test_http_raw.c -- the parser of raw bytes: what it shows libmicrohttpd, and what it
 * refuses, from tables.  Each case is fed whole, byte by byte, and cut in two at every byte,
 * into buffers of every size that matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/mem.h"
#include "shared/wire/raw.h"

enum {
    HEAD_MAX = 512,
    OUT_MAX = 8192
};

#define HOST          "Host: x\r\n"
#define POST          "POST /e HTTP/1.1\r\n" HOST
#define CHUNKED       POST "Transfer-Encoding: chunked\r\n\r\n"
#define SHOWN         "P / HTTP/1.1\r\nHost:\r\n"
#define SHOWN_CHUNKED SHOWN "Transfer-Encoding:chunked\r\n\r\n"
#define SHOWN_REFUSED SHOWN "Connection:close\r\n\r\n"

struct raw_case {
    const char *in;
    const char *out; /* NULL: the head is refused, and nothing comes before it */
    unsigned status; /* 0: accepted */
};

static const struct raw_case cases[] = {
    {"GET /x?a HTTP/1.1\r\n" HOST "\r\n", SHOWN "\r\n", 0},
    {"GET / HTTP/1.0\r\n\r\n", "P / HTTP/1.0\r\n\r\n", 0},
    {"GET / HTTP/1.0\r\nConnection: a, Keep-Alive\r\n\r\n",
     "P / HTTP/1.0\r\nConnection:keep-alive\r\n\r\n", 0},
    {"HEAD / HTTP/1.1\r\nHost:\r\n\r\n", "HEAD / HTTP/1.1\r\nHost:\r\n\r\n", 0},
    {"GET / HTTP/1.7\r\nhOST:x\r\nConnection: close\r\n\r\n",
     SHOWN "Connection:close\r\n\r\n", 0},
    {"\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", SHOWN "\r\n", 0},
    {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "X: \xff\t y \r\n\r\n", SHOWN "\r\n", 0},
    {POST "Content-Length: \t3 \r\n\r\nabcGET / HTTP/1.1\r\n" HOST "\r\n",
     SHOWN "Content-Length:3\r\n\r\nabc" SHOWN "\r\n", 0},
    {POST "Content-Length: 003\r\nExpect: 100-continue\r\n\r\na\r\n",
     SHOWN "Expect:100-continue\r\nContent-Length:3\r\n\r\na\r\n", 0},
    {POST "Content-Length: 0\r\n\r\n", SHOWN "Content-Length:0\r\n\r\n", 0},
    {POST "Upgrade: h2c\r\nCookie: a=b\r\nX: y\r\n\r\n", SHOWN "\r\n", 0},
    {CHUNKED "3\r\nabc\r\n0\r\n\r\n", SHOWN_CHUNKED "3\r\nabc\r\n0\r\n\r\n", 0},
    {CHUNKED "00A;x=\"y\"\r\n0123456789\r\n000\r\nX: y\r\n\r\n" POST "\r\n",
     SHOWN_CHUNKED "a\r\n0123456789\r\n0\r\n\r\n" SHOWN "\r\n", 0},
    {CHUNKED "1 \t;x\r\na\r\n0 ;\r\n\r\n", SHOWN_CHUNKED "1\r\na\r\n0\r\n\r\n", 0},

    /* request lines */
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET / x HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", NULL, 400},
    {"GET HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET  HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET /\r\n", NULL, 400},
    {"GET /\r\n\r\n", NULL, 400},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET / http/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET / HTTP/11\r\n" HOST "\r\n", NULL, 400},
    {"GET / HTTP/1.10\r\n" HOST "\r\n", NULL, 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", NULL, 505},
    {"GET / HTTP/0.9\r\n\r\n", NULL, 505},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL, 505},
    {"GET / HTTP/1.1\n" HOST "\n", NULL, 400},
    {"GET /\r HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"\n", NULL, 400},
    {"\rGET / HTTP/1.1\r\n" HOST "\r\n", NULL, 400},
    {"\x16\x03\x01\x02", NULL, 400},

    /* headers */
    {"GET / HTTP/1.1\r\n\r\n", NULL, 400},
    {POST HOST "\r\n", NULL, 400},
    {POST " X: y\r\n\r\n", NULL, 400},
    {POST "X: a\r\n b\r\n\r\n", NULL, 400},
    {POST "X: a\r\n\t\r\n\r\n", NULL, 400},
    {POST "X : a\r\n\r\n", NULL, 400},
    {POST "X\t: a\r\n\r\n", NULL, 400},
    {POST "X Y: a\r\n\r\n", NULL, 400},
    {POST "X\xe4: a\r\n\r\n", NULL, 400},
    {POST ": a\r\n\r\n", NULL, 400},
    {POST "X\r\n\r\n", NULL, 400},
    {POST "X: a\n\r\n", NULL, 400},
    {POST "X: a\rY: b\r\n\r\n", NULL, 400},
    {POST "X: a\rTransfer-Encoding: chunked\r\n\r\n", NULL, 400},
    {POST "X: a\r\r\n\r\n", NULL, 400},
    {POST "X: \x01\r\n\r\n", NULL, 400},
    {POST "X: 1234567890\x1f\r\n\r\n", NULL, 400},
    {POST "X: 1234567\x7f\r\n\r\n", NULL, 400},
    {POST "X: a\r\n\r\r\n", NULL, 400},
    {POST "\n", NULL, 400},
    {POST "Content-Length: +5\r\n\r\n", NULL, 400},
    {POST "Content-Length: 5, 5\r\n\r\n", NULL, 400},
    {POST "Content-Length:\r\n\r\n", NULL, 400},
    {POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", NULL, 400},
    {POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400},
    {POST "Expect: x\r\n\r\n", NULL, 417},

    /* chunks and trailers */
    {CHUNKED "3;\nabc\r\n0\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3\nabc\r\n0\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3\r\nabc\n0\r\n\r\n", SHOWN_CHUNKED "3\r\nabc\r\n0\r\n\r\n", 400},
    {CHUNKED "3\r\nabcd\r\n", SHOWN_CHUNKED "3\r\nabc\r\n0\r\n\r\n", 400},
    {CHUNKED "3\r\nabc\r\r", SHOWN_CHUNKED "3\r\nabc\r\n0\r\n\r\n", 400},
    {CHUNKED "0x3\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "+3\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "-3\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED " 3\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3 \r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3 4\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED ";a\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3;a\rb\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "3;a\x01\r\nabc\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "8000000000000000\r\nabc", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "fffffffffffffffff\r\nabc", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "00000000000000003\r\nabc", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\n\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\nX: y\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\nX: y\r\n z\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\nX: \x02\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\nX\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\nContent-Length: 5\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},
    {CHUNKED "0\r\ntransfer-encoding: chunked\r\n\r\n", SHOWN_CHUNKED "0\r\n\r\n", 400},

    /* the one after a good one */
    {POST "Content-Length: 1\r\n\r\nagarbage\r\n\r\n",
     SHOWN "Content-Length:1\r\n\r\na" SHOWN_REFUSED, 400},
};

struct result {
    char out[OUT_MAX];
    size_t len;
};

/* Feeds bytes as wire.c does, with room for at most cap bytes at a time. */
static void feed(struct http_raw *raw, const char *in, size_t len, size_t cap,
                 struct result *result)
{
    for (;;) {
        char out[OUT_MAX];
        size_t made = http_raw_flush(raw, out, cap);
        if (made < cap && len > 0) {
            size_t now = len < cap - made ? len : cap - made;
            made += http_raw_feed(raw, in, now, out + made, cap - made);
            in += now;
            len -= now;
        }
        assert_true(made <= cap && result->len + made <= OUT_MAX);
        memcpy(result->out + result->len, out, made);
        result->len += made;
        if (len == 0 && raw->pending_len == 0)
            return;
    }
}

static void check(const struct raw_case *of, const struct http_raw *raw,
                  const struct result *result, const char *how)
{
    const char *wanted = of->out ? of->out : SHOWN_REFUSED;
    unsigned status = raw->state == RAW_REFUSED ? raw->status : 0;

    if (status != of->status || result->len != strlen(wanted) ||
        memcmp(result->out, wanted, result->len) != 0)
        fail_msg("%s, %s: %u, wanted %u\n%.*s\nwanted\n%s", of->in, how, status,
                 of->status, (int)result->len, result->out, wanted);
    assert_true(!status || raw->sentence);
}

static void run(const struct raw_case *of, size_t first, size_t step, size_t cap)
{
    size_t len = strlen(of->in);
    struct result result = {.len = 0};
    struct http_raw raw;
    char how[64];

    http_raw_init(&raw, HEAD_MAX);
    feed(&raw, of->in, first, cap, &result);
    for (size_t at = first; at < len; at += step)
        feed(&raw, of->in + at, len - at < step ? len - at : step, cap, &result);
    (void)snprintf(how, sizeof(how), "%zu, then %zu, into %zu", first, step, cap);
    check(of, &raw, &result, how);
    http_raw_release(&raw);
}

static void test_raw_gives_the_same_however_the_bytes_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = strlen(cases[i].in);
        for (size_t first = 0; first <= len; first++)
            run(&cases[i], first, len, OUT_MAX);
        for (size_t step = 1; step < 9; step++)
            run(&cases[i], 0, step, OUT_MAX);
        for (size_t cap = 1; cap < 40; cap++)
            run(&cases[i], 0, len, cap);
        run(&cases[i], 0, 1, 1);
    }
}

static void test_raw_refuses_a_nul_everywhere_in_a_head(void **state)
{
    static const char good[] = POST "X: y\r\nContent-Length: 1\r\n\r\n";

    (void)state;
    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        struct result result = {.len = 0};
        struct http_raw raw;
        char bad[sizeof(good)];
        memcpy(bad, good, sizeof(good));
        bad[at] = '\0';
        http_raw_init(&raw, HEAD_MAX);
        feed(&raw, bad, sizeof(bad) - 1, OUT_MAX, &result);
        assert_int_equal(raw.state, RAW_REFUSED);
        assert_int_equal(raw.status, 400);
        http_raw_release(&raw);
    }
}

/* --- limits ----------------------------------------------------------------------- */

static unsigned verdict(const char *in, size_t step)
{
    struct result result = {.len = 0};
    size_t len = strlen(in);
    struct http_raw raw;
    unsigned status;

    http_raw_init(&raw, HEAD_MAX);
    for (size_t at = 0; at < len; at += step)
        feed(&raw, in + at, len - at < step ? len - at : step, OUT_MAX, &result);
    status = raw.state == RAW_REFUSED ? raw.status : 0;
    http_raw_release(&raw);
    return status;
}

/* A head of so many bytes: filled up in front of the place. */
static void fill(char *head, const char *front, const char *back, size_t len)
{
    size_t front_len = strlen(front);
    size_t back_len = strlen(back);

    memcpy(head, front, front_len);
    memset(head + front_len, 'y', len - front_len - back_len);
    memcpy(head + len - back_len, back, back_len + 1);
}

static void test_raw_takes_a_head_of_its_limit_and_no_byte_more(void **state)
{
    static const char *const shapes[][2] = {
        {POST "Cookie: ", "\r\n\r\n"},
        {POST, ":\r\n\r\n"},
        {"POST /", " HTTP/1.1\r\n" HOST "\r\n"},
    };
    char head[HEAD_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (size_t step = 1; step <= HEAD_MAX + 1; step += 170) {
            fill(head, shapes[i][0], shapes[i][1], HEAD_MAX);
            assert_int_equal(verdict(head, step), 0);
            fill(head, shapes[i][0], shapes[i][1], HEAD_MAX + 1);
            assert_int_equal(verdict(head, step), 431);
        }
    }
    memset(head, 'y', HEAD_MAX + 1);
    head[HEAD_MAX + 1] = '\0';
    head[5] = '\x01'; /* what is wrong first counts */
    assert_int_equal(verdict(head, 1), 400);
    assert_int_equal(verdict(head, HEAD_MAX + 1), 400);
    head[5] = 'y';
    assert_int_equal(verdict(head, 1), 414);
    assert_int_equal(verdict(head, HEAD_MAX + 1), 414);
}

static void test_raw_bounds_trailers_and_extensions(void **state)
{
    char text[OUT_MAX / 2];

    (void)state;
    fill(text, CHUNKED "0\r\nX: ", "\r\n\r\n", sizeof(CHUNKED "0\r\n") - 1 + HEAD_MAX);
    assert_int_equal(verdict(text, 1), 0);
    fill(text, CHUNKED "0\r\nX: ", "\r\n\r\n", sizeof(CHUNKED "0\r\n") + HEAD_MAX);
    assert_int_equal(verdict(text, 1), 431);
    fill(text, CHUNKED "1;", "\r\na\r\n0\r\n\r\n", 4000);
    assert_int_equal(verdict(text, 7), 0);
}

/* --- the heads that are kept ------------------------------------------------------- */

static const char *value_of(const struct http_raw_head *head, const char *name)
{
    size_t at = 0;
    const char *field;
    const char *value;

    for (field = http_raw_field(head, &at, &value); field;
         field = http_raw_field(head, &at, &value)) {
        if (strcmp(field, name) == 0)
            return value;
    }
    return NULL;
}

static void test_raw_keeps_heads_until_their_requests_are_over(void **state)
{
    static const char format[] =
        "PUT /%d?x HTTP/1.1\r\nHost: x\r\nX-N:  %d\t\r\nE:\r\n\r\n";
    struct http_raw raw;
    int fed = 0;

    (void)state;
    http_raw_init(&raw, HEAD_MAX);
    for (int taken = 0; taken < 200; taken++) {
        const struct http_raw_head *head;
        struct result result = {.len = 0};
        char text[100];
        while (fed < 200 && fed < taken + 1 + taken % 5) {
            (void)snprintf(text, sizeof(text), format, fed, fed);
            feed(&raw, text, strlen(text), OUT_MAX, &result);
            fed++;
        }
        feed(&raw, "GE", taken == 100 ? 2 : 0, OUT_MAX, &result); /* part of the next */
        if (taken == 100) {
            feed(&raw, "T / HTTP/1.1\r\nHost: x\r\n\r\n", 25, OUT_MAX, &result);
            fed = 200;
        }
        if (raw.taken == raw.passed)
            break;
        head = http_raw_take(&raw);
        assert_non_null(head);
        assert_ptr_equal(head, http_raw_current(&raw));
        (void)snprintf(text, sizeof(text), "%d", taken);
        if (strcmp(http_raw_method(head), "PUT") == 0) {
            assert_string_equal(value_of(head, "X-N"), text);
            assert_string_equal(value_of(head, "E"), "");
            assert_null(value_of(head, "X"));
            (void)snprintf(text, sizeof(text), "/%d?x", taken);
            assert_string_equal(http_raw_target(head), text);
        }
        http_raw_done(&raw);
    }
    assert_int_equal(raw.passed, raw.taken);
    assert_int_equal(raw.heads.len, 0);
    http_raw_release(&raw);
}

static void test_raw_bounds_the_heads_that_wait(void **state)
{
    struct result result = {.len = 0};
    struct http_raw raw;
    int count = 0;

    (void)state;
    http_raw_init(&raw, HEAD_MAX);
    while (raw.state != RAW_REFUSED && count < 10000) {
        char head[HEAD_MAX + 1];
        fill(head, POST "Cookie: ", "\r\n\r\n", HEAD_MAX);
        result.len = 0;
        feed(&raw, head, HEAD_MAX, OUT_MAX, &result);
        count++;
    }
    assert_int_equal(raw.status, 503);
    assert_in_range(count, 65536 / HEAD_MAX / 2, 65536 / HEAD_MAX + 2);
    while (raw.taken + 1 < raw.passed) {
        assert_non_null(http_raw_take(&raw));
        http_raw_done(&raw);
    }
    assert_null(http_raw_take(&raw));
    assert_null(http_raw_current(&raw));
    http_raw_release(&raw);
}

static void test_raw_refuses_with_503_when_memory_runs_out(void **state)
{
    const char *text = POST "X: y\r\n\r\n";
    long after = 0;
    unsigned status = 503;

    (void)state;
    while (status == 503) {
        mem_fail_after(after++);
        status = verdict(text, 3);
        assert_true(status == 503 || status == 0);
    }
    mem_fail_after(-1);
    assert_true(after > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_gives_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(test_raw_refuses_a_nul_everywhere_in_a_head),
        cmocka_unit_test(test_raw_takes_a_head_of_its_limit_and_no_byte_more),
        cmocka_unit_test(test_raw_bounds_trailers_and_extensions),
        cmocka_unit_test(test_raw_keeps_heads_until_their_requests_are_over),
        cmocka_unit_test(test_raw_bounds_the_heads_that_wait),
        cmocka_unit_test(test_raw_refuses_with_503_when_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
