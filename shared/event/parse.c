/* parse.c -- an event out of the JSON of a client or of a job; see event.h.
 *
 * The rules are judged in the order of fields.h; the first that is broken gives the answer.
 * Within a field the order is Joi's: presence, type, emptiness, then what the text must
 * look like.
 */
#include "shared/event/event.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/text/json.h"
#include "shared/text/timestamp.h"
#include "shared/text/utf8.h"

/* The fields, in the order of the rules. */
enum field {
#define FIELD_ENUM(NAME, ...) FIELD_##NAME,
    EVENT_FIELDS(FIELD_ENUM) FIELDS_OF_CLIENTS,
    FIELDS_BEFORE_JOBS = FIELDS_OF_CLIENTS - 1, /* so that the next one follows */
    EVENT_JOB_FIELDS(FIELD_ENUM)
#undef FIELD_ENUM
    FIELD_COUNT
};

enum {
    KEY_SHOWN_MAX = 256 /* bytes of an unknown key in a sentence; err.msg takes 384 */
};

/* What was found of one field. */
struct value {
    const cJSON *item; /* NULL: absent; the last one of several */
    enum json_defect defect;
};

/* What was found of all of them. */
struct found {
    struct value values[FIELD_COUNT];
    const char *unknown_key; /* the first one, or NULL */
};

struct event_parser {
    struct json_parser *json; /* owned */
    enum event_flaw flaw;     /* of the last text that was refused */
};

struct rule;
typedef enum err_code (*take_fn)(const struct rule *rule, const struct value *value,
                                 struct event *event, struct err *err);

struct rule {
    const char *key;
    enum event_flaw flaw;
    enum event_presence presence;
    size_t max_chars;
    take_fn take;
    size_t offset; /* in struct event, of the member that take() fills */
};

/* --- one field ------------------------------------------------------------- */

static enum err_code refuse(const struct rule *rule, const char *complaint,
                            struct err *err)
{
    return err_set(err, ERR_INVALID, "\"%s\" %s", rule->key, complaint);
}

static enum err_code refuse_defect(const struct rule *rule, enum json_defect defect,
                                   struct err *err)
{
    switch (defect) {
    case JSON_DEFECT_NUL:
        return refuse(rule, "must not contain the character \\u0000", err);
    case JSON_DEFECT_SURROGATE:
        return refuse(rule, "must not contain a lone surrogate", err);
    case JSON_DEFECT_UTF8:
    case JSON_DEFECT_NONE:
        break;
    }
    return refuse(rule, "must not contain invalid UTF-8", err);
}

/* What every string field has in common. */
static enum err_code check_string(const struct rule *rule, const struct value *value,
                                  struct err *err)
{
    if (!cJSON_IsString(value->item))
        return refuse(rule, "must be a string", err);
    if (value->item->valuestring[0] == '\0' && rule->presence != EVENT_NULLABLE)
        return refuse(rule, "is not allowed to be empty", err);
    if (value->defect != JSON_DEFECT_NONE)
        return refuse_defect(rule, value->defect, err);
    return ERR_OK;
}

static void *member_of(struct event *event, const struct rule *rule)
{
    return (char *)event + rule->offset;
}

static enum err_code take_TEXT(const struct rule *rule, const struct value *value,
                               struct event *event, struct err *err)
{
    struct event_text *text = member_of(event, rule);
    enum err_code code = check_string(rule, value, err);
    size_t len;

    if (code)
        return code;
    len = strlen(value->item->valuestring);
    if (len > rule->max_chars &&
        utf8_count(value->item->valuestring, len) > rule->max_chars)
        return err_set(err, ERR_INVALID,
                       "\"%s\" length must be less than or equal to %zu characters long",
                       rule->key, rule->max_chars);
    *text = (struct event_text){.bytes = value->item->valuestring, .len = len};
    return ERR_OK;
}

static enum err_code take_TIME(const struct rule *rule, const struct value *value,
                               struct event *event, struct err *err)
{
    int64_t *ms = member_of(event, rule);
    enum err_code code = check_string(rule, value, err);
    const char *text;

    if (code)
        return code;
    text = value->item->valuestring;
    if (timestamp_parse(text, strlen(text), ms))
        return refuse(rule, "must be in iso format", err);
    return ERR_OK;
}

/* One sentence for all that is wrong with it. */
static enum err_code take_UUID(const struct rule *rule, const struct value *value,
                               struct event *event, struct err *err)
{
    const char *text = value->item->valuestring;
    struct uuid *uuid = member_of(event, rule);

    if (!cJSON_IsString(value->item) || uuid_parse(text, strlen(text), uuid))
        return refuse(rule, "must be a valid GUID", err);
    if (value->defect != JSON_DEFECT_NONE)
        return refuse_defect(rule, value->defect, err);
    event->has_event_id = true; /* the only UUID there is */
    return ERR_OK;
}

