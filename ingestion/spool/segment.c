/* segment.c -- see segment.h. */
#include "ingestion/spool/segment.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "shared/base/buf.h"
#include "shared/base/hex.h"

/* Where the parts of a header stand. */
enum {
    AT_LENGTH = 8,
    AT_COUNT = 17,
    AT_JOBS_CRC = 26,
    AT_HEADER_CRC = 35,
    AT_LINE_FEED = 43,
    NUMBER_LEN = 8,
};

static const char magic[] = "EVENTS1 ";

struct header {
    uint32_t length;
    uint32_t count;
    uint32_t jobs_crc;
};

static uint32_t checksum(const char *bytes, size_t len)
{
    return (uint32_t)crc32_z(0, (const Bytef *)bytes, len);
}

/* A job is an object.  More than that is not looked at: a checksum vouches for it. */
static bool has_braces(const char *job, size_t len)
{
    return len >= 2 && job[0] == '{' && job[len - 1] == '}';
}

/* --- writing ---------------------------------------------------------------- */

enum err_code segment_begin(struct segment_record *record, struct buf *out)
{
    enum err_code code = buf_reserve(out, SEGMENT_HEADER_LEN);

    if (code)
        return code;
    *record = (struct segment_record){.out = out, .start = out->len};
    out->len += SEGMENT_HEADER_LEN; /* written by segment_end() */
    return ERR_OK;
}

static size_t jobs_len(const struct segment_record *record)
{
    return record->out->len - record->start - SEGMENT_HEADER_LEN;
}

bool segment_is_full(const struct segment_record *record, size_t len)
{
    return record->count >= SEGMENT_COUNT_MAX || len >= SEGMENT_JOBS_MAX ||
           jobs_len(record) > SEGMENT_JOBS_MAX - 1 - len;
}

enum err_code segment_add(struct segment_record *record, const char *job, size_t len)
{
    struct buf *out = record->out;
    enum err_code code;

    if (!has_braces(job, len) || memchr(job, '\n', len))
        return ERR_INVALID;
    if (segment_is_full(record, len))
        return ERR_TOO_BIG;
    code = buf_reserve(out, len + 1);
    if (code)
        return code;
    memcpy(out->data + out->len, job, len);
    out->data[out->len + len] = '\n';
    out->len += len + 1;
    record->count++;
    return ERR_OK;
}

void segment_end(struct segment_record *record)
{
    struct buf *out = record->out;
    size_t len = jobs_len(record);
    char *start = out->data + record->start;
    char text[SEGMENT_HEADER_LEN + 1];
    int written;

    if (record->count == 0) {
        out->len = record->start;
        return;
    }
    written = snprintf(text, sizeof(text), "%s%08zx %08zx %08x ", magic, len,
                       record->count, checksum(start + SEGMENT_HEADER_LEN, len));
    assert(written == AT_HEADER_CRC);
    (void)snprintf(text + written, sizeof(text) - (size_t)written, "%08x\n",
                   checksum(text, AT_HEADER_CRC));
    memcpy(start, text, SEGMENT_HEADER_LEN);
}

/* --- reading ---------------------------------------------------------------- */

/* Reads eight digits, in lower case only: each number has one form. */
static bool read_number(const char *text, uint32_t *ret_number)
{
    uint32_t number = 0;

    for (int i = 0; i < NUMBER_LEN; i++) {
        int digit = hex_value(text[i]);
        if (digit < 0 || (text[i] >= 'A' && text[i] <= 'F'))
            return false;
        number = number << 4 | (uint32_t)digit;
    }
    *ret_number = number;
    return true;
}

