/* test_http_body.c -- bodies are collected and inflated in pieces of any size, and cut off
 * at their limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "shared/base/mem.h"
#include "shared/base/metrics.h"
#include "shared/wire/body.h"
#include "shared/wire/budget.h"

enum {
    LIMIT = 102400,
    PACKED_MAX = 4096
};

static const char text[] =
    "{\"site_id\":\"demo\",\"event_type\":\"page_view\",\"path\":\"/\"}";

struct packed {
    size_t len;
    unsigned char bytes[PACKED_MAX];
};

/* 16 more than 15 window bits makes gzip, 15 the zlib format, -15 a bare stream. */
static struct packed pack(const void *bytes, size_t len, int window_bits)
{
    struct packed packed;
    z_stream stream;

    memset(&stream, 0, sizeof(stream));
    assert_int_equal(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8,
                                  Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)len;
    stream.next_out = packed.bytes;
    stream.avail_out = sizeof(packed.bytes);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.len = sizeof(packed.bytes) - stream.avail_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return packed;
}

static void add(struct http_body *body, const struct packed *packed, size_t from,
                size_t to)
{
    http_body_add(body, (const char *)packed->bytes + from, to - from);
}

static void check_text(const struct http_body *body)
{
    assert_int_equal(body->code, ERR_OK);
    assert_int_equal(body->bytes.len, sizeof(text) - 1);
    assert_memory_equal(body->bytes.data, text, sizeof(text) - 1);
}

static void test_body_is_the_same_split_at_every_byte(void **state)
{
    static const enum http_encoding encodings[] = {HTTP_GZIP, HTTP_DEFLATE};
    struct http_body body;

    (void)state;
    http_body_init(&body);
    for (size_t e = 0; e < 2; e++) {
        struct packed packed =
            pack(text, sizeof(text) - 1, encodings[e] == HTTP_GZIP ? 15 + 16 : 15);
        for (size_t at = 0; at <= packed.len; at++) {
            http_body_start(&body, encodings[e], LIMIT);
            add(&body, &packed, 0, at);
            add(&body, &packed, at, packed.len);
            http_body_end(&body);
            check_text(&body);
        }
    }
    http_body_release(&body);
}

static void test_body_cut_short_anywhere_is_corrupt(void **state)
{
    struct packed packed = pack(text, sizeof(text) - 1, 15 + 16);
    struct http_body body;

    (void)state;
    http_body_init(&body);
    for (size_t at = 1; at < packed.len; at++) {
        http_body_start(&body, HTTP_GZIP, LIMIT);
        add(&body, &packed, 0, at);
        http_body_end(&body);
        assert_int_equal(body.code, ERR_INVALID);
        assert_non_null(body.sentence);
    }
    http_body_release(&body);
}

static void test_body_with_a_flipped_bit_never_passes_for_the_text(void **state)
{
    struct packed packed = pack(text, sizeof(text) - 1, 15 + 16);
    struct http_body body;

    (void)state;
    http_body_init(&body);
    for (size_t at = 10; at < packed.len; at++) { /* after the gzip header */
        packed.bytes[at] ^= 0x10;
        http_body_start(&body, HTTP_GZIP, LIMIT);
        add(&body, &packed, 0, packed.len);
        http_body_end(&body);
        assert_int_not_equal(body.code, ERR_OK);
        packed.bytes[at] ^= 0x10;
    }
    http_body_release(&body);
}

static void test_body_takes_several_gzip_members(void **state)
{
    struct packed first = pack(text, 10, 15 + 16);
    struct packed second = pack(text + 10, sizeof(text) - 1 - 10, 15 + 16);
    struct http_body body;

    (void)state;
    http_body_init(&body);
    http_body_start(&body, HTTP_GZIP, LIMIT);
    add(&body, &first, 0, first.len);
    add(&body, &second, 0, second.len);
    http_body_end(&body);
    check_text(&body);
    http_body_release(&body);
}