static const struct rule rules[FIELD_COUNT] = {
#define RULE(NAME, text, TYPE, member, when, most)                                       \
    [FIELD_##NAME] = {.key = (text),                                                     \
                      .flaw = EVENT_FLAW_##NAME,                                         \
                      .presence = (when),                                                \
                      .max_chars = (most),                                               \
                      .take = take_##TYPE,                                               \
                      .offset = offsetof(struct event, member)},
    EVENT_FIELDS(RULE) EVENT_JOB_FIELDS(RULE)
#undef RULE
};

static enum err_code take_field(const struct rule *rule, const struct value *value,
                                struct event *event, struct err *err)
{
    bool is_null = value->item && cJSON_IsNull(value->item);

    if (!value->item && rule->presence == EVENT_REQUIRED)
        return refuse(rule, "is required", err);
    if (!value->item)
        return ERR_OK;
    if (is_null && rule->presence !=
                       EVENT_REQUIRED) /* an earlier duplicate may have had the defect */
        return value->defect ? refuse_defect(rule, value->defect, err) : ERR_OK;
    return rule->take(rule, value, event, err);
}

/* --- all of them ----------------------------------------------------------- */

static size_t find_field(const char *key, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].key, key) == 0)
            return i;
    }
    return count;
}

/* Looks at each member once.  Of duplicates the last one counts, but a defect of any. */
static void find_values(const struct json_parser *json, const cJSON *root, size_t count,
                        struct found *found)
{
    size_t index = 0;

    for (const cJSON *item = root->child; item; item = item->next, index++) {
        size_t field = find_field(item->string, count);
        struct value *value;
        if (field == count) {
            if (!found->unknown_key)
                found->unknown_key = item->string;
            continue;
        }
        value = &found->values[field];
        value->item = item;
        if (value->defect == JSON_DEFECT_NONE)
            value->defect = json_member_defect(json, index);
    }
}

static enum err_code refuse_key(const char *key, struct err *err)
{
    size_t len = strlen(key);
    size_t shown = utf8_cut(key, len, KEY_SHOWN_MAX);

    return err_set(err, ERR_INVALID, "\"%.*s%s\" is not allowed", (int)shown, key,
                   shown < len ? "..." : "");
}

/* Reads what there is of the fields.  Nothing at all, or only a byte order mark, is an
 * object without members. */
static enum err_code find_in_text(struct event_parser *parser, const char *what,
                                  size_t count, const char *bytes, size_t len,
                                  struct found *found, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = 0;
    const cJSON *root;
    enum err_code code;

    if (len >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0)
        skipped = strlen(mark);
    if (len == skipped)
        return ERR_OK;
    code = json_parse(parser->json, what, bytes + skipped, len - skipped, &root, err);
    if (code)
        return code;
    parser->flaw = EVENT_FLAW_VALUE;
    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INVALID, "\"value\" must be of type object");
    find_values(parser->json, root, count, found);
    return ERR_OK;
}

/* Parses an object that may have the first `count` fields of the table. */
static enum err_code parse_object(struct event_parser *parser, const char *what,
                                  size_t count, const char *bytes, size_t len,
                                  struct event *ret_event, struct err *err)
{
    struct found found = {.unknown_key = NULL};
    struct event event = {.has_event_id = false};
    enum err_code code;

    parser->flaw = EVENT_FLAW_JSON;
    code = find_in_text(parser, what, count, bytes, len, &found, err);
    for (size_t i = 0; i < count && !code; i++) {
        parser->flaw = rules[i].flaw;
        code = take_field(&rules[i], &found.values[i], &event, err);
    }
    if (code)
        return code;
    parser->flaw = EVENT_FLAW_UNKNOWN_KEY;
    if (found.unknown_key)
        return refuse_key(found.unknown_key, err);
    *ret_event = event;
    return ERR_OK;
}

enum err_code event_parse(struct event_parser *parser, const char *bytes, size_t len,
                          struct event *ret_event, struct err *err)
{
    return parse_object(parser, "body", FIELDS_OF_CLIENTS, bytes, len, ret_event, err);
}

enum err_code event_parse_job(struct event_parser *parser, const char *bytes, size_t len,
                              struct event *ret_event, struct err *err)
{
    return parse_object(parser, "job", FIELD_COUNT, bytes, len, ret_event, err);
}

enum event_flaw event_parser_flaw(const struct event_parser *parser)
{
    return parser->flaw;
}

struct event_parser *event_parser_new(void)
{
    struct event_parser *parser = mem_calloc(1, sizeof(*parser));

    if (!parser)
        return NULL;
    parser->json = json_parser_new(EVENT_BODY_MAX);
    if (!parser->json) {
        event_parser_free(parser);
        return NULL;
    }
    return parser;
}

void event_parser_free(struct event_parser *parser)
{
    if (!parser)
        return;
    json_parser_free(parser->json);
    mem_free(parser);
}
