/* test_uuid.c -- the text form of UUIDs, and the order of those we make. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/text/uuid.h"

static void test_uuid_is_read_in_any_case_and_written_in_lower_case(void **state)
{
    static const char *const rows[][2] = {
        {"00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"},
        {"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
        {"01234567-89aB-CdEf-fEdC-bA9876543210", "01234567-89ab-cdef-fedc-ba9876543210"},
        {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
        {"f81d4fae-7dec-41d0-a765-00a0c91e6bf6", "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"},
        {"018f3c4e-0000-7000-8000-00000000abcd", "018f3c4e-0000-7000-8000-00000000abcd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uuid uuid;
        char text[UUID_TEXT_LEN + 1] = {0};
        assert_int_equal(uuid_parse(rows[i][0], UUID_TEXT_LEN, &uuid), ERR_OK);
        uuid_format(&uuid, text);
        assert_string_equal(text, rows[i][1]);
    }
}

static void test_uuid_bytes_are_in_network_order(void **state)
{
    static const uint8_t want[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                   0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
    struct uuid uuid;

    (void)state;
    assert_int_equal(
        uuid_parse("01234567-89ab-cdef-fedc-ba9876543210", UUID_TEXT_LEN, &uuid), ERR_OK);
    assert_memory_equal(uuid.bytes, want, sizeof(want));
}

static void test_uuid_refuses_other_forms(void **state)
{
    static const char *const rows[] = {
        "",
        "x",
        "0123456789abcdeffedcba9876543210",
        "01234567-89ab-cdef-fedc-ba987654321",
        "01234567-89ab-cdef-fedc-ba98765432100",
        "{01234567-89ab-cdef-fedc-ba9876543210}",
        "01234567:89ab:cdef:fedc:ba9876543210",
        "01234567-89ab-cdef-fedcba-9876543210",
        "0123456-789ab-cdef-fedc-ba9876543210",
        "01234567-89ab-cdef-fedc-ba987654321g",
        "01234567-89ab-cdef-fedc-ba987654321 ",
        " 1234567-89ab-cdef-fedc-ba9876543210",
        "urn:uuid:01234567-89ab-cdef-fedc-ba98",
        "------------------------------------",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uuid uuid;
        if (uuid_parse(rows[i], strlen(rows[i]), &uuid) != ERR_INVALID)
            fail_msg("accepted: %s", rows[i]);
    }
}

static void test_uuid_refuses_each_single_wrong_byte(void **state)
{
    static const char good[] = "01234567-89ab-cdef-fedc-ba9876543210";

    (void)state;
    for (size_t at = 0; at < UUID_TEXT_LEN; at++) {
        for (int c = 0; c < 256; c++) {
            char text[UUID_TEXT_LEN];
            struct uuid uuid;
            bool is_fine =
                good[at] == '-' ? c == '-' : c && strchr("0123456789abcdefABCDEF", c);
            memcpy(text, good, sizeof(text));
            text[at] = (char)c;
            assert_int_equal(uuid_parse(text, sizeof(text), &uuid) == ERR_OK, is_fine);
        }
    }
}

static void test_uuid_v7_has_its_version_its_time_and_its_order(void **state)
{
    struct uuid last = {{0}};
    int64_t before_ms = clock_wall_ms();

    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct uuid uuid = uuid_v7();
        int64_t ms = 0;
        for (size_t b = 0; b < 6; b++)
            ms = ms << 8 | uuid.bytes[b];
        assert_int_equal(uuid.bytes[6] >> 4, 7);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_true(ms >= before_ms);
        assert_true(ms <= clock_wall_ms() + 100); /* what a burst may borrow */
        assert_true(memcmp(&uuid, &last, sizeof(uuid)) > 0);
        last = uuid;
    }
}

enum {
    THREADS = 4,
    PER_THREAD = 50000,
};

static struct uuid made[THREADS * PER_THREAD];

static void *make_many(void *first)
{
    struct uuid *at = first;

    for (int i = 0; i < PER_THREAD; i++)
        at[i] = uuid_v7();
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static void test_uuid_v7_of_several_threads_are_all_different(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, make_many, made + i * PER_THREAD), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    qsort(made, sizeof(made) / sizeof(made[0]), sizeof(made[0]), compare);
    for (size_t i = 1; i < sizeof(made) / sizeof(made[0]); i++)
        assert_int_not_equal(compare(&made[i - 1], &made[i]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid_is_read_in_any_case_and_written_in_lower_case),
        cmocka_unit_test(test_uuid_bytes_are_in_network_order),
        cmocka_unit_test(test_uuid_refuses_other_forms),
        cmocka_unit_test(test_uuid_refuses_each_single_wrong_byte),
        cmocka_unit_test(test_uuid_v7_has_its_version_its_time_and_its_order),
        cmocka_unit_test(test_uuid_v7_of_several_threads_are_all_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
