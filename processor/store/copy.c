/* copy.c -- see copy.h.  The format: postgresql.org/docs/15/sql-copy.html, "Binary
 * Format".  Every number is in network order. */
#include "processor/store/copy.h"

#include <assert.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/event/event.h"
#include "shared/text/uuid.h"

/* The columns of every row. */
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
    INT_BYTES = 4,
    ID64_BYTES = 8,
    JSONB_VERSION = 1, /* a byte before the text */
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

/* --- the columns that few events have ---------------------------------------------- */

static void add_columns(struct copy_columns *columns, uint64_t bits)
{
    for (bits &= ~columns->mask; bits; bits &= bits - 1)
        columns->fields[columns->count++] = (uint8_t)__builtin_ctzll(bits);
    for (size_t i = 0; i < columns->count; i++)
        columns->mask |= UINT64_C(1) << columns->fields[i];
}

static const void *member_of(const struct event *event, enum event_more field)
{
    return (const char *)event + event_more_fields[field].offset;
}

static size_t more_bytes(const struct event *event, enum event_more field)
{
    const struct event_text *text = member_of(event, field);

    if (!event_has(event, field))
        return 0;
    switch (event_more_fields[field].type) {
    case EVENT_INT:
        return INT_BYTES;
    case EVENT_ID64:
        return ID64_BYTES;
    case EVENT_PROPS:
        return 1 + text->len;
    case EVENT_TEXT:
        break;
    }
    return text->len;
}

static char *put_more(char *at, const struct event *event, enum event_more field)
{
    const void *member = member_of(event, field);
    size_t len = more_bytes(event, field);

    if (!event_has(event, field))
        return put_u32(at, NULL_LENGTH);
    at = put_u32(at, (uint32_t)len);
    switch (event_more_fields[field].type) {
    case EVENT_INT:
        return put_u32(at, (uint32_t)(*(const int32_t *)member));
    case EVENT_ID64:
        return put_u64(at, *(const uint64_t *)member);
    case EVENT_PROPS:
        *at++ = JSONB_VERSION;
        len--;
        break;
    case EVENT_TEXT:
        break;
    }
    if (len > 0)
        memcpy(at, ((const struct event_text *)member)->bytes, len);
    return at + len;
}

/* --- rows ----------------------------------------------------------------------------- */

enum err_code copy_add_row(struct buf *out, const struct uuid *event_id,
                           const struct event *event, struct copy_columns *columns)
{
    size_t len = COUNT_BYTES + EVENT_COLUMNS * LENGTH_BYTES;
    enum err_code code;
    char *at;

    add_columns(columns, event->more & event_more_columns);
    EVENT_FIELDS(BYTES)
    for (size_t i = 0; i < columns->count; i++)
        len += LENGTH_BYTES + more_bytes(event, columns->fields[i]);
    code = buf_reserve(out, len);
    if (code)
        return code;
    at = out->data + out->len;
    at = put_u16(at, (uint16_t)(EVENT_COLUMNS + columns->count));
    at = put_bytes(at, event_id->bytes, UUID_BYTES);
    EVENT_FIELDS(PUT)
    for (size_t i = 0; i < columns->count; i++)
        at = put_more(at, event, columns->fields[i]);
    assert(at == out->data + out->len + len);
    out->len += len;
    return ERR_OK;
}

static size_t columns_of(const char *row)
{
    return (size_t)(unsigned char)row[0] << 8 | (unsigned char)row[1];
}

bool copy_is_complete(const char *row, const struct copy_columns *columns)
{
    return columns_of(row) == EVENT_COLUMNS + columns->count;
}

enum err_code copy_add_complete(struct buf *out, const char *row, size_t len,
                                int32_t place, const struct copy_columns *columns)
{
    size_t lacking = EVENT_COLUMNS + columns->count - columns_of(row);
    size_t extra = lacking * LENGTH_BYTES + (place < 0 ? 0 : LENGTH_BYTES + INT_BYTES);
    enum err_code code = buf_reserve(out, len + extra);
    char *at;

    assert(len > COUNT_BYTES);
    if (code)
        return code;
    at = put_u16(out->data + out->len,
                 (uint16_t)(EVENT_COLUMNS + columns->count + (place >= 0)));
    if (place >= 0)
        at = put_u32(put_u32(at, INT_BYTES), (uint32_t)place);
    memcpy(at, row + COUNT_BYTES, len - COUNT_BYTES);
    at += len - COUNT_BYTES;
    for (; lacking; lacking--)
        at = put_u32(at, NULL_LENGTH);
    out->len += len + extra;
    return ERR_OK;
}

enum err_code copy_add_names(struct buf *out, const struct copy_columns *columns)
{
    enum err_code code = buf_add_text(out, COPY_EVENTS_COLUMNS);

    for (size_t i = 0; i < columns->count && !code; i++)
        code = buf_printf(out, ", \"%s\"", event_more_fields[columns->fields[i]].key);
    return code;
}
