/* parameters.c -- see parameters.h. */
#include "reporting/openapi/parameters.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "reporting/report/metric_table.h"
#include "reporting/report/params.h"
#include "shared/openapi/doc.h"

enum {
    PATTERN_MAX = 2048,
    NAMES_MAX = 1024,
    HELP_MAX = 4096
};

/* A text with a limit, which all names of the tables are far from: a test sees their last. */
struct text {
    size_t len;
    size_t size;
    char *bytes;
};

static void add(struct text *text, const char *more)
{
    size_t len = strlen(more);

    if (text->len + len >= text->size)
        return;
    memcpy(text->bytes + text->len, more, len + 1);
    text->len += len;
}

/* --- names --------------------------------------------------------------------------- */

unsigned parameters_metrics(unsigned params)
{
    unsigned bits = 0;

    if (!(params & ASK_PARAM_PROPERTY))
        return metric_allowed(METRIC_GROUP_NONE);
    for (int group = METRIC_GROUP_NONE + 1; group < METRIC_GROUP_COUNT; group++)
        bits |= metric_allowed((enum metric_group)group);
    return bits;
}

static void add_metrics(struct openapi_doc *doc, unsigned bits)
{
    openapi_add(doc, "[");
    for (int id = 0; id < METRIC_ID_COUNT; id++) {
        if (!(bits & 1U << id))
            continue;
        openapi_add_comma(doc);
        openapi_add(doc, "'%s'", metric_name((enum metric_id)id));
    }
    openapi_add(doc, "]");
}

static void list_metrics(struct text *text, unsigned bits)
{
    for (int id = 0; id < METRIC_ID_COUNT; id++) {
        if (!(bits & 1U << id))
            continue;
        add(text, " ");
        add(text, metric_name((enum metric_id)id));
    }
}

/* Which metrics go with which properties, a sentence for each group of them. */
static void list_groups(struct text *text)
{
    for (int group = METRIC_GROUP_NONE + 1; group < METRIC_GROUP_COUNT; group++) {
        enum metric_group of = (enum metric_group)group;
        add(text, " Of");
        for (size_t i = 0; property_at(i); i++) {
            if (property_at(i)->group != of)
                continue;
            add(text, " ");
            add(text, property_at(i)->name);
        }
        if (of == METRIC_GROUP_PROP)
            add(text, " " PROPERTY_KEYS " " PROPERTY_PROP "<key>");
        add(text, ":");
        list_metrics(text, metric_allowed(of));
        add(text, ", by default");
        list_metrics(text, metric_default(of));
        add(text, ".");
    }
}

static void list_properties(struct text *text, const char *between)
{
    for (size_t i = 0; property_at(i); i++) {
        if (i > 0)
            add(text, between);
        add(text, property_at(i)->name);
    }
}

/* --- schemas ------------------------------------------------------------------------- */

static void add_words(struct openapi_doc *doc, const struct param *param)
{
    openapi_add(doc, "{'type':'string','enum':[");
    for (size_t i = 0; param->words[i]; i++)
        openapi_add(doc, "%s'%s'", i > 0 ? "," : "", param->words[i]);
    openapi_add(doc, "]");
    if (param->initial)
        openapi_add(doc, ",'default':'%s'", param->initial);
    openapi_add(doc, "}");
}

static void add_property(struct openapi_doc *doc)
{
    char bytes[NAMES_MAX] = "";
    struct text names = {.size = sizeof(bytes), .bytes = bytes};

    list_properties(&names, "','");
    openapi_add(doc,
                "{'anyOf':[{'type':'string','enum':['%s','" PROPERTY_KEYS "']},"
                "{'type':'string','pattern':'^" PROPERTY_PROP "[\\\\s\\\\S]+$'}]}",
                bytes);
}

