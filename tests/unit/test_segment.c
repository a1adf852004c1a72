/* test_segment.c -- spool files give back what was put in, whatever is cut off or changed
 * in them, and never anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "ingestion/spool/segment.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum {
    OUT_MAX = 4 * 1024 * 1024,
    FOUND_MAX = 16
};

/* What a reader got out of a file. */
struct found {
    size_t records;
    size_t starts[FOUND_MAX]; /* of the records */
    size_t damaged;           /* bytes */
    size_t torn;              /* bytes */
    char jobs[4096];          /* all lines, one after the other */
    size_t jobs_len;
};

static void take_jobs(struct found *found, const struct segment_piece *piece)
{
    size_t offset = 0;
    size_t count = 0;
    const char *job;
    size_t len;

    while (segment_next_job(piece, &offset, &job, &len)) {
        assert_true(found->jobs_len + len + 1 <= sizeof(found->jobs));
        memcpy(found->jobs + found->jobs_len, job, len);
        found->jobs_len += len;
        found->jobs[found->jobs_len++] = '\n';
        count++;
    }
    assert_int_equal(offset, piece->jobs_len);
    assert_int_equal(count, piece->count);
}

/* Reads a file through a window that shows `step` further bytes each time it is asked to
 * show more. */
static struct found read_all(const char *bytes, size_t len, size_t step)
{
    struct found found = {.records = 0};
    size_t at = 0;
    size_t shown = 0;

    for (;;) {
        struct segment_piece piece =
            segment_read(bytes + at, (shown < len ? shown : len) - at, shown >= len);
        if (piece.kind == SEGMENT_END)
            break;
        if (piece.kind == SEGMENT_MORE) {
            assert_true(shown < len);
            shown += step;
            continue;
        }
        assert_true(piece.len > 0);
        if (piece.kind == SEGMENT_RECORD) {
            assert_true(found.records < FOUND_MAX);
            found.starts[found.records++] = at;
            take_jobs(&found, &piece);
        }
        found.damaged += piece.kind == SEGMENT_DAMAGED ? piece.len : 0;
        found.torn += piece.kind == SEGMENT_TORN ? piece.len : 0;
        at += piece.len;
    }
    assert_int_equal(at, len);
    return found;
}

static void add_record(struct buf *out, const char *const *jobs, size_t count)
{
    struct segment_record record;

    assert_int_equal(segment_begin(&record, out), ERR_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(segment_add(&record, jobs[i], strlen(jobs[i])), ERR_OK);
    segment_end(&record);
}

static const char *const first[] = {"{\"a\":1}"};
static const char *const second[] = {"{\"b\":\"EVENTS1 0000\"}", "{}", "{\"c\":[]}"};
static const char *const third[] = {"{\"d\":null}"};
static const char all_jobs[] =
    "{\"a\":1}\n{\"b\":\"EVENTS1 0000\"}\n{}\n{\"c\":[]}\n{\"d\":null}\n";

/* A file of three records, and where each ends. */
static void make_file(struct buf *out, size_t *ends)
{
    buf_init(out, OUT_MAX);
    add_record(out, first, 1);
    ends[0] = out->len;
    add_record(out, second, 3);
    ends[1] = out->len;
    add_record(out, third, 1);
    ends[2] = out->len;
}

static size_t count_ends(const size_t *ends, size_t len)
{
    size_t count = 0;

    while (count < 3 && ends[count] <= len)
        count++;
    return count;
}

/* --- what comes out --------------------------------------------------------- */

static void test_segment_gives_back_what_was_put_in(void **state)
{
    static const size_t steps[] = {1, 7, 43, 44, 45, 100, OUT_MAX};
    struct buf file;
    size_t ends[3];

    (void)state;
    make_file(&file, ends);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct found found = read_all(file.data, file.len, steps[i]);
        assert_int_equal(found.records, 3);
        assert_int_equal(found.damaged + found.torn, 0);
        assert_int_equal(found.jobs_len, sizeof(all_jobs) - 1);
        assert_memory_equal(found.jobs, all_jobs, found.jobs_len);
    }
    buf_release(&file);
}

