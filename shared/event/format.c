/* format.c -- an event as a job of the queue; see event.h.
 *
 * The length is known before the first byte is written, so that a job can be written
 * where it is sent from, behind the length that Redis wants in front of it.
 */
#include "shared/event/event.h"

#include <string.h>

#include "shared/base/buf.h"
#include "shared/text/json.h"
#include "shared/text/timestamp.h"

/* What stands between the values. */
static const char id_begins[] = "{\"event_id\":\"";
static const char id_ends[] = "\",";
static const char site_key[] = "\"site_id\":";
static const char type_key[] = ",\"event_type\":";
static const char path_key[] = ",\"path\":";
static const char user_key[] = ",\"user_id\":";
static const char time_begins[] = ",\"timestamp\":\"";
static const char received_begins[] = "\",\"received_at\":\"";
static const char time_ends[] = "\"}";
static const char null_word[] = "null";

#define LEN(literal)      (sizeof(literal) - 1)
#define PUT(out, literal) put((out), (literal), LEN(literal))

/* --- the length -------------------------------------------------------------- */

static size_t text_size(const struct event_text *text)
{
    return text->bytes ? json_string_size(text->bytes, text->len) : LEN(null_word);
}

size_t event_job_size(const struct event *event)
{
    size_t id = event->has_event_id ? LEN(id_begins) + UUID_TEXT_LEN + LEN(id_ends) : 1;
    size_t received =
        event->received_at_ms ? LEN(received_begins) + TIMESTAMP_TEXT_LEN : 0;

    return id + LEN(site_key) + text_size(&event->site_id) + LEN(type_key) +
           text_size(&event->event_type) + LEN(path_key) + text_size(&event->path) +
           LEN(user_key) + text_size(&event->user_id) + LEN(time_begins) +
           TIMESTAMP_TEXT_LEN + received + LEN(time_ends);
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

static char *put_time(char *out, int64_t ms)
{
    timestamp_format(ms, out);
    return out + TIMESTAMP_TEXT_LEN;
}

static char *put_id(char *out, const struct uuid *uuid)
{
    out = PUT(out, id_begins);
    uuid_format(uuid, out);
    return PUT(out + UUID_TEXT_LEN, id_ends);
}

char *event_put_job(const struct event *event, char *out)
{
    out = event->has_event_id ? put_id(out, &event->event_id) : PUT(out, "{");
    out = PUT(out, site_key);
    out = put_text(out, &event->site_id);
    out = PUT(out, type_key);
    out = put_text(out, &event->event_type);
    out = PUT(out, path_key);
    out = put_text(out, &event->path);
    out = PUT(out, user_key);
    out = put_text(out, &event->user_id);
    out = PUT(out, time_begins);
    out = put_time(out, event->timestamp_ms);
    if (event->received_at_ms) {
        out = PUT(out, received_begins);
        out = put_time(out, event->received_at_ms);
    }
    return PUT(out, time_ends);
}

enum err_code event_format_job(const struct event *event, struct buf *out)
{
    enum err_code code = buf_reserve(out, event_job_size(event));

    if (!code)
        out->len = (size_t)(event_put_job(event, out->data + out->len) - out->data);
    return code;
}
