/* fuzz_segment.c -- spool files: whatever the bytes are, every one of them is accounted
 * for, a record that is given out is one that would be written, and it does not matter in
 * which pieces a file is read.  Then the input as jobs, written, damaged in one place and
 * read again. */
#include <stdbool.h>
#include <string.h>

#include "ingestion/spool/segment.h"
#include "shared/base/buf.h"
#include "tests/fuzz/fuzz.h"

enum {
    OUT_MAX = 8 << 20
};

/* What a reader has got so far. */
struct found {
    struct buf records; /* the jobs of all records, written anew */
    size_t count;
    size_t damaged;
    size_t torn;
};

static void check_record(const char *start, const struct segment_piece *piece,
                         struct found *found)
{
    struct segment_record record;
    size_t offset = 0;
    size_t before = found->records.len;
    const char *job;
    size_t len;

    MUST(segment_begin(&record, &found->records) == ERR_OK);
    while (segment_next_job(piece, &offset, &job, &len)) {
        MUST(job[0] == '{' && job[len - 1] == '}' && !memchr(job, '\n', len));
        MUST(segment_add(&record, job, len) == ERR_OK);
    }
    MUST(record.count == piece->count);
    segment_end(&record);
    MUST(found->records.len - before == piece->len);
    MUST(memcmp(found->records.data + before, start, piece->len) == 0);
    found->count++;
}

/* Reads the bytes with `step` more of them in view each time more are asked for. */
static struct found read_all(const char *bytes, size_t size, size_t step)
{
    struct found found = {.count = 0};
    size_t at = 0;
    size_t shown = 0;

    buf_init(&found.records, OUT_MAX);
    for (;;) {
        size_t view = shown < size ? shown : size;
        struct segment_piece piece = segment_read(bytes + at, view - at, shown >= size);
        if (piece.kind == SEGMENT_END)
            break;
        if (piece.kind == SEGMENT_MORE) {
            MUST(shown < size);
            shown += step;
            continue;
        }
        MUST(piece.len > 0 && piece.len <= view - at);
        if (piece.kind == SEGMENT_RECORD)
            check_record(bytes + at, &piece, &found);
        found.damaged += piece.kind == SEGMENT_DAMAGED ? piece.len : 0;
        found.torn += piece.kind == SEGMENT_TORN ? piece.len : 0;
        at += piece.len;
        MUST(piece.kind != SEGMENT_TORN || at == size);
    }
    MUST(at == size);
    MUST(found.records.len + found.damaged + found.torn == size);
    return found;
}

static void check_same(struct found *a, struct found *b)
{
    MUST(a->count == b->count && a->damaged == b->damaged && a->torn == b->torn);
    MUST(a->records.len == b->records.len);
    MUST(a->records.len == 0 ||
         memcmp(a->records.data, b->records.data, a->records.len) == 0);
}

static void check_bytes(const char *bytes, size_t size, size_t step)
{
    struct found whole = read_all(bytes, size, size + 1);
    struct found pieces = read_all(bytes, size, step);

    check_same(&whole, &pieces);
    buf_release(&whole.records);
    buf_release(&pieces.records);
}

/* Writes the lines of the input as records of one to four jobs; returns how many. */
static size_t write_lines(const char *bytes, size_t size, struct buf *out)
{
    struct segment_record record;
    const char *end = bytes + size;
    size_t count = 0;

    MUST(segment_begin(&record, out) == ERR_OK);
    while (bytes < end) {
        const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t len = (size_t)((stop ? stop : end) - bytes);
        bool is_job = len >= 2 && bytes[0] == '{' && bytes[len - 1] == '}';
        MUST(segment_add(&record, bytes, len) == (is_job ? ERR_OK : ERR_INVALID));
        if (record.count == 1 + count % 4) {
            segment_end(&record);
            count++;
            MUST(segment_begin(&record, out) == ERR_OK);
        }
        bytes += len + 1;
    }
    count += record.count > 0;
    segment_end(&record);
    return count;
}

/* What was written comes back; with one byte changed, all but one record does; cut off,
 * all but the last that is left do. */
static void check_jobs(const char *bytes, size_t size, size_t where, int change)
{
    struct buf file;
    struct found found;
    size_t count;

    buf_init(&file, OUT_MAX);
    count = write_lines(bytes, size, &file);
    found = read_all(file.data, file.len, 1 + where % 100);
    MUST(found.count == count && found.damaged == 0 && found.torn == 0);
    buf_release(&found.records);
    if (file.len > 0) {
        where %= file.len;
        found = read_all(file.data, where, 1 + where % 100);
        MUST(found.count < count && found.damaged == 0);
        buf_release(&found.records);
        file.data[where] = (char)(file.data[where] ^ change);
        found = read_all(file.data, file.len, file.len);
        MUST(found.count == count - 1 && found.damaged > 0 && found.torn == 0);
        buf_release(&found.records);
    }
    buf_release(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t where;
    int change;

    check_bytes(bytes, size, 1 + size % 60);
    if (size < 4)
        return 0;
    where = (size_t)data[0] << 8 | data[1];
    change = data[2] ? data[2] : 1;
    check_jobs(bytes + 3, size - 3, where, change);
    return 0;
}
