/* parse.c -- an event out of the JSON of a client or of a job; see event.h.
 *
 * The rules are judged in the order of fields.h, those of few events after the others; the
 * first that is broken gives the answer.  A url gives the path, which is not required then.
 * Within a field the order is Joi's: presence, type, emptiness, then what the text must
 * look like.
 */
#include "shared/event/event.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/event/internal.h"
#include "shared/event/props.h"
#include "shared/text/json.h"
#include "shared/text/timestamp.h"
#include "shared/text/utf8.h"

/* The fields that every event may have, in the order of the rules. */
enum field {
#define FIELD_ENUM(NAME, ...) FIELD_##NAME,
    EVENT_FIELDS(FIELD_ENUM) FIELDS_OF_CLIENTS,
    FIELDS_BEFORE_JOBS = FIELDS_OF_CLIENTS - 1, /* so that the next one follows */
    EVENT_JOB_FIELDS(FIELD_ENUM)
#undef FIELD_ENUM
    FIELD_COUNT
};

enum {
    KEY_SHOWN_MAX = 256, /* bytes of an unknown key in a sentence; err.msg takes 384 */
    PROPS_ROOM = EVENT_JOB_MAX + 32 * PROPS_NUMBER_BYTES,
};

/* What was found of all of them. */
struct found {
    struct value values[FIELD_COUNT];
    size_t next;                           /* the field that is likely to come next */
    const char *unknown_key;               /* the first one, or NULL */
    uint64_t more;                         /* which of the others are there; */
    struct value others[EVENT_MORE_COUNT]; /* valid where the bit is set */
};

/* Who wrote the text, and so what may stand in it. */
struct writer {
    const char *what; /* "body" */
    size_t max_bytes;
    size_t count;  /* the first so many fields of the rules */
    uint64_t more; /* bits of the others */
    bool is_page;  /* little of it is refused, see event_parse_page() */
};

struct event_parser {
    struct json_parser *json; /* owned */
    enum event_flaw flaw;     /* of the last text that was refused */
    struct event_more_rules more;
};

struct rule;
typedef enum err_code (*take_fn)(const struct rule *rule, const struct value *value,
                                 struct event *event, struct err *err);

struct rule {
    const char *key;
    int flaw; /* enum event_flaw */
    enum event_presence presence;
    size_t least; /* characters */
    size_t most;
    take_fn take;
    size_t offset; /* in struct event, of the member that take() fills */
};

/* --- one field ------------------------------------------------------------- */

static enum err_code refuse(const struct rule *rule, const char *complaint,
                            struct err *err)
{
    return event_refuse(rule->key, complaint, err);
}

static void *member_of(struct event *event, const struct rule *rule)
{
    return (char *)event + rule->offset;
}

static enum err_code take_TEXT(const struct rule *rule, const struct value *value,
                               struct event *event, struct err *err)
{
    return event_take_string(rule->key, rule->least, rule->most, value,
                             member_of(event, rule), err);
}

static enum err_code take_TIME(const struct rule *rule, const struct value *value,
                               struct event *event, struct err *err)
{
    int64_t *ms = member_of(event, rule);
    enum err_code code = event_check_string(rule->key, false, value, err);
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
        return event_refuse_defect(rule->key, value->defect, err);
    event->has_event_id = true; /* the only UUID there is */
    return ERR_OK;
}

/* What is wrong with a field that only jobs have is not counted by its name. */
enum {
#define FLAW(NAME, ...)        FLAW_##NAME = EVENT_FLAW_##NAME,
#define FLAW_OF_JOB(NAME, ...) FLAW_##NAME = EVENT_FLAW_JOB,
    EVENT_FIELDS(FLAW)
    EVENT_JOB_FIELDS(FLAW_OF_JOB) EVENT_CLIENT_FIELDS(FLAW)
        EVENT_DERIVED_FIELDS(FLAW_OF_JOB)
#undef FLAW_OF_JOB
#undef FLAW
};

