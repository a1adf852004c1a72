/* document.c -- see document.h. */
#include "reporting/openapi/document.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "reporting/openapi/operations.h"
#include "reporting/openapi/schemas.h"
#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/http/asset.h"
#include "shared/openapi/doc.h"
#include "shared/openapi/event_schema.h"
#include "shared/openapi/operation.h"

/* Made at build time: members of paths, and of components/schemas. */
extern const struct http_asset asset_ingestion_paths_json;
extern const struct http_asset asset_ingestion_schemas_json;

enum {
    DOCUMENT_MAX = 1048576, /* bytes */
    URL_SIZE = 1025         /* the settings take 1,024 */
};

struct document {
    struct http_made_asset made;
};

static const struct http_header headers[] = {
    {"Cache-Control", "private, no-cache"}, /* as that of the reports */
    {NULL, NULL},
};

static const char about[] =
    "Events go in by ingestion, figures come out by reporting. `HEAD` is answered "
    "wherever "
    "`GET` is, but for the pixel; `OPTIONS` wherever pages of other origins may ask. "
    "Keys and "
    "tokens are asked for only where they are set. Paths and limits of ingestion are the "
    "defaults of its settings. With `HEALTH_PORT` set health and metrics have a port of "
    "their "
    "own. The rules in words are in docs/protocol.md.";

/* --- its parts --------------------------------------------------------------------------- */

static void add_info(struct openapi_doc *doc)
{
    openapi_add(doc,
                "'openapi':'3.1.0','info':{'title':'analytics-backend','version':"
                "'" ANALYTICS_VERSION "','license':{'name':'MIT','identifier':'MIT'},"
                "'description':");
    openapi_add_string(doc, about);
    openapi_add(doc, "}");
}

/* A URL of the settings, without slashes at the end: paths follow. */
static void add_url(struct openapi_doc *doc, const char *name, const char *url)
{
    char text[URL_SIZE] = "";
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    if (len < sizeof(text))
        (void)snprintf(text, sizeof(text), "%.*s", (int)len, url);
    openapi_add(doc, "{'description':'%s','url':", name);
    openapi_add_string(doc, text);
    openapi_add(doc, "}");
}

static void add_reporting(struct openapi_doc *doc, const char *url)
{
    if (url[0])
        add_url(doc, "reporting", url);
    else
        openapi_add(doc, "{'description':'reporting','url':'/'}");
}

static void add_ingestion(struct openapi_doc *doc, const char *url)
{
    if (url[0])
        add_url(doc, "ingestion", url);
    else
        openapi_add(doc, "{'description':'ingestion','url':'http://{host}:3000',"
                         "'variables':{'host':{'default':'localhost'}}}");
}

static void add_schemes(struct openapi_doc *doc)
{
    openapi_add(doc,
                "'securitySchemes':{'ingest_key':{'type':'http','scheme':'bearer',"
                "'description':'INGEST_KEY'},'reporting_token':{'type':'http',"
                "'scheme':'bearer','description':'REPORTING_TOKEN'},'share_key':{"
                "'type':'http','scheme':'bearer','bearerFormat':'<32 hexadecimal "
                "digits>.<site_id>','description':'of `reporting --share <site_id>`: "
                "the figures of that site'}}");
}

/* Members that were written elsewhere. */
static void add_members(struct openapi_doc *doc, const struct http_asset *members)
{
    openapi_add_comma(doc);
    if (!doc->code)
        doc->code = buf_add(doc->out, members->plain, members->plain_len);
}

static void add_components(struct openapi_doc *doc)
{
    openapi_add(doc, "'components':{");
    add_schemes(doc);
    openapi_add(doc, ",'headers':{");
    openapi_add_headers(doc);
    openapi_add(doc, "},'responses':{");
    openapi_add_responses(doc);
    openapi_add(doc, "},'schemas':{");
    openapi_add_error_schema(doc);
    schemas_add(doc);
    openapi_add_name(doc, "StoredEvent");
    openapi_add_stored_event(doc);
    add_members(doc, &asset_ingestion_schemas_json);
    openapi_add(doc, "}}");
}

/* Everything but the servers of single operations. */
static void add_all(struct openapi_doc *doc, const struct http_route *routes,
                    const char *reporting_url)
{
    bool is_complete;

    openapi_add(doc, "{");
    add_info(doc);
    openapi_add(doc, ",'servers':[");
    add_reporting(doc, reporting_url);
    openapi_add(doc, "],'paths':{");
    add_members(doc, &asset_ingestion_paths_json);
    is_complete = operations_add(doc, routes);
    openapi_add(doc, "},");
    add_components(doc);
    openapi_add(doc, "}");
    if (!is_complete && !doc->code)
        doc->code = ERR_BUG;
}

/* --- the servers of ingestion --------------------------------------------------------------- */

struct place {
    const char *name; /* quoted, as it stands there */
    bool has_reporting;
};

static const struct place places[] = {
    {"\"" OPERATIONS_INGESTION "\"", false},
    {"\"" OPERATIONS_BOTH "\"", true},
};

/* The place that begins at a text, or NULL. */
static const struct place *find_place(const char *at, size_t len)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        size_t name_len = strlen(places[i].name);
        if (len >= name_len && memcmp(at, places[i].name, name_len) == 0)
            return &places[i];
    }
    return NULL;
}

static void fill_places(struct openapi_doc *doc, const struct buf *from,
                        const char *reporting_url, const char *ingestion_url)
{
    size_t at = 0;

    while (at < from->len && !doc->code) {
        const struct place *place = find_place(from->data + at, from->len - at);
        if (!place) {
            doc->code = buf_add(doc->out, from->data + at, 1);
            at++;
            continue;
        }
        openapi_add(doc, "[");
        if (place->has_reporting)
            add_reporting(doc, reporting_url);
        openapi_add(doc, place->has_reporting ? "," : "");
        add_ingestion(doc, ingestion_url);
        openapi_add(doc, "]");
        at += strlen(place->name);
    }
}

/* --- life ---------------------------------------------------------------------------------- */

enum err_code document_new(const struct http_route *routes, const char *reporting_url,
                           const char *ingestion_url, struct document **ret_document,
                           struct err *err)
{
    struct document *document = mem_calloc(1, sizeof(*document));
    struct buf open; /* what has no servers yet */
    struct openapi_doc doc = {.out = &open};

    if (!document)
        return err_set(err, ERR_NOMEM, "out of memory");
    buf_init(&open, DOCUMENT_MAX);
    http_made_asset_init(&document->made, DOCUMENT_MAX);
    add_all(&doc, routes, reporting_url);
    doc.out = &document->made.plain;
    if (!doc.code)
        fill_places(&doc, &open, reporting_url, ingestion_url);
    buf_release(&open);
    if (!doc.code)
        doc.code =
            http_made_asset_finish(&document->made, "openapi.json", HTTP_TYPE_JSON);
    if (doc.code) {
        document_free(document);
        return err_set(err, doc.code, "could not write the OpenAPI document");
    }
    *ret_document = document;
    return ERR_OK;
}

void document_free(struct document *document)
{
    if (!document)
        return;
    http_made_asset_release(&document->made);
    mem_free(document);
}

void document_answer(const struct document *document, struct http_request *req)
{
    http_answer_asset(req, &document->made.asset, headers);
}