static void test_body_refuses_bytes_behind_a_stream(void **state)
{
    struct packed packed = pack(text, sizeof(text) - 1, 15);
    struct http_body body;

    (void)state;
    http_body_init(&body);
    http_body_start(&body, HTTP_DEFLATE, LIMIT);
    add(&body, &packed, 0, packed.len);
    http_body_add(&body, "x", 1);
    http_body_end(&body);
    assert_int_equal(body.code, ERR_INVALID);
    http_body_release(&body);
}

static void test_body_stops_a_bomb_at_its_limit(void **state)
{
    static char zeros[1024 * 1024];
    struct packed bomb = pack(zeros, sizeof(zeros), 15 + 16);
    struct http_body body;

    (void)state;
    assert_true(bomb.len < PACKED_MAX);
    http_body_init(&body);
    http_body_start(&body, HTTP_GZIP, LIMIT);
    add(&body, &bomb, 0, bomb.len);
    http_body_end(&body);
    assert_int_equal(body.code, ERR_TOO_BIG);
    assert_true(body.bytes.cap <= LIMIT);
    http_body_start(&body, HTTP_IDENTITY, LIMIT); /* and it is usable again */
    http_body_add(&body, text, sizeof(text) - 1);
    http_body_end(&body);
    check_text(&body);
    http_body_release(&body);
}

static void test_body_is_refused_one_byte_past_its_limit(void **state)
{
    static char bytes[LIMIT];
    struct http_body body;

    (void)state;
    http_body_init(&body);
    http_body_start(&body, HTTP_IDENTITY, LIMIT);
    http_body_add(&body, bytes, LIMIT);
    assert_int_equal(body.code, ERR_OK);
    http_body_add(&body, "x", 1);
    assert_int_equal(body.code, ERR_TOO_BIG);
    http_body_release(&body);
}

static void test_body_without_a_byte_is_empty_in_any_encoding(void **state)
{
    struct http_body body;

    (void)state;
    http_body_init(&body);
    http_body_start(&body, HTTP_GZIP, LIMIT);
    http_body_end(&body);
    assert_int_equal(body.code, ERR_OK);
    assert_int_equal(body.bytes.len, 0);
    http_body_release(&body);
}

static void test_body_survives_each_failed_allocation(void **state)
{
    struct packed packed = pack(text, sizeof(text) - 1, 15 + 16);
    bool has_succeeded = false;

    (void)state;
    for (long after = 0; !has_succeeded; after++) {
        struct http_body body;
        http_body_init(&body);
        mem_fail_after(after);
        http_body_start(&body, HTTP_GZIP, LIMIT);
        add(&body, &packed, 0, packed.len);
        http_body_end(&body);
        mem_fail_after(-1);
        has_succeeded = body.code == ERR_OK;
        if (!has_succeeded)
            assert_int_equal(body.code, ERR_NOMEM);
        http_body_release(&body);
        assert_true(after < 10);
    }
}