static void test_segment_is_text_that_a_person_can_read(void **state)
{
    struct buf file;
    size_t ends[3];
    char line[64];
    unsigned jobs_crc;

    (void)state;
    make_file(&file, ends);
    jobs_crc = (unsigned)crc32(0, (const Bytef *)"{\"a\":1}\n", 8);
    (void)snprintf(line, sizeof(line), "EVENTS1 00000008 00000001 %08x ", jobs_crc);
    (void)snprintf(line + 35, sizeof(line) - 35, "%08x\n{\"a\":1}\n",
                   (unsigned)crc32(0, (const Bytef *)line, 35));
    assert_int_equal(ends[0], strlen(line));
    assert_memory_equal(file.data, line, ends[0]);
    for (size_t i = 0; i < file.len; i++)
        assert_true(file.data[i] == '\n' || (file.data[i] >= ' ' && file.data[i] <= '~'));
    buf_release(&file);
}

static void test_segment_cut_at_any_length_gives_the_records_before(void **state)
{
    struct buf file;
    size_t ends[3];

    (void)state;
    make_file(&file, ends);
    for (size_t len = 0; len <= file.len; len++) {
        size_t whole = count_ends(ends, len);
        size_t end = whole ? ends[whole - 1] : 0;
        struct found found = read_all(file.data, len, 50);
        assert_int_equal(found.records, whole);
        assert_int_equal(found.torn, len - end);
        assert_int_equal(found.damaged, 0);
        assert_memory_equal(found.jobs, all_jobs, found.jobs_len);
    }
    buf_release(&file);
}

/* Whatever a byte becomes, the record it belongs to is the only one missing. */
static void check_flip(const struct buf *file, const size_t *ends, size_t at,
                       struct found found)
{
    size_t hit = count_ends(ends, at);
    size_t start = hit ? ends[hit - 1] : 0;

    assert_int_equal(found.records, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t record = i < hit ? i : i + 1;
        assert_int_equal(found.starts[i], record ? ends[record - 1] : 0);
    }
    assert_int_equal(found.damaged, ends[hit] - start);
    assert_int_equal(found.torn, 0);
    assert_true(file->len == ends[2]);
}

static void test_segment_notices_every_changed_byte(void **state)
{
    struct buf file;
    size_t ends[3];

    (void)state;
    make_file(&file, ends);
    for (size_t at = 0; at < file.len; at++) {
        char before = file.data[at];
        for (int value = 0; value < 256; value++) {
            if ((char)value == before)
                continue;
            file.data[at] = (char)value;
            check_flip(&file, ends, at, read_all(file.data, file.len, OUT_MAX));
        }
        file.data[at] = (char)(before ^ 0x20);
        check_flip(&file, ends, at, read_all(file.data, file.len, 1));
        file.data[at] = before;
    }
    buf_release(&file);
}

/* --- damage ----------------------------------------------------------------- */

/* The second of three records with the bytes from start to stop missing. */
static void check_hole(const struct buf *file, const size_t *ends, size_t start,
                       size_t stop)
{
    char bytes[1024];
    struct found found;

    assert_true(file->len <= sizeof(bytes));
    memcpy(bytes, file->data, start);
    memcpy(bytes + start, file->data + stop, file->len - stop);
    found = read_all(bytes, file->len - (stop - start), OUT_MAX);
    assert_int_equal(found.records, 2);
    assert_int_equal(found.torn, 0);
    assert_int_equal(found.damaged, ends[1] - ends[0] - (stop - start));
}

static void test_segment_with_bytes_missing_is_damaged_not_torn(void **state)
{
    struct buf file;
    size_t ends[3];

    (void)state;
    make_file(&file, ends);
    for (size_t start = ends[0]; start < ends[1]; start++) {
        for (size_t stop = start + 1; stop <= ends[1]; stop++) {
            if (start > ends[0] || stop < ends[1])
                check_hole(&file, ends, start, stop);
        }
    }
    buf_release(&file);
}

static void test_segment_of_other_bytes_is_all_damage(void **state)
{
    static const char zeros[300];
    char text[300];
    struct found found;

    (void)state;
    found = read_all(zeros, sizeof(zeros), 100);
    assert_int_equal(found.records, 0);
    assert_int_equal(found.damaged + found.torn, sizeof(zeros));
    assert_true(found.damaged > 0);
    memset(text, 'E', sizeof(text));
    found = read_all(text, sizeof(text), 100);
    assert_int_equal(found.records, 0);
    assert_int_equal(found.damaged + found.torn, sizeof(text));
}

