/* records.c -- see records.h. */
#include "ingestion/spool/records.h"

#include "ingestion/commit/group.h"
#include "ingestion/spool/segment.h"

enum {
    APPEND_BYTES =
        4 * 1024 * 1024,      /* enough for one append; a single group may be more */
    KEPT_BYTES = 1024 * 1024, /* memory kept between appends */
};

void records_init(struct buf *records, size_t group_max_bytes)
{
    /* A job is shorter here than in a group, by more than its share of a header. */
    buf_init(records, APPEND_BYTES + group_max_bytes + SEGMENT_RECORD_MAX);
}

static enum err_code add_job(struct segment_record *record, const char *job, size_t len)
{
    struct buf *out = record->out;

    if (segment_is_full(record, len)) {
        enum err_code code;
        segment_end(record);
        code = segment_begin(record, out);
        if (code)
            return code;
    }
    return segment_add(record, job, len);
}

enum err_code records_add(struct buf *records, const struct group *group, int64_t room)
{
    size_t before = records->len;
    struct segment_record record;
    const char *job;
    size_t len;
    size_t offset = 0;
    enum err_code code;

    if (room > APPEND_BYTES)
        room = APPEND_BYTES;
    if (before > 0 && before + group_bytes(group) > (size_t)room)
        return ERR_BUSY;
    code = segment_begin(&record, records);
    while (!code && group_next_job(group, &offset, &job, &len))
        code = add_job(&record, job, len);
    if (code)
        records->len = before;
    else
        segment_end(&record);
    return code == ERR_TOO_BIG ? ERR_BUSY : code;
}

void records_clear(struct buf *records)
{
    if (records->cap > KEPT_BYTES)
        buf_release(records);
    buf_clear(records);
}
