/* operation.c -- see operation.h. */
#include "shared/openapi/operation.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "shared/http/http.h"

static const struct {
    unsigned status;
    const char *name;
    const char *meaning;
} answers[OPENAPI_ANSWER_COUNT] = {
#define ANSWER(id, status, name, meaning) {status, name, meaning},
    OPENAPI_ANSWERS(ANSWER)
#undef ANSWER
};

/* What anybody may be told on any route: by HTTP itself, or when something is broken. */
static const char refused[] =
    "Refused before the route was asked: another path (404), another method (405), too "
    "slow "
    "(408), too large (413, 414, 431), an `Expect` (417) or a version (505) that is not "
    "known, out of memory (503), or an error of ours (500).";

/* --- one operation ---------------------------------------------------------------- */

static unsigned answers_of(const struct http_route *route,
                           const struct openapi_operation *operation)
{
    unsigned bits = operation->more;

    if (route->access == HTTP_GUARDED)
        bits |= OPENAPI_FORBIDDEN | OPENAPI_TOO_MANY;
    if (route->access == HTTP_GUARDED && operation->security)
        bits |= OPENAPI_UNAUTHORIZED;
    if (route->reads_body)
        bits |= OPENAPI_INVALID | OPENAPI_TOO_LARGE | OPENAPI_UNSUPPORTED |
                OPENAPI_UNAVAILABLE;
    return bits & ~operation->own & ~operation->never;
}

/* The path, with the name of its last segment where that is any. */
static void add_path(struct openapi_doc *doc, const struct http_route *route,
                     const struct openapi_operation *operation)
{
    size_t len = strlen(route->path);

    openapi_add_comma(doc);
    if (operation->segment)
        openapi_add(doc, "'%.*s{%s}':{", (int)len - 1, route->path, operation->segment);
    else
        openapi_add(doc, "'%s':{", route->path);
}

static void add_method(struct openapi_doc *doc, const char *method)
{
    openapi_add(doc, "'");
    for (; *method; method++)
        openapi_add(doc, "%c", tolower((unsigned char)*method));
    openapi_add(doc, "':{");
}

static void add_responses(struct openapi_doc *doc, const struct http_route *route,
                          const struct openapi_operation *operation)
{
    unsigned bits = answers_of(route, operation);

    openapi_add_name(doc, "responses");
    openapi_add(doc, "{");
    operation->add_answers(doc, operation);
    for (int i = 0; i < OPENAPI_ANSWER_COUNT; i++) {
        if (bits >> i & 1)
            openapi_add(doc, ",'%u':{'$ref':'#/components/responses/%s'}",
                        answers[i].status, answers[i].name);
    }
    openapi_add(doc, ",'default':{'$ref':'#/components/responses/Refused'}}");
}

void openapi_add_operation(struct openapi_doc *doc, const struct http_route *route,
                           const struct openapi_operation *operation)
{
    add_path(doc, route, operation);
    if (operation->segment)
        openapi_add(doc,
                    "'parameters':[{'name':'%s','in':'path','required':true,"
                    "'schema':{'type':'string'}}],",
                    operation->segment);
    add_method(doc, route->method);
    openapi_add(doc, "'operationId':'%s','tags':['%s'],'summary':", operation->id,
                operation->tag);
    openapi_add_string(doc, operation->summary);
    openapi_add(doc, ",'security':%s",
                operation->security && route->access == HTTP_GUARDED ? operation->security
                                                                     : "[]");
    if (operation->servers)
        openapi_add(doc, ",'servers':%s", operation->servers);
    if (operation->add_question)
        operation->add_question(doc, operation);
    add_responses(doc, route, operation);
    openapi_add(doc, "}}");
}

/* --- what they share ---------------------------------------------------------------- */

static bool has_body(unsigned status)
{
    return status != 304;
}

static bool is_for_later(unsigned status)
{
    return status == 429 || status == 503;
}

void openapi_add_responses(struct openapi_doc *doc)
{
    static const char error[] = ",'content':{'application/json':{'schema':{'$ref':'#/"
                                "components/schemas/Error'}}}}";

    for (int i = 0; i < OPENAPI_ANSWER_COUNT; i++) {
        openapi_add_name(doc, answers[i].name);
        openapi_add(doc, "{'description':");
        openapi_add_string(doc, answers[i].meaning);
        if (is_for_later(answers[i].status))
            openapi_add(doc, ",'headers':{'Retry-After':{'$ref':"
                             "'#/components/headers/Retry-After'}}");
        openapi_add(doc, "%s", has_body(answers[i].status) ? error : "}");
    }
    openapi_add_name(doc, "Refused");
    openapi_add(doc, "{'description':");
    openapi_add_string(doc, refused);
    openapi_add(doc, "%s", error);
}

void openapi_add_error_schema(struct openapi_doc *doc)
{
    openapi_add_name(doc, "Error");
    openapi_add(doc, "{'type':'object','required':['error'],'properties':{'error':{"
                     "'type':'string','minLength':1,'description':'one sentence'}},"
                     "'additionalProperties':false}");
}

void openapi_add_headers(struct openapi_doc *doc)
{
    openapi_add_name(doc, "Retry-After");
    openapi_add(doc, "{'description':'seconds to wait','schema':{'type':'integer',"
                     "'minimum':1}}");
    openapi_add_name(doc, "ETag");
    openapi_add(doc, "{'description':'to be sent as If-None-Match','schema':{"
                     "'type':'string'}}");
}
