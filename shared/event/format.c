/* format.c -- an event as a job of the queue; see event.h.
 *
 * The length is known before the first byte is written, so that a job can be written
 * where it is sent from, after the length that Redis wants in front of it.
 */
#include "shared/event/event.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/text/json.h"
#include "shared/text/timestamp.h"

/* What stands around the values; each key has its own comma in front. */
static const char id_begins[] = "{\"event_id\":\"";
static const char id_ends[] = "\"";
static const char null_word[] = "null";

enum {
    ID64_DIGITS = 16
};

#define LEN(literal)      (sizeof(literal) - 1)
#define PUT(out, literal) put((out), (literal), LEN(literal))

/* A key as it stands in front of its value. */
#define KEY(key) ",\"" key "\":"

/* --- the length -------------------------------------------------------------- */

static size_t text_size(const struct event_text *text)
{
    return text->bytes ? json_string_size(text->bytes, text->len) : LEN(null_word);
}

/* The bytes of one field, its key included. */
static size_t size_TEXT(size_t key_len, const struct event_text *text,
                        enum event_presence presence)
{
    return text->bytes || presence != EVENT_OPTIONAL ? key_len + text_size(text) : 0;
}

static size_t size_TIME(size_t key_len, const int64_t *ms, enum event_presence presence)
{
    return *ms || presence != EVENT_OPTIONAL ? key_len + 2 + TIMESTAMP_TEXT_LEN : 0;
}

/* The only one stands in front of all the others. */
static size_t size_UUID(size_t key_len, const struct uuid *uuid,
                        enum event_presence presence)
{
    (void)key_len;
    (void)uuid;
    (void)presence;
    return 0;
}

/* The digits of a number, and its sign. */
static size_t int_size(int32_t value)
{
    uint32_t rest = value < 0 ? -(uint32_t)value : (uint32_t)value;
    size_t size = value < 0 ? 2 : 1;

    for (; rest >= 10; rest /= 10)
        size++;
    return size;
}

static size_t more_value_size(const struct event_more_field *field, const void *member)
{
    const struct event_text *text = member;

    switch (field->type) {
    case EVENT_INT:
        return int_size(*(const int32_t *)member);
    case EVENT_ID64:
        return 2 + ID64_DIGITS;
    case EVENT_PROPS:
        return text->len;
    case EVENT_TEXT:
        break;
    }
    return text_size(text);
}

/* The next of the fields that a job has, whose bit is taken out of *bits. */
static const struct event_more_field *next_more(uint64_t *bits)
{
    int index = __builtin_ctzll(*bits);

    *bits &= *bits - 1;
    return &event_more_fields[index];
}

static size_t more_size(const struct event *event)
{
    uint64_t bits = event->more & event_more_columns;
    size_t size = 0;

    while (bits) {
        const struct event_more_field *field = next_more(&bits);
        size += LEN(",\"\":") + field->key_len +
                more_value_size(field, (const char *)event + field->offset);
    }
    return size;
}

#define SIZE(NAME, key, TYPE, member, presence, ...)                                     \
    size += size_##TYPE(LEN(KEY(key)), &event->member, presence);

size_t event_job_size(const struct event *event)
{
    size_t size = event->has_event_id ? LEN(id_begins) + UUID_TEXT_LEN + LEN(id_ends) : 0;

    EVENT_FIELDS(SIZE)
    EVENT_JOB_FIELDS(SIZE)
    if (event->more)
        size += more_size(event);
    return size + 1;
}

/* --- the text ---------------------------------------------------------------- */

static char *put(char *out, const char *bytes, size_t len)
{
    memcpy(out, bytes, len);
    return out + len;
}

static char *put_text(char *out, const struct event_text *text)
{
    return text->bytes ? json_put_string(out, text->bytes, text->len)
                       : PUT(out, null_word);
}

static char *put_TEXT(char *out, const char *key, size_t key_len,
                      const struct event_text *text, enum event_presence presence)
{
    if (!text->bytes && presence == EVENT_OPTIONAL)
        return out;
    return put_text(put(out, key, key_len), text);
}

static char *put_TIME(char *out, const char *key, size_t key_len, const int64_t *ms,
                      enum event_presence presence)
{
    if (!*ms && presence == EVENT_OPTIONAL)
        return out;
    out = put(out, key, key_len);
    *out = '"';
    timestamp_format(*ms, out + 1);
    out[1 + TIMESTAMP_TEXT_LEN] = '"';
    return out + 2 + TIMESTAMP_TEXT_LEN;
}

static char *put_UUID(char *out, const char *key, size_t key_len, const struct uuid *uuid,
                      enum event_presence presence)
{
    (void)key;
    (void)key_len;
    (void)uuid;
    (void)presence;
    return out;
}

static char *put_id(char *out, const struct uuid *uuid)
{
    out = PUT(out, id_begins);
    uuid_format(uuid, out);
    return PUT(out + UUID_TEXT_LEN, id_ends);
}

static char *put_int(char *out, int32_t value)
{
    uint32_t rest = value < 0 ? -(uint32_t)value : (uint32_t)value;
    char *end = out + int_size(value);
    char *at = end;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    return end;
}

static char *put_id64(char *out, uint64_t value)
{
    *out++ = '"';
    for (int shift = 60; shift >= 0; shift -= 4)
        *out++ = "0123456789abcdef"[value >> shift & 15];
    *out++ = '"';
    return out;
}

static char *put_more_value(char *out, const struct event_more_field *field,
                            const void *member)
{
    const struct event_text *text = member;

    switch (field->type) {
    case EVENT_INT:
        return put_int(out, *(const int32_t *)member);
    case EVENT_ID64:
        return put_id64(out, *(const uint64_t *)member);
    case EVENT_PROPS:
        return put(out, text->bytes, text->len);
    case EVENT_TEXT:
        break;
    }
    return put_text(out, text);
}

static char *put_more(const struct event *event, char *out)
{
    uint64_t bits = event->more & event_more_columns;

    while (bits) {
        const struct event_more_field *field = next_more(&bits);
        out = PUT(out, ",\"");
        out = put(out, field->key, field->key_len);
        out = PUT(out, "\":");
        out = put_more_value(out, field, (const char *)event + field->offset);
    }
    return out;
}

#define PUT_FIELD(NAME, key, TYPE, member, presence, ...)                                \
    at = put_##TYPE(at, KEY(key), LEN(KEY(key)), &event->member, presence);

char *event_put_job(const struct event *event, char *out)
{
    char *at = event->has_event_id ? put_id(out, &event->event_id) : out;

    EVENT_FIELDS(PUT_FIELD)
    EVENT_JOB_FIELDS(PUT_FIELD)
    if (event->more)
        at = put_more(event, at);
    *out = '{'; /* without an event_id it was the comma of the first field */
    *at = '}';
    return at + 1;
}

enum err_code event_format_job(const struct event *event, struct buf *out)
{
    enum err_code code = buf_reserve(out, event_job_size(event));

    if (!code)
        out->len = (size_t)(event_put_job(event, out->data + out->len) - out->data);
    return code;
}
