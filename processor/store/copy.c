/* copy.c -- see copy.h.  The format: postgresql.org/docs/15/sql-copy.html, "Binary
 * Format".  Every number is in network order. */
#include "processor/store/copy.h"

#include <assert.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/uuid.h"

enum {
    EVENT_COLUMNS = 6,
    COUNT_BYTES = 2,  /* columns of a row */
    LENGTH_BYTES = 4, /* before each value */
    UUID_BYTES = 16,
    TIMESTAMP_BYTES = 8,
    PLACE_BYTES = 4,
    SITE_LENGTH_AT = COUNT_BYTES + LENGTH_BYTES + UUID_BYTES,
    SITE_AT = SITE_LENGTH_AT + LENGTH_BYTES,
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

static char *put_text(char *at, const struct event_text *text)
{
    if (!text->bytes)
        return put_u32(at, NULL_LENGTH);
    return put_bytes(at, text->bytes, text->len);
}

enum err_code copy_add_row(struct buf *out, const struct uuid *event_id,
                           const struct event *event)
{
    size_t len = COUNT_BYTES + EVENT_COLUMNS * LENGTH_BYTES + UUID_BYTES +
                 event->site_id.len + event->event_type.len + event->path.len +
                 event->user_id.len + TIMESTAMP_BYTES;
    int64_t micros = (event->timestamp_ms - POSTGRES_EPOCH_MS) * 1000;
    enum err_code code = buf_reserve(out, len);
    char *at;

    if (code)
        return code;
    at = out->data + out->len;
    at = put_u16(at, EVENT_COLUMNS);
    at = put_bytes(at, event_id->bytes, UUID_BYTES);
    at = put_text(at, &event->site_id);
    at = put_text(at, &event->event_type);
    at = put_text(at, &event->path);
    at = put_text(at, &event->user_id);
    at = put_u32(at, TIMESTAMP_BYTES);
    at = put_u64(at, (uint64_t)micros);
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

    assert(len > SITE_AT);
    if (code)
        return code;
    at = put_u16(out->data + out->len, EVENT_COLUMNS + 1);
    at = put_u32(at, PLACE_BYTES);
    at = put_u32(at, (uint32_t)place);
    memcpy(at, row + COUNT_BYTES, len - COUNT_BYTES);
    out->len += len + extra;
    return ERR_OK;
}

const char *copy_row_site_id(const char *row, size_t *ret_len)
{
    const unsigned char *at = (const unsigned char *)row + SITE_LENGTH_AT;

    *ret_len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return row + SITE_AT;
}
