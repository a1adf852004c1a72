/* main.c -- describes ingestion's routes for the OpenAPI document that reporting serves.
 *
 *   ingestion_openapi paths|schemas
 *
 * prints members of an object, as they stand in the document.  A program of the build: it runs
 * once, and what it prints is compiled into reporting, which knows nothing of ingestion.  A
 * route that has no description ends it, and so the build.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingestion/conf.h"
#include "ingestion/routes.h"
#include "ingestion/ways/batch.h"
#include "ingestion/ways/collect.h"
#include "shared/base/buf.h"
#include "shared/daemon/conf.h"
#include "shared/http/http.h"
#include "shared/openapi/doc.h"
#include "shared/openapi/event_schema.h"
#include "shared/openapi/operation.h"

enum {
    PART_MAX = 1048576 /* bytes */
};

#define REF(name)     "{'$ref':'#/components/schemas/" name "'}"
#define JSON_OF(name) "'application/json':{'schema':" REF(name) "}"

/* What reporting puts the address of ingestion in for. */
static const char servers[] = "'@ingestion'";
static const char with_key[] = "[{},{'ingest_key':[]}]";

/* The default of a setting, as the table of settings has it. */
static const char *initial_of(const char *name)
{
    const struct conf_item *item = ingestion_program.items;

    while (item->name && strcmp(item->name, name) != 0)
        item++;
    if (!item->name) {
        fprintf(stderr, "there is no setting %s\n", name);
        exit(EXIT_FAILURE);
    }
    return item->initial;
}

/* --- what is asked ------------------------------------------------------------------ */

static void begin_body(struct openapi_doc *doc, const char *description)
{
    openapi_add_name(doc, "requestBody");
    openapi_add(doc, "{'required':true,'description':");
    openapi_add_string(doc, description);
    openapi_add(doc, ",'content':{");
}

static void ask_event(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    begin_body(doc, "JSON, whatever the Content-Type says. Texts may not hold U+0000.");
    openapi_add(doc, JSON_OF("Event") "}}");
}

static void ask_batch(struct openapi_doc *doc, const struct openapi_operation *self)
{
    const char *most = initial_of("MAX_BATCH_EVENTS");

    (void)self;
    begin_body(doc,
               "An array of events, an object around one, or an event a line. How many "
               "there may be is a setting, MAX_BATCH_EVENTS.");
    openapi_add(
        doc, "'application/json':{'schema':{'anyOf':[{'$ref':'#/components/schemas/"
             "Batch'},{'type':'object','required':['batch'],'properties':{'batch':" REF(
                 "Batch") "},'additionalProperties':false}]}},");
    openapi_add(doc,
                "'application/x-ndjson':{'schema':{'type':'string','description':"
                "'at most %s lines, each an Event'}}}}",
                most);
}

static void ask_collect(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    begin_body(doc, "JSON, whatever the Content-Type says. Address and User-Agent of "
                    "another need a key.");
    openapi_add(
        doc,
        "'application/json':{'schema':{'anyOf':[" REF(
            "PageEvent") ",{'type':'array','maxItems':%d,'items':" REF("PageEvent") "}]}}"
                                                                                    "}}",
        WAY_COLLECT_EVENTS);
}

static void ask_pixel(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add_name(doc, "parameters");
    openapi_add(doc, "[");
    openapi_add_page_parameters(doc);
    openapi_add(doc, "]");
}

/* --- what is answered ----------------------------------------------------------------- */

static void answer_event(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add(doc, "'200':{'description':'The event is safe.','content':{" JSON_OF(
                         "Accepted") "}}");
}

static void answer_batch(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add(doc,
                "'200':{'description':'At least one event was accepted; those that were "
                "are safe.','content':{" JSON_OF("BatchAccepted") "}},");
    openapi_add(doc, "'400':{'description':'No event was accepted, or the body is no "
                     "batch.','content':{'application/json':{'schema':{'anyOf':[" REF(
                         "BatchRefused") "," REF("Error") "]}}}}");
}

static void answer_collect(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add(doc,
                "'200':{'description':'The events are safe, or were dropped: what sent "
                "them is no visitor.','content':{'application/json':{'schema':{'anyOf':"
                "[" REF("Accepted") "," REF("Dropped") "]}}}}");
}

static void answer_pixel(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add(doc,
                "'200':{'description':'The event is safe, or was dropped. 43 bytes.',"
                "'content':{'image/gif':{}}}");
}