static void test_segment_finds_records_between_other_bytes(void **state)
{
    struct buf file;
    struct found found;

    (void)state;
    buf_init(&file, OUT_MAX);
    assert_int_equal(buf_add_text(&file, "EVENTS1 EVENTS1 \n\n"), ERR_OK);
    add_record(&file, first, 1);
    assert_int_equal(buf_add_text(&file, "E"), ERR_OK);
    add_record(&file, second, 3);
    assert_int_equal(buf_add_text(&file, "and more than a header of what is no record"),
                     ERR_OK);
    assert_int_equal(buf_add_text(&file, "........"), ERR_OK);
    found = read_all(file.data, file.len, 10);
    assert_int_equal(found.records, 2);
    assert_int_equal(found.damaged + found.torn, 18 + 1 + 43 + 8);
    buf_release(&file);
}

/* A checksum that fits does not make lengths and counts right that are not. */
static void check_forged(const char *jobs, size_t count, enum segment_kind expected)
{
    struct buf file;
    struct segment_record record;

    buf_init(&file, OUT_MAX);
    assert_int_equal(segment_begin(&record, &file), ERR_OK);
    assert_int_equal(buf_add_text(&file, jobs), ERR_OK);
    record.count = count;
    segment_end(&record);
    assert_int_equal(segment_read(file.data, file.len, true).kind, expected);
    buf_release(&file);
}

static void test_segment_refuses_counts_that_are_not_right(void **state)
{
    (void)state;
    check_forged("{}\n{}\n", 2, SEGMENT_RECORD);
    check_forged("{}\n{}\n", 1, SEGMENT_DAMAGED);
    check_forged("{}\n{}\n", 3, SEGMENT_DAMAGED);
    check_forged("{}\n{}", 2, SEGMENT_DAMAGED);
    check_forged("{}\n{}", 1, SEGMENT_DAMAGED);
    check_forged("{}\n\n", 2, SEGMENT_DAMAGED);
    check_forged("\n{}\n", 2, SEGMENT_DAMAGED);
    check_forged("", 1, SEGMENT_DAMAGED);
    check_forged("{}\n[]\n", 2, SEGMENT_DAMAGED);
    check_forged("{}\n", SEGMENT_COUNT_MAX + 1, SEGMENT_DAMAGED);
}

/* --- limits ----------------------------------------------------------------- */

static void test_segment_takes_jobs_up_to_its_limits(void **state)
{
    struct buf file;
    struct segment_record record;
    struct segment_piece piece;
    char *job = mem_alloc(SEGMENT_JOBS_MAX);
    size_t longest = SEGMENT_JOBS_MAX - 1; /* with its line feed */

    (void)state;
    assert_non_null(job);
    memset(job, '{', SEGMENT_JOBS_MAX);
    job[longest - 4] = '}';
    job[longest] = '}';
    buf_init(&file, OUT_MAX);
    assert_int_equal(segment_begin(&record, &file), ERR_OK);
    assert_true(segment_is_full(&record, longest + 1));
    assert_int_equal(segment_add(&record, job, longest + 1), ERR_TOO_BIG);
    assert_false(segment_is_full(&record, longest));
    assert_int_equal(segment_add(&record, job, longest - 3), ERR_OK);
    assert_true(segment_is_full(&record, 3));
    assert_int_equal(segment_add(&record, "{1}", 3), ERR_TOO_BIG);
    assert_int_equal(segment_add(&record, "{}", 2), ERR_OK);
    assert_true(segment_is_full(&record, 1));
    segment_end(&record);
    assert_int_equal(file.len, SEGMENT_RECORD_MAX);
    piece = segment_read(file.data, file.len, false);
    assert_int_equal(piece.kind, SEGMENT_RECORD);
    assert_int_equal(piece.len, SEGMENT_RECORD_MAX);
    assert_int_equal(segment_read(file.data, file.len - 1, false).kind, SEGMENT_MORE);
    buf_release(&file);
    mem_free(job);
}

static void test_segment_takes_so_many_jobs_and_no_more(void **state)
{
    struct buf file;
    struct segment_record record;

    (void)state;
    buf_init(&file, OUT_MAX);
    assert_int_equal(segment_begin(&record, &file), ERR_OK);
    for (int i = 0; i < SEGMENT_COUNT_MAX; i++)
        assert_int_equal(segment_add(&record, "{}", 2), ERR_OK);
    assert_true(segment_is_full(&record, 2));
    assert_int_equal(segment_add(&record, "{}", 2), ERR_TOO_BIG);
    segment_end(&record);
    assert_int_equal(segment_read(file.data, file.len, true).kind, SEGMENT_RECORD);
    buf_release(&file);
}

