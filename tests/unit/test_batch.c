/* test_batch.c -- jobs become rows or dead ones, and keep their places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "processor/store/batch.h"
#include "processor/store/copy.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"

#define BATCH_ID "01a203d8-1dfd-72d1-9eb4-83170bde1f04"

#define JOB(id)                                                                          \
    "{" id "\"site_id\":\"s\",\"event_type\":\"e\",\"path\":\"/\",\"user_id\":null,"     \
    "\"timestamp\":\"2025-11-14T10:00:00Z\"}"

static const char with_id[] =
    JOB("\"event_id\":\"0190a1b2-c3d4-7e5f-8a6b-000000000001\",");
static const char without_id[] = JOB("");
static const char broken[] = "{\"site_id\":\"s\"";

static enum err_code add(struct batch *batch, struct event_parser *parser, size_t place,
                         const char *job)
{
    struct err err;

    return batch_add(batch, parser, place, job, strlen(job), &err);
}

static void test_jobs_become_rows_and_wrong_ones_are_dead(void **state)
{
    struct event_parser *parser = event_parser_new();
    struct batch batch;

    (void)state;
    assert_non_null(parser);
    batch_init(&batch);
    batch_begin(&batch, BATCH_ID);
    assert_int_equal(add(&batch, parser, 0, with_id), ERR_OK);
    assert_int_equal(add(&batch, parser, 1, broken), ERR_OK);
    assert_int_equal(add(&batch, parser, 2, without_id), ERR_OK);
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch_alive(&batch), 2);
    assert_true(batch.items[1].is_dead);
    assert_non_null(strstr(batch.items[1].reason, "JSON"));
    assert_string_equal(batch.items[1].sqlstate, "");
    assert_int_equal(batch.items[1].row_len, 0);
    assert_int_equal(batch_alive_index(&batch, 0), 0);
    assert_int_equal(batch_alive_index(&batch, 1), 2);
    assert_int_equal(batch.items[0].event_id.bytes[15], 1);
    assert_int_equal(batch.items[2].row_at, batch.items[0].row_len);
    assert_int_equal(batch.rows.len, batch.items[0].row_len + batch.items[2].row_len);
    batch_release(&batch);
    event_parser_free(parser);
}

static void test_a_buried_row_is_passed_over(void **state)
{
    struct event_parser *parser = event_parser_new();
    struct batch batch;
    struct err err;

    (void)state;
    batch_init(&batch);
    batch_begin(&batch, BATCH_ID);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add(&batch, parser, i, without_id), ERR_OK);
    assert_int_equal(batch_bury(&batch, 1, "22001", "too long", &err), ERR_OK);
    assert_int_equal(batch_alive(&batch), 2);
    assert_int_equal(batch_alive_index(&batch, 1), 2);
    assert_string_equal(batch.items[1].sqlstate, "22001");
    assert_string_equal(batch.items[1].reason, "too long");
    batch_begin(&batch, BATCH_ID);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.dead, 0);
    batch_release(&batch);
    event_parser_free(parser);
}

#define EVENT(id, day)                                                                   \
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a6b-00000000000" id "\",\"site_id\":\"s\","     \
    "\"event_type\":\"e\",\"path\":\"/\",\"user_id\":null,"                              \
    "\"timestamp\":\"" day "T10:00:00Z\"}"

static void test_a_batch_is_in_the_order_of_times_ids_and_places(void **state)
{
    static const char *const jobs[] = {
        EVENT("2", "2025-11-15"),
        EVENT("3", "2025-11-14"),
        EVENT("1", "2025-11-15"),
        EVENT("2", "2025-11-15"),
        EVENT("9", "1969-12-31"),
        EVENT("5", "1969-12-30"),
        without_id, /* of the 14th */
        without_id,
    };
    static const size_t places[] = {5, 4, 1, 6, 7, 2, 0, 3};
    struct event_parser *parser = event_parser_new();
    struct batch batch;

    (void)state;
    batch_init(&batch);
    batch_begin(&batch, BATCH_ID);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
        assert_int_equal(add(&batch, parser, i, jobs[i]), ERR_OK);
    batch_sort(&batch);
    for (size_t i = 0; i < batch.count; i++)
        assert_int_equal(batch.items[i].place, places[i]);
    assert_int_equal(batch.items[0].timestamp_ms, -INT64_C(136800000));
    assert_int_equal(batch.items[1].timestamp_ms, -INT64_C(50400000));
    batch_release(&batch);
    event_parser_free(parser);
}

static void test_ids_that_are_made_are_stable_and_distinct(void **state)
{
    struct uuid batch;
    struct uuid other;
    struct uuid seen[300];

    (void)state;
    assert_int_equal(uuid_parse(BATCH_ID, strlen(BATCH_ID), &batch), ERR_OK);
    assert_int_equal(
        uuid_parse("01a203d8-1e06-7763-a47f-16ff4437aa8d", UUID_TEXT_LEN, &other),
        ERR_OK);
    for (size_t i = 0; i < 300; i++) {
        struct uuid again = batch_event_id(&batch, i);

        seen[i] = batch_event_id(&batch, i);
        assert_memory_equal(&seen[i], &again, sizeof(again));
        assert_int_equal(seen[i].bytes[6] >> 4, 8); /* the version */
        assert_int_equal(seen[i].bytes[8] >> 6, 2); /* the variant */
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&seen[i], &seen[j], sizeof(seen[i]));
        again = batch_event_id(&other, i);
        assert_memory_not_equal(&seen[i], &again, sizeof(again));
    }
}

static void test_a_batch_id_of_any_text_will_do(void **state)
{
    struct batch one;
    struct batch two;

    (void)state;
    batch_init(&one);
    batch_init(&two);
    batch_begin(&one, "by hand");
    batch_begin(&two, "by hanD");
    assert_memory_not_equal(&one.uuid, &two.uuid, sizeof(one.uuid));
    batch_begin(&two, "by hand");
    assert_memory_equal(&one.uuid, &two.uuid, sizeof(one.uuid));
    batch_release(&one);
    batch_release(&two);
}

static void test_a_batch_survives_each_failed_allocation(void **state)
{
    struct event_parser *parser = event_parser_new();
    bool failed = true;

    (void)state;
    for (long after = 0; failed; after++) {
        struct batch batch;
        struct err err;
        size_t count = 0;

        assert_true(after < 10000);
        batch_init(&batch);
        batch_begin(&batch, BATCH_ID);
        failed = false;
        mem_fail_after(after);
        for (size_t i = 0; i < 600 && !failed; i++) {
            count = batch.count;
            failed = add(&batch, parser, i, i % 100 == 99 ? broken : with_id) != ERR_OK;
        }
        if (failed)
            assert_int_equal(batch.count, count);
        else
            failed = batch_bury(&batch, 0, "22001", "r", &err) != ERR_OK;
        mem_fail_after(-1);
        batch_release(&batch);
    }
    event_parser_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jobs_become_rows_and_wrong_ones_are_dead),
        cmocka_unit_test(test_a_buried_row_is_passed_over),
        cmocka_unit_test(test_a_batch_is_in_the_order_of_times_ids_and_places),
        cmocka_unit_test(test_ids_that_are_made_are_stable_and_distinct),
        cmocka_unit_test(test_a_batch_id_of_any_text_will_do),
        cmocka_unit_test(test_a_batch_survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