static void test_bodies_hold_no_more_than_their_budget(void **state)
{
    struct packed packed = pack(text, sizeof(text) - 1, 15 + 16);
    struct http_budget budget = {.max_bytes = HTTP_BODY_INFLATE_BYTES + 8192};
    struct metric held = {0};
    struct http_body bodies[3];
    static char piece[8192];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        http_body_init(&bodies[i]);
        bodies[i].budget = &budget;
        bodies[i].held = &held;
    }
    http_body_start(&bodies[0], HTTP_GZIP, sizeof(piece));
    assert_int_equal(metric_get(&held), HTTP_BODY_INFLATE_BYTES);
    http_body_start(&bodies[1], HTTP_GZIP, sizeof(piece)); /* no room for a second one */
    assert_int_equal(bodies[1].code, ERR_BUSY);
    add(&bodies[1], &packed, 0, packed.len);
    assert_int_equal(bodies[1].bytes.cap, 0);

    http_body_start(&bodies[1], HTTP_IDENTITY, sizeof(piece));
    http_body_add(&bodies[1], piece, sizeof(piece));
    assert_int_equal(bodies[1].code, ERR_OK);
    http_body_start(&bodies[2], HTTP_IDENTITY, sizeof(piece));
    http_body_add(&bodies[2], piece, HTTP_BODY_FREE_MAX); /* costs nothing */
    assert_int_equal(bodies[2].code, ERR_OK);
    http_body_add(&bodies[2], piece, 1);
    assert_int_equal(bodies[2].code, ERR_BUSY);
    assert_int_equal(bodies[2].bytes.cap, 0); /* and holds nothing */
    assert_int_equal(metric_get(&held), budget.max_bytes);

    add(&bodies[0], &packed, 0, packed.len);
    http_body_end(&bodies[0]);
    check_text(&bodies[0]);
    assert_int_equal(metric_get(&held), sizeof(piece)); /* what inflated it is gone */
    http_body_drop(&bodies[1]);
    assert_int_equal(metric_get(&held), 0);
    http_body_start(&bodies[2], HTTP_IDENTITY, sizeof(piece));
    http_body_add(&bodies[2], piece, sizeof(piece));
    assert_int_equal(bodies[2].code, ERR_OK);
    for (size_t i = 0; i < 3; i++)
        http_body_release(&bodies[i]);
    assert_int_equal(metric_get(&held), 0);
    assert_int_equal(budget.used_bytes, 0);
}

/* The limit is the route's, and one connection asks for several. */
static void test_each_body_has_a_limit_of_its_own(void **state)
{
    static const size_t limits[] = {100, 5000, 100};
    static char piece[5001];
    struct http_body body;

    (void)state;
    http_body_init(&body);
    for (size_t i = 0; i < 3; i++) {
        http_body_start(&body, HTTP_IDENTITY, limits[i]);
        http_body_add(&body, piece, limits[i]);
        http_body_end(&body);
        assert_int_equal(body.code, ERR_OK);
        assert_int_equal(body.bytes.len, limits[i]);
        http_body_start(&body, HTTP_IDENTITY, limits[i]);
        http_body_add(&body, piece, limits[i] + 1);
        assert_int_equal(body.code, ERR_TOO_BIG);
    }
    http_body_release(&body);
}

/* Without it a few bytes would cost as much time as the limit takes to fill. */
static void test_the_budget_ends_inflating_and_not_the_limit(void **state)
{
    static const char spaces[200000];
    struct packed packed = pack(spaces, sizeof(spaces), 15 + 16);
    struct http_budget budget = {.max_bytes = HTTP_BODY_INFLATE_BYTES + 16384};
    struct http_body body;

    (void)state;
    http_body_init(&body);
    body.budget = &budget;
    http_body_start(&body, HTTP_GZIP, LIMIT);
    add(&body, &packed, 0, packed.len);
    assert_int_equal(body.code, ERR_BUSY);
    http_body_release(&body);
    assert_int_equal(budget.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_is_the_same_split_at_every_byte),
        cmocka_unit_test(test_body_cut_short_anywhere_is_corrupt),
        cmocka_unit_test(test_body_with_a_flipped_bit_never_passes_for_the_text),
        cmocka_unit_test(test_body_takes_several_gzip_members),
        cmocka_unit_test(test_body_refuses_bytes_behind_a_stream),
        cmocka_unit_test(test_body_stops_a_bomb_at_its_limit),
        cmocka_unit_test(test_body_is_refused_one_byte_past_its_limit),
        cmocka_unit_test(test_body_without_a_byte_is_empty_in_any_encoding),
        cmocka_unit_test(test_body_survives_each_failed_allocation),
        cmocka_unit_test(test_bodies_hold_no_more_than_their_budget),
        cmocka_unit_test(test_the_budget_ends_inflating_and_not_the_limit),
        cmocka_unit_test(test_each_body_has_a_limit_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