/* True when the bytes begin with a header that verifies. */
static bool read_header(const char *bytes, size_t len, struct header *ret_header)
{
    uint32_t header_crc;

    return len >= SEGMENT_HEADER_LEN && memcmp(bytes, magic, sizeof(magic) - 1) == 0 &&
           bytes[AT_COUNT - 1] == ' ' && bytes[AT_JOBS_CRC - 1] == ' ' &&
           bytes[AT_HEADER_CRC - 1] == ' ' && bytes[AT_LINE_FEED] == '\n' &&
           read_number(bytes + AT_LENGTH, &ret_header->length) &&
           read_number(bytes + AT_COUNT, &ret_header->count) &&
           read_number(bytes + AT_JOBS_CRC, &ret_header->jobs_crc) &&
           read_number(bytes + AT_HEADER_CRC, &header_crc) &&
           header_crc == checksum(bytes, AT_HEADER_CRC) && ret_header->length > 0 &&
           ret_header->length <= SEGMENT_JOBS_MAX && ret_header->count > 0 &&
           ret_header->count <= SEGMENT_COUNT_MAX;
}

bool segment_next_job(const struct segment_piece *record, size_t *offset,
                      const char **ret_job, size_t *ret_len)
{
    const char *job = record->jobs + *offset;
    size_t left = record->jobs_len - *offset;
    const char *end = left ? memchr(job, '\n', left) : NULL;

    if (!end)
        return false;
    *ret_job = job;
    *ret_len = (size_t)(end - job);
    *offset += *ret_len + 1;
    return true;
}

/* True when the lines are as many as the header says, and each may be a job. */
static bool has_its_jobs(const struct segment_piece *record)
{
    const char *job;
    size_t offset = 0;
    size_t count = 0;
    size_t len;

    while (segment_next_job(record, &offset, &job, &len)) {
        if (!has_braces(job, len))
            return false;
        count++;
    }
    return count == record->count && offset == record->jobs_len;
}

/* How far it is to the next header, not counting the first byte; len when there is none.
 * Unless the file ends here, one that begins in the last bytes may yet be completed. */
static size_t find_header(const char *bytes, size_t len, bool is_last)
{
    const char *at = bytes + 1;
    size_t end = is_last ? len : len - (SEGMENT_HEADER_LEN - 1);
    struct header header;

    while (at < bytes + end) {
        at = memchr(at, magic[0], (size_t)(bytes + end - at));
        if (!at)
            return end;
        if (read_header(at, (size_t)(bytes + len - at), &header))
            return (size_t)(at - bytes);
        at++;
    }
    return end;
}

static struct segment_piece piece(enum segment_kind kind, size_t len)
{
    return (struct segment_piece){.kind = kind, .len = len};
}

/* A record of which only the beginning is there. */
static struct segment_piece read_short(const char *bytes, size_t len, bool is_last)
{
    size_t next;

    if (!is_last)
        return piece(SEGMENT_MORE, 0);
    /* Nothing is ever written after a record that was cut short by a crash: a header in
     * here means that bytes are missing in the middle of the file. */
    next = find_header(bytes, len, true);
    return piece(next < len ? SEGMENT_DAMAGED : SEGMENT_TORN, next);
}

struct segment_piece segment_read(const char *bytes, size_t len, bool is_last)
{
    struct header header;
    struct segment_piece record;

    if (len < SEGMENT_HEADER_LEN) {
        if (!is_last)
            return piece(SEGMENT_MORE, 0);
        return len == 0 ? piece(SEGMENT_END, 0) : piece(SEGMENT_TORN, len);
    }
    if (!read_header(bytes, len, &header))
        return piece(SEGMENT_DAMAGED, find_header(bytes, len, is_last));
    if (len - SEGMENT_HEADER_LEN < header.length)
        return read_short(bytes, len, is_last);
    record = (struct segment_piece){
        .kind = SEGMENT_RECORD,
        .len = SEGMENT_HEADER_LEN + header.length,
        .jobs = bytes + SEGMENT_HEADER_LEN,
        .jobs_len = header.length,
        .count = header.count,
    };
    if (checksum(record.jobs, record.jobs_len) != header.jobs_crc ||
        !has_its_jobs(&record))
        return piece(SEGMENT_DAMAGED, find_header(bytes, len, is_last));
    return record;
}
