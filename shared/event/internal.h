/* internal.h -- what the files of the event's parser share: parse.c has the text and the
 * fields that every event may have, more.c those of few, page.c what a page may do wrong. */
#ifndef SHARED_EVENT_INTERNAL_H
#define SHARED_EVENT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "shared/base/err.h"
#include "shared/event/event.h"
#include "shared/text/json.h"

/* What was found of one field. */
struct value {
    const cJSON *item; /* NULL: absent; the last one of several */
    enum json_defect defect;
};

/* A rule that is judged besides those of the table. */
struct extra_rule {
    event_check_fn is_valid; /* NULL: none */
    const char *complaint;
};

/* What a parser keeps for the fields of few events. */
struct event_more_rules {
    char *props; /* owned; room for what props_write() writes of a text */
    struct extra_rule extra[EVENT_MORE_COUNT];
};

/* ERR_INVALID with `"key" <complaint>`. */
enum err_code event_refuse(const char *key, const char *complaint,
                           struct err *err) MUST_CHECK;
enum err_code event_refuse_defect(const char *key, enum json_defect defect,
                                  struct err *err) MUST_CHECK;

/* What every string field has in common, in Joi's order. */
enum err_code event_check_string(const char *key, bool may_be_empty,
                                 const struct value *value, struct err *err) MUST_CHECK;

/* A string of at most `most` characters. */
enum err_code event_take_string(const char *key, size_t least, size_t most,
                                const struct value *value, struct event_text *ret_text,
                                struct err *err) MUST_CHECK;

/* One of the fields that few events have, which is there. */
enum err_code event_take_more(const struct event_more_rules *rules, enum event_more index,
                              const struct value *value, struct event *event,
                              struct err *err) MUST_CHECK;

/* Cuts the string of a page to so many characters, in its JSON; what is no string that can be
 * stored stays, to be refused.  False when it is empty: absent. */
bool event_page_cut(const struct value *value, size_t most);

/* Whether one of the fields that few events have counts as absent although a page sent it. */
bool event_page_drops(const struct event_more_rules *rules, enum event_more index,
                      const struct value *value);

/* The time that a page says.  False when the value is no string at all: to be refused. */
bool event_page_take_time(const struct value *value, struct event *event);

#endif
