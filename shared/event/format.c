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

#define SIZE(NAME, key, TYPE, member, presence, most)                                    \
    size += size_##TYPE(LEN(KEY(key)), &event->member, presence);

size_t event_job_size(const struct event *event)
{
    size_t size = event->has_event_id ? LEN(id_begins) + UUID_TEXT_LEN + LEN(id_ends) : 0;

    EVENT_FIELDS(SIZE)
    EVENT_JOB_FIELDS(SIZE)
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

#define PUT_FIELD(NAME, key, TYPE, member, presence, most)                               \
    at = put_##TYPE(at, KEY(key), LEN(KEY(key)), &event->member, presence);

char *event_put_job(const struct event *event, char *out)
{
    char *at = event->has_event_id ? put_id(out, &event->event_id) : out;

    EVENT_FIELDS(PUT_FIELD)
    EVENT_JOB_FIELDS(PUT_FIELD)
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