static const struct rule rules[FIELD_COUNT] = {
#define RULE(NAME, text, TYPE, member, when, from, upto)                                 \
    [FIELD_##NAME] = {.key = (text),                                                     \
                      .flaw = FLAW_##NAME,                                               \
                      .presence = (when),                                                \
                      .least = (from),                                                   \
                      .most = (upto),                                                    \
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
        return value->defect ? event_refuse_defect(rule->key, value->defect, err)
                             : ERR_OK;
    return rule->take(rule, value, event, err);
}

/* --- one of the fields that few events have ----------------------------------- */

static const enum event_flaw more_flaws[EVENT_MORE_COUNT] = {
#define MORE_FLAW(NAME, ...) [EVENT_MORE_##NAME] = (enum event_flaw)FLAW_##NAME,
    EVENT_MORE_FIELDS(MORE_FLAW)
#undef MORE_FLAW
};

/* In the order of their bits, which is that of the rules. */
static enum err_code take_all_more(struct event_parser *parser,
                                   const struct writer *writer, const struct found *found,
                                   struct event *event, struct err *err)
{
    enum err_code code = ERR_OK;

    for (uint64_t bits = found->more; bits && !code; bits &= bits - 1) {
        enum event_more index = (enum event_more)__builtin_ctzll(bits);
        if (writer->is_page &&
            event_page_drops(&parser->more, index, &found->others[index]))
            continue;
        parser->flaw = more_flaws[index];
        code = event_take_more(&parser->more, index, &found->others[index], event, err);
    }
    return code;
}

/* --- all of them ----------------------------------------------------------- */

/* Of the fields that every event may have, or NULL.  Jobs have them in the order of the rules,
 * and most clients do: so looking begins after the one that was found last. */
static struct value *find_basic(struct found *found, const struct writer *writer,
                                const char *key)
{
    size_t at = found->next;

    for (size_t left = writer->count; left > 0; left--, at++) {
        if (at >= writer->count)
            at = 0;
        if (strcmp(rules[at].key, key) == 0) {
            found->next = at + 1;
            return &found->values[at];
        }
    }
    return NULL;
}

/* Of those that few events have, or NULL. */
static struct value *find_other(struct found *found, const struct writer *writer,
                                const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < EVENT_MORE_COUNT; i++) {
        const struct event_more_field *field = &event_more_fields[i];

        if (field->key_len != len || memcmp(field->key, key, len) != 0 ||
            !(writer->more >> i & 1))
            continue;
        if (!(found->more >> i & 1))
            found->others[i] = (struct value){.item = NULL};
        found->more |= UINT64_C(1) << i;
        return &found->others[i];
    }
    return NULL;
}

/* Looks at each member once.  Of duplicates the last one counts, but a defect of any. */
static void find_values(const struct json_parser *json, const cJSON *root,
                        const struct writer *writer, struct found *found)
{
    size_t index = 0;

    for (const cJSON *item = root->child; item; item = item->next, index++) {
        struct value *value = find_basic(found, writer, item->string);
        if (!value)
            value = find_other(found, writer, item->string);
        if (!value) {
            if (!found->unknown_key)
                found->unknown_key = item->string;
            continue;
        }
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
static enum err_code find_in_text(struct event_parser *parser,
                                  const struct writer *writer, const char *bytes,
                                  size_t len, struct found *found, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = 0;
    const cJSON *root;
    enum err_code code;

    if (len >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0)
        skipped = strlen(mark);
    if (len > writer->max_bytes)
        return err_set(err, ERR_TOO_BIG, "%s is larger than %zu bytes", writer->what,
                       writer->max_bytes);
    if (len == skipped)
        return ERR_OK;
    code = json_parse(parser->json, writer->what, bytes + skipped, len - skipped, &root,
                      err);
    if (code)
        return code;
    parser->flaw = EVENT_FLAW_VALUE;
    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INVALID, "\"value\" must be of type object");
    find_values(parser->json, root, writer, found);
    return ERR_OK;
}

/* Whether a url is there, which gives the path. */
static bool has_url(const struct found *found)
{
    return (found->more >> EVENT_MORE_URL & 1) &&
           !cJSON_IsNull(found->others[EVENT_MORE_URL].item);
}

/* What a page need not say, or may say too long.  True when the field is done with. */
static bool take_of_page(size_t field, const struct found *found, struct event *event)
{
    const struct value *value = &found->values[field];
    bool is_absent = !value->item || (cJSON_IsNull(value->item) && !value->defect);

    if (field == FIELD_PATH && !is_absent && !event_page_cut(value, rules[field].most))
        is_absent = has_url(found); /* an empty one is refused otherwise */
    else if (field == FIELD_PATH)
        is_absent = is_absent && has_url(found);
    else if (field == FIELD_EVENT_TYPE && is_absent)
        event->event_type = (struct event_text){"page_view", 9};
    else if (field == FIELD_TIMESTAMP && is_absent)
        event->timestamp_ms = EVENT_NO_TIME;
    else if (field == FIELD_TIMESTAMP)
        is_absent = event_page_take_time(value, event);
    else
        is_absent = false;
    return is_absent;
}

static enum err_code take_fields(struct event_parser *parser, const struct writer *writer,
                                 const struct found *found, struct event *event,
                                 struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < writer->count && !code; i++) {
        if (writer->is_page && take_of_page(i, found, event))
            continue;
        if (i == FIELD_PATH && !found->values[i].item && has_url(found))
            continue;
        parser->flaw = (enum event_flaw)rules[i].flaw;
        code = take_field(&rules[i], &found->values[i], event, err);
    }
    return code;
}