static void test_segment_refuses_what_is_no_line(void **state)
{
    struct buf file;
    struct segment_record record;

    (void)state;
    buf_init(&file, OUT_MAX);
    assert_int_equal(segment_begin(&record, &file), ERR_OK);
    assert_int_equal(segment_add(&record, "", 0), ERR_INVALID);
    assert_int_equal(segment_add(&record, "{}\n", 3), ERR_INVALID);
    assert_int_equal(segment_add(&record, "\n", 1), ERR_INVALID);
    assert_int_equal(segment_add(&record, "EVENTS1 {}", 10), ERR_INVALID);
    assert_int_equal(segment_add(&record, " {}", 3), ERR_INVALID);
    assert_int_equal(segment_add(&record, "{} ", 3), ERR_INVALID);
    assert_int_equal(segment_add(&record, "{", 1), ERR_INVALID);
    segment_end(&record);
    assert_int_equal(file.len, 0); /* nothing in it, nothing of it */
    buf_release(&file);
}

static void test_segment_stays_whole_when_the_buffer_is_full(void **state)
{
    struct buf file;
    struct segment_record record;

    (void)state;
    buf_init(&file, SEGMENT_HEADER_LEN + 8);
    assert_int_equal(segment_begin(&record, &file), ERR_OK);
    assert_int_equal(segment_add(&record, "{234567}", 8), ERR_TOO_BIG);
    assert_int_equal(segment_add(&record, "{23456}", 7), ERR_OK);
    assert_int_equal(segment_add(&record, "{}", 2), ERR_TOO_BIG);
    segment_end(&record);
    assert_int_equal(segment_read(file.data, file.len, true).kind, SEGMENT_RECORD);
    assert_int_equal(segment_begin(&record, &file), ERR_TOO_BIG);
    buf_release(&file);
}

/* Fails the 1st, 2nd, 3rd ... allocation; what is there afterwards verifies. */
static void test_segment_survives_allocations_that_fail(void **state)
{
    char job[400];
    bool has_failed = true;

    (void)state;
    memset(job, '{', sizeof(job));
    job[sizeof(job) - 1] = '}';
    for (long after = 0; has_failed; after++) {
        struct buf file;
        struct segment_record record;
        struct segment_piece piece;
        enum err_code code;
        size_t added = 0;
        buf_init(&file, OUT_MAX);
        mem_fail_after(after);
        code = segment_begin(&record, &file);
        has_failed = code != ERR_OK;
        if (has_failed) {
            assert_int_equal(code, ERR_NOMEM);
            assert_int_equal(file.len, 0);
            buf_release(&file);
            continue;
        }
        for (int i = 0; i < 20; i++) {
            code = segment_add(&record, job, sizeof(job));
            has_failed = has_failed || code != ERR_OK;
            added += code == ERR_OK;
        }
        mem_fail_after(-1);
        segment_end(&record);
        piece = segment_read(file.data, file.len, true);
        assert_int_equal(piece.kind, SEGMENT_RECORD);
        assert_int_equal(piece.count, added);
        assert_true(added >= 19);
        buf_release(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segment_gives_back_what_was_put_in),
        cmocka_unit_test(test_segment_is_text_that_a_person_can_read),
        cmocka_unit_test(test_segment_cut_at_any_length_gives_the_records_before),
        cmocka_unit_test(test_segment_notices_every_changed_byte),
        cmocka_unit_test(test_segment_with_bytes_missing_is_damaged_not_torn),
        cmocka_unit_test(test_segment_of_other_bytes_is_all_damage),
        cmocka_unit_test(test_segment_finds_records_between_other_bytes),
        cmocka_unit_test(test_segment_refuses_counts_that_are_not_right),
        cmocka_unit_test(test_segment_takes_jobs_up_to_its_limits),
        cmocka_unit_test(test_segment_takes_so_many_jobs_and_no_more),
        cmocka_unit_test(test_segment_refuses_what_is_no_line),
        cmocka_unit_test(test_segment_stays_whole_when_the_buffer_is_full),
        cmocka_unit_test(test_segment_survives_allocations_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
