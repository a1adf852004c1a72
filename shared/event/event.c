/* event.c -- the fields that few events have; see event.h. */
#include "shared/event/event.h"

#include <assert.h>

#define ROW(NAME, text, TYPE, struct_member, when, from, upto)                           \
    [EVENT_MORE_##NAME] = {.key = (text),                                                \
                           .key_len = sizeof(text) - 1,                                  \
                           .type = EVENT_##TYPE,                                         \
                           .presence = (when),                                           \
                           .least = (from),                                              \
                           .most = (upto),                                               \
                           .offset = offsetof(struct event, struct_member)},

const struct event_more_field event_more_fields[EVENT_MORE_COUNT] = {
    EVENT_MORE_FIELDS(ROW)};

#undef ROW

static_assert(EVENT_MORE_COUNT <= 64, "a bit for each");

#define COLUMN_BIT(presence) ((uint64_t)((presence) != EVENT_INPUT))
#define COLUMN(NAME, key, TYPE, member, presence, ...)                                   \
    COLUMN_BIT(presence) << EVENT_MORE_##NAME |

const uint64_t event_more_columns = EVENT_MORE_FIELDS(COLUMN) 0;

#undef COLUMN
#undef COLUMN_BIT

static void *member_of(struct event *event, enum event_more field)
{
    return (char *)event + event_more_fields[field].offset;
}

struct event_text event_text_of(const struct event *event, enum event_more field)
{
    const struct event_text *text =
        (const void *)((const char *)event + event_more_fields[field].offset);

    return event_has(event, field) ? *text : (struct event_text){NULL, 0};
}

void event_set_text(struct event *event, enum event_more field, struct event_text text)
{
    struct event_text *member = member_of(event, field);

    assert(event_more_fields[field].type == EVENT_TEXT ||
           event_more_fields[field].type == EVENT_PROPS);
    event_unset(event, field);
    if (!text.bytes)
        return;
    *member = text;
    event->more |= UINT64_C(1) << field;
}

void event_set_int(struct event *event, enum event_more field, int32_t value)
{
    int32_t *member = member_of(event, field);

    assert(event_more_fields[field].type == EVENT_INT);
    *member = value;
    event->more |= UINT64_C(1) << field;
}

void event_set_id(struct event *event, enum event_more field, uint64_t value)
{
    uint64_t *member = member_of(event, field);

    assert(event_more_fields[field].type == EVENT_ID64);
    *member = value;
    event->more |= UINT64_C(1) << field;
}