static void add_metric_list(struct openapi_doc *doc, unsigned params)
{
    openapi_add(doc, "{'type':'array','minItems':1,'uniqueItems':true,'items':{"
                     "'type':'string','enum':");
    add_metrics(doc, parameters_metrics(params));
    openapi_add(doc, "}");
    if (!(params & ASK_PARAM_PROPERTY)) {
        openapi_add(doc, ",'default':");
        add_metrics(doc, metric_default(METRIC_GROUP_NONE));
    }
    openapi_add(doc, "}");
}

/* A clause is written once and said twice: the first, and those after a semicolon. */
static void add_filters(struct openapi_doc *doc)
{
    char one[NAMES_MAX] = "";
    char all[PATTERN_MAX] = "";
    struct text clause = {.size = sizeof(one), .bytes = one};
    struct text pattern = {.size = sizeof(all), .bytes = all};

    add(&clause, "(");
    list_properties(&clause, "|");
    add(&clause, "|" PROPERTY_PROP "([^=!;|\\\\]|\\\\[\\s\\S])+)"
                 "(==|!=)([^;\\\\]|\\\\[\\s\\S]|\\\\$)*");
    add(&pattern, "^");
    add(&pattern, one);
    add(&pattern, "(;");
    add(&pattern, one);
    add(&pattern, ")*$");
    openapi_add(doc, "{'type':'string','pattern':");
    openapi_add_string(doc, all);
    openapi_add(doc, "}");
}

void parameters_add_schema(struct openapi_doc *doc, const struct param *param,
                           unsigned params)
{
    switch (param->type) {
    case PARAM_TEXT:
        openapi_add(doc, "{'type':'string','minLength':1}");
        break;
    case PARAM_DAY:
        openapi_add(doc, "{'type':'string','format':'date',"
                         "'pattern':'^[0-9]{4}-[0-9]{2}-[0-9]{2}$'}");
        break;
    case PARAM_WORD:
        add_words(doc, param);
        break;
    case PARAM_NUMBER:
        openapi_add(doc, "{'type':'integer','minimum':1,'maximum':%d,'default':%d}",
                    param->most, param->usual);
        break;
    case PARAM_PROPERTY:
        add_property(doc);
        break;
    case PARAM_METRICS:
        add_metric_list(doc, params);
        break;
    case PARAM_FILTERS:
        add_filters(doc);
        break;
    }
}

/* --- all of a report's ----------------------------------------------------------------- */

static void add_help(struct openapi_doc *doc, const struct param *param, unsigned params)
{
    char bytes[HELP_MAX] = "";
    struct text help = {.size = sizeof(bytes), .bytes = bytes};

    add(&help, param->help);
    if (param->type == PARAM_METRICS && (params & ASK_PARAM_PROPERTY))
        list_groups(&help);
    openapi_add(doc, ",'description':");
    openapi_add_string(doc, bytes);
}

static void add_parameter(struct openapi_doc *doc, const struct param *param,
                          unsigned params)
{
    openapi_add(doc, "{'name':'%s','in':'query'", param->name);
    if (param->is_required)
        openapi_add(doc, ",'required':true");
    if (param->type == PARAM_METRICS)
        openapi_add(doc, ",'style':'form','explode':false");
    add_help(doc, param, params);
    openapi_add(doc, ",'schema':");
    parameters_add_schema(doc, param, params);
    openapi_add(doc, "}");
}

void parameters_add(struct openapi_doc *doc, unsigned params)
{
    const struct param *param;

    openapi_add(doc, "[");
    for (size_t i = 0; (param = param_at(i)); i++) {
        if (!(params & param->bit))
            continue;
        openapi_add_comma(doc);
        add_parameter(doc, param, params);
    }
    openapi_add(doc, "]");
}

const struct param *parameters_find(unsigned params, const char *name)
{
    const struct param *param;

    for (size_t i = 0; (param = param_at(i)); i++) {
        if ((params & param->bit) && strcmp(param->name, name) == 0)
            return param;
    }
    return NULL;
}
