/* more.c -- the rules of the fields that few events have; see internal.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/event/internal.h"
#include "shared/event/props.h"
#include "shared/text/utf8.h"

enum {
    ID64_DIGITS = 16
};

/* The numbers that JavaScript counts with, one by one. */
#define SAFE_NUMBER_MAX 9007199254740991.0

enum err_code event_refuse(const char *key, const char *complaint, struct err *err)
{
    return err_set(err, ERR_INVALID, "\"%s\" %s", key, complaint);
}

enum err_code event_refuse_defect(const char *key, enum json_defect defect,
                                  struct err *err)
{
    switch (defect) {
    case JSON_DEFECT_NUL:
        return event_refuse(key, "must not contain the character \\u0000", err);
    case JSON_DEFECT_SURROGATE:
        return event_refuse(key, "must not contain a lone surrogate", err);
    case JSON_DEFECT_UTF8:
    case JSON_DEFECT_NONE:
        break;
    }
    return event_refuse(key, "must not contain invalid UTF-8", err);
}

enum err_code event_check_string(const char *key, bool may_be_empty,
                                 const struct value *value, struct err *err)
{
    if (!cJSON_IsString(value->item))
        return event_refuse(key, "must be a string", err);
    if (value->item->valuestring[0] == '\0' && !may_be_empty)
        return event_refuse(key, "is not allowed to be empty", err);
    if (value->defect != JSON_DEFECT_NONE)
        return event_refuse_defect(key, value->defect, err);
    return ERR_OK;
}

enum err_code event_take_string(const char *key, size_t least, size_t most,
                                const struct value *value, struct event_text *ret_text,
                                struct err *err)
{
    enum err_code code = event_check_string(key, least == 0, value, err);
    size_t len;

    if (code)
        return code;
    len = strlen(value->item->valuestring);
    if (len > most && utf8_count(value->item->valuestring, len) > most)
        return err_set(err, ERR_INVALID,
                       "\"%s\" length must be less than or equal to %zu characters long",
                       key, most);
    *ret_text = (struct event_text){.bytes = value->item->valuestring, .len = len};
    return ERR_OK;
}

static enum err_code take_more_text(const struct event_more_rules *rules,
                                    enum event_more index, const struct value *value,
                                    struct event *event, struct err *err)
{
    const struct event_more_field *field = &event_more_fields[index];
    const struct extra_rule *extra = &rules->extra[index];
    struct event_text text = {NULL, 0};
    enum err_code code = event_take_string(field->key, (size_t)field->least,
                                           (size_t)field->most, value, &text, err);

    if (code || text.len == 0)
        return code;
    if (extra->is_valid && !extra->is_valid(&text))
        return event_refuse(field->key, extra->complaint, err);
    event_set_text(event, index, text);
    return ERR_OK;
}

static enum err_code take_more_int(enum event_more index, const struct value *value,
                                   struct event *event, struct err *err)
{
    const struct event_more_field *field = &event_more_fields[index];
    double number;

    if (!cJSON_IsNumber(value->item))
        return event_refuse(field->key, "must be a number", err);
    number = value->item->valuedouble;
    if (!(fabs(number) <= SAFE_NUMBER_MAX))
        return event_refuse(field->key, "must be a safe number", err);
    if (number != (double)(int64_t)number) /* no overflow: it is a safe number */
        return event_refuse(field->key, "must be an integer", err);
    if (number < (double)field->least)
        return err_set(err, ERR_INVALID,
                       "\"%s\" must be greater than or equal to %" PRId64, field->key,
                       field->least);
    if (number > (double)field->most)
        return err_set(err, ERR_INVALID, "\"%s\" must be less than or equal to %" PRId64,
                       field->key, field->most);
    event_set_int(event, index, (int32_t)number);
    return ERR_OK;
}

static enum err_code take_more_props(const struct event_more_rules *rules,
                                     enum event_more index, const struct value *value,
                                     struct event *event, struct err *err)
{
    const struct event_more_field *field = &event_more_fields[index];
    const char *wrong;
    size_t len;

    if (!cJSON_IsObject(value->item))
        return event_refuse(field->key, "must be of type object", err);
    if (value->defect != JSON_DEFECT_NONE)
        return event_refuse_defect(field->key, value->defect, err);
    wrong = props_write(value->item, (size_t)field->most, rules->props, &len);
    if (wrong)
        return event_refuse(field->key, wrong, err);
    if (len > 0)
        event_set_text(event, index, (struct event_text){rules->props, len});
    return ERR_OK;
}

static enum err_code take_more_id(enum event_more index, const struct value *value,
                                  struct event *event, struct err *err)
{
    static const char complaint[] = "must have 16 hexadecimal digits";
    const char *key = event_more_fields[index].key;
    uint64_t id = 0;

    if (!cJSON_IsString(value->item) || strlen(value->item->valuestring) != ID64_DIGITS)
        return event_refuse(key, complaint, err);
    for (const char *at = value->item->valuestring; *at; at++) {
        int digit = hex_value(*at);
        if (digit < 0)
            return event_refuse(key, complaint, err);
        id = id << 4 | (uint64_t)digit;
    }
    event_set_id(event, index, id);
    return ERR_OK;
}

enum err_code event_take_more(const struct event_more_rules *rules, enum event_more index,
                              const struct value *value, struct event *event,
                              struct err *err)
{
    if (cJSON_IsNull(value->item)) /* an earlier duplicate may have had the defect */
        return value->defect
                   ? event_refuse_defect(event_more_fields[index].key, value->defect, err)
                   : ERR_OK;
    switch (event_more_fields[index].type) {
    case EVENT_INT:
        return take_more_int(index, value, event, err);
    case EVENT_PROPS:
        return take_more_props(rules, index, value, event, err);
    case EVENT_ID64:
        return take_more_id(index, value, event, err);
    case EVENT_TEXT:
        break;
    }
    return take_more_text(rules, index, value, event, err);
}
