/* props.c -- see props.h. */
#include "shared/event/props.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "shared/text/json.h"
#include "shared/text/utf8.h"

static bool is_longer(const char *text, size_t max_chars)
{
    size_t len = strlen(text);

    return len > max_chars && utf8_count(text, len) > max_chars;
}

static const char *check_name(const cJSON *member)
{
    if (member->string[0] == '\0')
        return "must not have an empty name";
    if (is_longer(member->string, PROPS_NAME_MAX))
        return "must not have a name of more than 100 characters";
    /* Each with each: there are 30 at most, which was judged before. */
    for (const cJSON *other = member->next; other; other = other->next) {
        if (strcmp(other->string, member->string) == 0)
            return "must not have the same name twice";
    }
    return NULL;
}

static const char *check_value(const cJSON *value)
{
    if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
        return "must not have a number out of range";
    if (cJSON_IsString(value) && is_longer(value->valuestring, PROPS_STRING_MAX))
        return "must not have a string of more than 500 characters";
    return NULL;
}

/* The rules, each over all members: what is said first is what is wrong with its shape. */
static const char *check(const cJSON *object, size_t max_members)
{
    const char *wrong = NULL;
    size_t members = 0;

    for (const cJSON *at = object->child; at; at = at->next, members++) {
        if (cJSON_IsObject(at) || cJSON_IsArray(at))
            return "must not be nested";
    }
    if (members > max_members)
        return "must not have more than 30 members";
    for (const cJSON *at = object->child; at && !wrong; at = at->next) {
        wrong = check_name(at);
        if (!wrong)
            wrong = check_value(at);
    }
    return wrong;
}

/* With the fewest digits that are read as the same number: 0.1 stays 0.1.  The locale of the
 * daemons is C's, so the point is a point. */
static char *put_number(char *out, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        int len = snprintf(out, PROPS_NUMBER_BYTES, "%.*g", digits, value);

        if (digits == 17 || strtod(out, NULL) == value)
            return out + len;
    }
    return out;
}

static char *put_value(char *out, const cJSON *value)
{
    if (cJSON_IsString(value))
        return json_put_string(out, value->valuestring, strlen(value->valuestring));
    if (cJSON_IsNumber(value))
        return put_number(out, value->valuedouble);
    return out + snprintf(out, PROPS_NUMBER_BYTES, "%s",
                          cJSON_IsTrue(value) ? "true" : "false");
}

const char *props_write(const struct cJSON *object, size_t max_members, char *out,
                        size_t *ret_len)
{
    const char *wrong = check(object, max_members);
    char *at = out;

    *ret_len = 0;
    if (wrong)
        return wrong;
    for (const cJSON *member = object->child; member; member = member->next) {
        if (cJSON_IsNull(member))
            continue;
        *at = at == out ? '{' : ',';
        at = json_put_string(at + 1, member->string, strlen(member->string));
        *at++ = ':';
        at = put_value(at, member);
    }
    if (at == out)
        return NULL;
    *at++ = '}';
    *ret_len = (size_t)(at - out);
    return NULL;
}
