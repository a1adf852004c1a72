/* copy.c -- see copy.h.  The format: postgresql.org/docs/15/sql-copy.html, "Binary
 * Format".  Every number is in network order. */
#include "processor/store/copy.h"

#include <assert.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/uuid.h"

/* The columns of a row. */
enum column {
#define COLUMN(NAME, ...) COLUMN_##NAME,
    EVENT_FIELDS(COLUMN)
#undef COLUMN
    EVENT_COLUMNS
};

enum {
    COUNT_BYTES = 2,  /* columns of a row */
    LENGTH_BYTES = 4, /* before each value */
    UUID_BYTES = 16,
    TIMESTAMP_BYTES = 8,
    PLACE_BYTES = 4,
};

/* 2000-01-01, where Postgres's time starts, in milliseconds since 1970. */
#define POSTGRES_EPOCH_MS INT64_C(946684800000)

#define NULL_LENGTH UINT32_MAX

const char *copy_header(void)
{
    return "PGCOPY\n\377\r\n\0"
           "\0\0\0\0"  /* flags: no object ids */
           "\0\0\0\0"; /* no extension of the header */
}

const char *copy_trailer(void)
{
    return "\377\377";
}

/* The writers below fill memory that was reserved for the whole row. */
static char *put_u16(char *at, uint16_t value)
{
    at[0] = (char)(value >> 8);
    at[1] = (char)(value & 0xff);
    return at + 2;
}

static char *put_u32(char *at, uint32_t value)
{
    at = put_u16(at, (uint16_t)(value >> 16));
    return put_u16(at, (uint16_t)(value & 0xffff));
}

static char *put_u64(char *at, uint64_t value)
{
    at = put_u32(at, (uint32_t)(value >> 32));
    return put_u32(at, (uint32_t)(value & UINT32_MAX));
}

static char *put_bytes(char *at, const void *bytes, size_t len)
{
    at = put_u32(at, (uint32_t)len);
    if (len > 0)
        memcpy(at, bytes, len);
    return at + len;
}

static size_t bytes_TEXT(const struct event_text *text)
{
    return text->len;
}

static size_t bytes_TIME(const int64_t *ms)
{
    (void)ms;
    return TIMESTAMP_BYTES;
}

static size_t bytes_UUID(const struct uuid *uuid)
{
    return sizeof(uuid->bytes);
}

static char *put_TEXT(char *at, const struct event_text *text)
{
    return text->bytes ? put_bytes(at, text->bytes, text->len) : put_u32(at, NULL_LENGTH);
}

static char *put_TIME(char *at, const int64_t *ms)
{
    at = put_u32(at, TIMESTAMP_BYTES);
    return put_u64(at, (uint64_t)((*ms - POSTGRES_EPOCH_MS) * 1000));
}

/* event_id stands in front, under the id that the batch gives it. */
static char *put_UUID(char *at, const struct uuid *uuid)
{
    (void)uuid;
    return at;
}

#define BYTES(NAME, key, TYPE, member, ...) len += bytes_##TYPE(&event->member);
#define PUT(NAME, key, TYPE, member, ...)   at = put_##TYPE(at, &event->member);

enum err_code copy_add_row(struct buf *out, const struct uuid *event_id,
                           const struct event *event)
{
    size_t len = COUNT_BYTES + EVENT_COLUMNS * LENGTH_BYTES;
    enum err_code code;
    char *at;

    EVENT_FIELDS(BYTES)
    code = buf_reserve(out, len);
    if (code)
        return code;
    at = out->data + out->len;
    at = put_u16(at, EVENT_COLUMNS);
    at = put_bytes(at, event_id->bytes, UUID_BYTES);
    EVENT_FIELDS(PUT)
    assert(at == out->data + out->len + len);
    out->len += len;
    return ERR_OK;
}

enum err_code copy_add_placed_row(struct buf *out, int32_t place, const char *row,
                                  size_t len)
{
    size_t extra = LENGTH_BYTES + PLACE_BYTES;
    enum err_code code = buf_reserve(out, len + extra);
    char *at;

    assert(len > COUNT_BYTES);
    if (code)
        return code;
    at = put_u16(out->data + out->len, EVENT_COLUMNS + 1);
    at = put_u32(at, PLACE_BYTES);
    at = put_u32(at, (uint32_t)place);
    memcpy(at, row + COUNT_BYTES, len - COUNT_BYTES);
    out->len += len + extra;
    return ERR_OK;
}
