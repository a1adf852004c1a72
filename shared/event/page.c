/* page.c -- what is forgiven in a field of an event that a page sends; see internal.h and
 * event_parse_page().
 *
 * A page cannot be told what was wrong with its event, and nobody reads what it is answered:
 * what is too long is cut, and what is of no use is absent, so that the rest is counted. */
#include <string.h>

#include "shared/event/internal.h"
#include "shared/text/timestamp.h"
#include "shared/text/utf8.h"

/* Texts of a page that are cut where they are too long. */
#define CUT(NAME) (UINT64_C(1) << EVENT_MORE_##NAME)
static const uint64_t cut_fields = CUT(REFERRER) | CUT(UTM_SOURCE) | CUT(UTM_MEDIUM) |
                                   CUT(UTM_CAMPAIGN) | CUT(UTM_CONTENT) | CUT(UTM_TERM);
#undef CUT

bool event_page_cut(const struct value *value, size_t most)
{
    char *text = cJSON_IsString(value->item) ? value->item->valuestring : NULL;
    size_t len = text ? strlen(text) : 0;
    size_t at = 0;

    if (!text || value->defect != JSON_DEFECT_NONE)
        return true;
    if (len > most && utf8_count(text, len) > most) {
        for (; most > 0; most--)
            at += utf8_char_len(text + at, len - at);
        text[at] = '\0';
    }
    return len > 0;
}

/* Whether the string is not a language: the page's request may say one. */
static bool is_no_language(const struct event_more_rules *rules,
                           const struct value *value)
{
    const struct extra_rule *extra = &rules->extra[EVENT_MORE_LANGUAGE];
    struct event_text text = {NULL, 0};
    size_t most = (size_t)event_more_fields[EVENT_MORE_LANGUAGE].most;

    if (!cJSON_IsString(value->item) || value->defect != JSON_DEFECT_NONE)
        return false;
    text.bytes = value->item->valuestring;
    text.len = strlen(text.bytes);
    return text.len == 0 || text.len > most ||
           (extra->is_valid && !extra->is_valid(&text));
}

bool event_page_forgives(enum event_more field)
{
    return (cut_fields >> field & 1) || field == EVENT_MORE_LANGUAGE;
}

bool event_page_drops(const struct event_more_rules *rules, enum event_more index,
                      const struct value *value)
{
    if (cut_fields >> index & 1)
        return !event_page_cut(value, (size_t)event_more_fields[index].most);
    return index == EVENT_MORE_LANGUAGE && is_no_language(rules, value);
}

bool event_page_take_time(const struct value *value, struct event *event)
{
    const char *text = cJSON_IsString(value->item) ? value->item->valuestring : NULL;

    if (!text || value->defect != JSON_DEFECT_NONE)
        return false;
    if (text[0] == '\0')
        event->timestamp_ms = EVENT_NO_TIME;
    else if (timestamp_parse(text, strlen(text), &event->timestamp_ms))
        event->timestamp_ms = EVENT_NOT_A_TIME;
    return true;
}