static enum err_code parse_object(struct event_parser *parser,
                                  const struct writer *writer, const char *bytes,
                                  size_t len, struct event *ret_event, struct err *err)
{
    struct found found; /* what its bits do not name is not looked at, nor emptied */
    enum err_code code;

    memset(found.values, 0, sizeof(found.values));
    found.next = 0;
    found.unknown_key = NULL;
    found.more = 0;
    memset(ret_event, 0, offsetof(struct event, more) + sizeof(ret_event->more));
    parser->flaw = EVENT_FLAW_JSON;
    code = find_in_text(parser, writer, bytes, len, &found, err);
    if (!code)
        code = take_fields(parser, writer, &found, ret_event, err);
    if (!code)
        code = take_all_more(parser, writer, &found, ret_event, err);
    if (code)
        return code;
    parser->flaw = EVENT_FLAW_UNKNOWN_KEY;
    return found.unknown_key ? refuse_key(found.unknown_key, err) : ERR_OK;
}

#define CLIENT_BIT(NAME, ...) UINT64_C(1) << EVENT_MORE_##NAME |

static enum err_code parse_client(struct event_parser *parser, const char *what,
                                  const char *bytes, size_t len, struct event *ret_event,
                                  struct err *err)
{
    const struct writer client = {.what = what,
                                  .max_bytes = EVENT_BODY_MAX,
                                  .count = FIELDS_OF_CLIENTS,
                                  .more = EVENT_CLIENT_FIELDS(CLIENT_BIT) 0};

    return parse_object(parser, &client, bytes, len, ret_event, err);
}

enum err_code event_parse(struct event_parser *parser, const char *bytes, size_t len,
                          struct event *ret_event, struct err *err)
{
    return parse_client(parser, "body", bytes, len, ret_event, err);
}

enum err_code event_parse_part(struct event_parser *parser, const char *bytes, size_t len,
                               struct event *ret_event, struct err *err)
{
    return parse_client(parser, "event", bytes, len, ret_event, err);
}

enum err_code event_parse_page(struct event_parser *parser, const char *bytes, size_t len,
                               struct event *ret_event, struct err *err)
{
    static const struct writer page = {.what = "body",
                                       .max_bytes = EVENT_BODY_MAX,
                                       .count = FIELDS_OF_CLIENTS,
                                       .more = EVENT_CLIENT_FIELDS(CLIENT_BIT) 0,
                                       .is_page = true};

    return parse_object(parser, &page, bytes, len, ret_event, err);
}

enum err_code event_parse_job(struct event_parser *parser, const char *bytes, size_t len,
                              struct event *ret_event, struct err *err)
{
    const struct writer job = {.what = "job",
                               .max_bytes = EVENT_JOB_MAX,
                               .count = FIELD_COUNT,
                               .more = event_more_columns};

    enum err_code code = parse_object(parser, &job, bytes, len, ret_event, err);
    struct event_text referrer = event_text_of(ret_event, EVENT_MORE_REFERRER);

    if (code || referrer.len <= EVENT_REFERRER_MAX ||
        utf8_count(referrer.bytes, referrer.len) <= EVENT_REFERRER_MAX)
        return code;
    parser->flaw = EVENT_FLAW_REFERRER;
    return err_set(err, ERR_INVALID,
                   "\"referrer\" length must be less than or equal to %d characters long",
                   EVENT_REFERRER_MAX);
}

void event_parser_check(struct event_parser *parser, enum event_more field,
                        event_check_fn is_valid, const char *complaint)
{
    parser->more.extra[field] = (struct extra_rule){is_valid, complaint};
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
    parser->json = json_parser_new(EVENT_JOB_MAX);
    parser->more.props = mem_alloc(PROPS_ROOM);
    if (!parser->json || !parser->more.props) {
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
    mem_free(parser->more.props);
    mem_free(parser);
}
