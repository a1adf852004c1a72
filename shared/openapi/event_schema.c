/* event_schema.c -- see event_schema.h. */
#include "shared/openapi/event_schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared/event/event.h"
#include "shared/event/props.h"
#include "shared/openapi/doc.h"

enum kind {
    KIND_TEXT,
    KIND_TIME,
    KIND_UUID,
    KIND_INT,
    KIND_PROPS,
    KIND_ID64
};

struct field {
    const char *key;
    enum kind kind;
    enum event_presence presence;
    int64_t least;
    int64_t most;
};

/* Whose event it is. */
enum writer {
    WRITER_SERVER,
    WRITER_PAGE,
    WRITER_TABLE /* as it is stored */
};

static const struct field fields[] = {
#define FIELD(NAME, key, TYPE, member, presence, least, most)                            \
    {key, KIND_##TYPE, presence, least, most},
    EVENT_FIELDS(FIELD) EVENT_MORE_FIELDS(FIELD)
#undef FIELD
};

enum {
    FIELD_COUNT = sizeof(fields) / sizeof(fields[0]),
    FIRST_MORE = FIELD_COUNT - EVENT_MORE_COUNT
};

/* What a text must look like besides; ECMA's regular expressions. */
static const struct {
    const char *key;
    const char *pattern;
} patterns[] = {
    {"url", "^[Hh][Tt][Tt][Pp][Ss]?://[^\\s<>\"]+$"},
    {"language", "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"},
};

static const char time_pattern[] =
    "^(?!0000)[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])([T \\t]"
    "(24:00|([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]+)?)?)"
    "(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?)?)?$";
static const char uuid_pattern[] =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/* --- one field -------------------------------------------------------------------- */

static const char *pattern_of(const struct field *field)
{
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (strcmp(patterns[i].key, field->key) == 0)
            return patterns[i].pattern;
    }
    return NULL;
}

static void add_pattern(struct openapi_doc *doc, const char *pattern)
{
    if (!pattern)
        return;
    openapi_add(doc, ",'pattern':");
    openapi_add_string(doc, pattern);
}

static void add_type(struct openapi_doc *doc, const char *type, bool is_nullable)
{
    openapi_add(doc, is_nullable ? "{'type':['%s','null']" : "{'type':'%s'", type);
}

static void add_text(struct openapi_doc *doc, const struct field *field)
{
    if (field->least > 0)
        openapi_add(doc, ",'minLength':%lld", (long long)field->least);
    openapi_add(doc, ",'maxLength':%lld", (long long)field->most);
    add_pattern(doc, pattern_of(field));
}

static void add_props(struct openapi_doc *doc, const struct field *field)
{
    openapi_add(doc,
                ",'maxProperties':%lld,'propertyNames':{'minLength':1,'maxLength':%d},"
                "'additionalProperties':{'type':['string','number','boolean','null'],"
                "'maxLength':%d}",
                (long long)field->most, PROPS_NAME_MAX, PROPS_STRING_MAX);
}

/* The rules of a field that a client sends. */
static void add_rules(struct openapi_doc *doc, const struct field *field)
{
    switch (field->kind) {
    case KIND_TEXT:
        add_text(doc, field);
        break;
    case KIND_TIME:
        add_pattern(doc, time_pattern);
        break;
    case KIND_UUID:
        add_pattern(doc, uuid_pattern);
        break;
    case KIND_INT:
        openapi_add(doc, ",'minimum':%lld,'maximum':%lld", (long long)field->least,
                    (long long)field->most);
        break;
    case KIND_PROPS:
        add_props(doc, field);
        break;
    case KIND_ID64:
        break; /* of no client */
    }
}

static const char *type_of(const struct field *field)
{
    return field->kind == KIND_INT     ? "integer"
           : field->kind == KIND_PROPS ? "object"
                                       : "string";
}

/* Whether of what a page sends only the type is judged. */
static bool is_forgiving(size_t index)
{
    if (index >= FIRST_MORE)
        return event_page_forgives((enum event_more)(index - FIRST_MORE));
    return fields[index].kind == KIND_TIME || strcmp(fields[index].key, "path") == 0;
}