static void answer_tracker(struct openapi_doc *doc, const struct openapi_operation *self)
{
    (void)self;
    openapi_add(doc,
                "'200':{'description':'The script.','headers':{'ETag':{'$ref':"
                "'#/components/headers/ETag'}},'content':{'text/javascript':{'schema':{"
                "'type':'string'}}}}");
}

static const struct openapi_operation operations[] = {
    {"/event", "sendEvent", "send", "One event, from servers", with_key, servers,
     .add_question = ask_event, .add_answers = answer_event},
    {"/batch", "sendBatch", "send", "Many events, from servers and imports", with_key,
     servers, .own = OPENAPI_INVALID, .never = OPENAPI_FORBIDDEN,
     .add_question = ask_batch, .add_answers = answer_batch},
    {"/collect", "collect", "pages",
     "Events of a page; the path is a setting (COLLECT_PATH)", with_key, servers,
     .never = OPENAPI_UNAUTHORIZED, .add_question = ask_collect,
     .add_answers = answer_collect},
    {"/pixel.gif", "pixel", "pages",
     "An event of a page without script; the path is a setting (PIXEL_PATH)", with_key,
     servers, .never = OPENAPI_UNAUTHORIZED,
     .more = OPENAPI_INVALID | OPENAPI_UNAVAILABLE, .add_question = ask_pixel,
     .add_answers = answer_pixel},
    {"/t.js", "tracker", "pages",
     "The script that pages load; the path is a setting (TRACKER_PATH)", NULL, servers,
     .more = OPENAPI_NOT_MODIFIED, .add_answers = answer_tracker},
};

static const struct openapi_operation *find(const char *path)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].path, path) == 0)
            return &operations[i];
    }
    fprintf(stderr, "%s is not described in " __FILE__ "\n", path);
    exit(EXIT_FAILURE);
}

/* --- the two parts -------------------------------------------------------------------- */

/* Health is the same everywhere, and stands in the document already. */
static void add_paths(struct openapi_doc *doc)
{
    for (const struct http_route *at = routes_all(); at->path; at++) {
        if (at->kind == HTTP_ROUTE_CLIENT)
            openapi_add_operation(doc, at, find(at->path));
    }
}

static void add_batch_answer(struct openapi_doc *doc, const char *name, const char *head,
                             const char *head_rule)
{
    openapi_add_name(doc, name);
    openapi_add(doc,
                "{'type':'object','required':['%s','accepted','rejected','errors'],"
                "'properties':{'%s':%s,'accepted':{'type':'integer','minimum':0},"
                "'rejected':{'type':'integer','minimum':0},",
                head, head, head_rule);
    openapi_add(doc,
                "'errors':{'type':'array','maxItems':%d,'items':{'type':'object',"
                "'required':['index','error'],'properties':{'index':{'type':'integer',"
                "'minimum':0},'error':{'type':'string'}},'additionalProperties':false}}},"
                "'additionalProperties':false}",
                WAY_BATCH_ERRORS);
}

static void add_schemas(struct openapi_doc *doc)
{
    openapi_add_name(doc, "Event");
    openapi_add_event(doc);
    openapi_add_name(doc, "PageEvent");
    openapi_add_page_event(doc);
    openapi_add_name(doc, "Batch");
    openapi_add(doc,
                "{'type':'array','minItems':1,'maxItems':%s,'items':" REF("Event") "}",
                initial_of("MAX_BATCH_EVENTS"));
    openapi_add_name(doc, "Accepted");
    openapi_add(doc, "{'type':'object','required':['status'],'properties':{'status':{"
                     "'const':'ok'}},'additionalProperties':false}");
    openapi_add_name(doc, "Dropped");
    openapi_add(doc, "{'type':'object','required':['status','reason'],'properties':{"
                     "'status':{'const':'dropped'},'reason':{'const':'bot'}},"
                     "'additionalProperties':false}");
    add_batch_answer(doc, "BatchAccepted", "status", "{'const':'ok'}");
    add_batch_answer(doc, "BatchRefused", "error", "{'type':'string'}");
}

int main(int argc, char **argv)
{
    struct buf out;
    struct openapi_doc doc = {.out = &out};
    bool is_paths = argc == 2 && strcmp(argv[1], "paths") == 0;
    bool is_schemas = argc == 2 && strcmp(argv[1], "schemas") == 0;
    bool is_written = false;

    buf_init(&out, PART_MAX);
    if (is_paths)
        add_paths(&doc);
    if (is_schemas)
        add_schemas(&doc);
    if ((is_paths || is_schemas) && !doc.code)
        is_written =
            fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_release(&out);
    if (!is_written)
        fprintf(stderr, "usage: ingestion_openapi paths|schemas\n");
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
