/* event_format.c -- an event as a job of the queue; see event.h. */
#include "shared/event.h"

#include "shared/buf.h"
#include "shared/json.h"
#include "shared/timestamp.h"

static enum err_code add_text(struct buf *out, const char *key,
                              const struct event_text *text)
{
    enum err_code code = buf_add_text(out, key);

    if (code)
        return code;
    return text->bytes ? json_add_string(out, text->bytes, text->len)
                       : buf_add_text(out, "null");
}

static enum err_code add_time(struct buf *out, const char *key, int64_t ms)
{
    char text[TIMESTAMP_TEXT_LEN];
    enum err_code code = buf_add_text(out, key);

    if (code)
        return code;
    timestamp_format(ms, text);
    return buf_add(out, text, sizeof(text));
}

static enum err_code add_id(struct buf *out, const char *key, const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN];
    enum err_code code = buf_add_text(out, key);

    if (code)
        return code;
    uuid_format(uuid, text);
    return buf_add(out, text, sizeof(text));
}

static enum err_code add_job(const struct event *event, struct buf *out)
{
    enum err_code code = buf_add_text(out, "{");

    if (!code && event->has_event_id) {
        code = add_id(out, "\"event_id\":\"", &event->event_id);
        if (!code)
            code = buf_add_text(out, "\",");
    }
    if (!code)
        code = add_text(out, "\"site_id\":", &event->site_id);
    if (!code)
        code = add_text(out, ",\"event_type\":", &event->event_type);
    if (!code)
        code = add_text(out, ",\"path\":", &event->path);
    if (!code)
        code = add_text(out, ",\"user_id\":", &event->user_id);
    if (!code)
        code = add_time(out, ",\"timestamp\":\"", event->timestamp_ms);
    if (!code && event->received_at_ms)
        code = add_time(out, "\",\"received_at\":\"", event->received_at_ms);
    if (!code)
        code = buf_add_text(out, "\"}");
    return code;
}

enum err_code event_format_job(const struct event *event, struct buf *out)
{
    size_t start = out->len;
    enum err_code code = add_job(event, out);

    if (code)
        out->len = start;
    return code;
}