static void add_sent(struct openapi_doc *doc, size_t index, enum writer writer)
{
    const struct field *field = &fields[index];
    bool is_page = writer == WRITER_PAGE;
    bool is_needed = field->presence == EVENT_REQUIRED &&
                     (!is_page || strcmp(field->key, "site_id") == 0);

    add_type(doc, type_of(field), !is_needed);
    if (!is_page || !is_forgiving(index))
        add_rules(doc, field);
    openapi_add(doc, "}");
}

/* A column; what programs that write to the table themselves put there is not known. */
static void add_stored(struct openapi_doc *doc, const struct field *field)
{
    add_type(doc, type_of(field),
             field->presence != EVENT_REQUIRED && field->kind != KIND_UUID);
    if (field->kind == KIND_TIME)
        openapi_add(doc, ",'format':'date-time'");
    if (field->kind == KIND_UUID)
        openapi_add(doc, ",'format':'uuid'");
    if (field->kind == KIND_ID64)
        add_pattern(doc, "^[0-9a-f]{16}$");
    if (field->kind == KIND_PROPS)
        openapi_add(doc, ",'additionalProperties':true");
    openapi_add(doc, "}");
}

/* --- all of them ------------------------------------------------------------------ */

static bool is_of(const struct field *field, enum writer writer)
{
    return field->presence != (writer == WRITER_TABLE ? EVENT_INPUT : EVENT_DERIVED);
}

static void add_properties(struct openapi_doc *doc, enum writer writer)
{
    openapi_add(doc, "'properties':{");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!is_of(&fields[i], writer))
            continue;
        openapi_add_name(doc, fields[i].key);
        if (writer == WRITER_TABLE)
            add_stored(doc, &fields[i]);
        else
            add_sent(doc, i, writer);
    }
}

/* What gives the path, besides all other rules: generators of clients make a type of the two. */
static void add_path_or_url(struct openapi_doc *doc, const char *rule)
{
    openapi_add(doc,
                "},'additionalProperties':false},{'anyOf':[{'type':'object','required':["
                "'path'],'properties':{'path':{'type':'string'%s}}},{'type':'object',"
                "'required':['url'],'properties':{'url':{'type':'string'}}}]}]}",
                rule);
}

void openapi_add_event(struct openapi_doc *doc)
{
    openapi_add(doc, "{'allOf':[{'type':'object','required':[");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].presence != EVENT_REQUIRED || strcmp(fields[i].key, "path") == 0)
            continue;
        openapi_add_comma(doc);
        openapi_add(doc, "'%s'", fields[i].key);
    }
    openapi_add(doc, "],");
    add_properties(doc, WRITER_SERVER);
    add_path_or_url(doc, "");
}

void openapi_add_page_event(struct openapi_doc *doc)
{
    openapi_add(doc, "{'allOf':[{'type':'object','required':['site_id'],");
    add_properties(doc, WRITER_PAGE);
    add_path_or_url(doc, ",'minLength':1");
}

void openapi_add_stored_event(struct openapi_doc *doc)
{
    openapi_add(doc, "{'type':'object',");
    add_properties(doc, WRITER_TABLE);
    openapi_add(doc, ",'id':{'type':'integer'},'created_at':{'type':'string',"
                     "'format':'date-time'}},'required':['id','created_at'");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (is_of(&fields[i], WRITER_TABLE))
            openapi_add(doc, ",'%s'", fields[i].key);
    }
    openapi_add(doc, "],'additionalProperties':false}");
}

void openapi_add_page_parameters(struct openapi_doc *doc)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &fields[i];
        bool is_json = field->kind == KIND_PROPS;

        if (!is_of(field, WRITER_PAGE))
            continue;
        openapi_add_comma(doc);
        openapi_add(doc, "{'name':'%s','in':'query'%s,", field->key,
                    strcmp(field->key, "site_id") == 0 ? ",'required':true" : "");
        openapi_add(doc,
                    is_json ? "'content':{'application/json':{'schema':" : "'schema':");
        add_type(doc, type_of(field), false);
        if (!is_forgiving(i))
            add_rules(doc, field);
        openapi_add(doc, is_json ? "}}}}" : "}}");
    }
}
