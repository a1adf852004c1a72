/* operations.c -- see operations.h.
 *
 * A report is described by its row of reports.h; what else is served is described here.
 */
#include "reporting/openapi/operations.h"

#include <stddef.h>
#include <string.h>

#include "reporting/openapi/parameters.h"
#include "reporting/openapi/schemas.h"
#include "reporting/report/report.h"
#include "shared/http/http.h"
#include "shared/openapi/operation.h"

static const char etag[] = "'headers':{'ETag':{'$ref':'#/components/headers/ETag'}},";

/* --- reports --------------------------------------------------------------------------- */

static const struct report *find_report(const char *path)
{
    for (int id = 0; id < STATEMENT_COUNT; id++) {
        const struct report *report = report_get((enum statement_id)id);
        if (report->path && strcmp(report->path, path) == 0)
            return report;
    }
    return NULL;
}

static void ask_report(struct openapi_doc *doc, const struct openapi_operation *self)
{
    const struct report *report = self->user;

    openapi_add_name(doc, "parameters");
    parameters_add(doc, report->params);
}

/* Lines of text have no schema in this version of OpenAPI. */
static void add_lines(struct openapi_doc *doc)
{
    openapi_add(doc,
                "'text/csv':{'schema':{'type':'string','description':'a header, and a "
                "line for each event'}},'application/x-ndjson':{'schema':{"
                "'type':'string','description':'each line is a StoredEvent'}}");
}

static void answer_report(struct openapi_doc *doc, const struct openapi_operation *self)
{
    const struct report *report = self->user;
    char name[SCHEMA_NAME_SIZE];

    openapi_add(doc, "'200':{'description':");
    openapi_add_string(doc, self->summary);
    openapi_add(doc, ",%s'content':{", report->is_export ? "" : etag);
    if (report->is_export) {
        add_lines(doc);
    } else {
        schema_name(report, name);
        openapi_add(doc,
                    "'application/json':{'schema':{'$ref':'#/components/schemas/%s'}}",
                    name);
        if (report->params & ASK_PARAM_FORMAT)
            openapi_add(doc, ",'text/csv':{'schema':{'type':'string','description':"
                             "'a header, and a line for each row'}}");
    }
    openapi_add(doc, "}}");
}

static void add_report(struct openapi_doc *doc, const struct http_route *route,
                       const struct report *report)
{
    const struct openapi_operation operation = {
        .path = report->path,
        .id = report->name,
        .tag = report->is_export ? "export" : "reports",
        .summary = report->help ? report->help : report->name,
        .security = report->is_shared ? "[{},{'reporting_token':[]},{'share_key':[]}]"
                                      : "[{},{'reporting_token':[]}]",
        .more = OPENAPI_INVALID | OPENAPI_UNAVAILABLE |
                (report->is_export ? 0U : OPENAPI_NOT_MODIFIED),
        .user = report,
        .add_question = ask_report,
        .add_answers = answer_report,
    };

    openapi_add_operation(doc, route, &operation);
}

/* --- all others ------------------------------------------------------------------------ */

/* The content of the 200 stands in `user`. */
static void answer_other(struct openapi_doc *doc, const struct openapi_operation *self)
{
    const char *content = self->user;

    openapi_add(doc, "'200':{'description':");
    openapi_add_string(doc, self->summary);
    openapi_add(doc, ",%s'content':{%s}}", self->more & OPENAPI_NOT_MODIFIED ? etag : "",
                content);
}

static const char html[] = "'text/html':{'schema':{'type':'string'}}";
static const char files[] = "'text/javascript':{'schema':{'type':'string'}},"
                            "'text/css':{'schema':{'type':'string'}}";
static const char text[] = "'text/plain':{'schema':{'type':'string'}}";
static const char document[] =
    "'application/json':{'schema':{'type':'object','required':["
    "'openapi','info','paths'],'properties':{'openapi':{"
    "'type':'string'},'info':{'type':'object'},'paths':{"
    "'type':'object'}},'additionalProperties':true}}";
static const char alive[] = "'application/json':{'schema':{'type':'object','required':["
                            "'status'],'properties':{'status':{'const':'ok'}},"
                            "'additionalProperties':false}}";
static const char ready[] =
    "'application/json':{'schema':{'type':'object','required':['status'],'properties':{"
    "'status':{'const':'ready'},'note':{'type':'string'}},'additionalProperties':false}}";
static const char both[] = "'" OPERATIONS_BOTH "'";

/* clang-format off */
static const struct openapi_operation others[] = {
    {"/openapi.json", "openapi", "about", "This document", "[{},{'reporting_token':[]}]",
     .more = OPENAPI_NOT_MODIFIED, .user = document},
    {"/", "dashboard", "dashboard", "The dashboard", .more = OPENAPI_NOT_MODIFIED, .user = html},
    {"/site/*", "dashboardOfSite", "dashboard", "The dashboard of a site",
     .segment = "site_id", .more = OPENAPI_NOT_MODIFIED, .user = html},
    {"/page/*", "dashboardFile", "dashboard", "A file of the dashboard", .segment = "file",
     .more = OPENAPI_NOT_MODIFIED | OPENAPI_NOT_FOUND, .user = files},
    {"/healthz", "alive", "health", "The process works", .servers = both, .user = alive},
    {"/readyz", "ready", "health", "What it needs answers, too", .servers = both,
     .more = OPENAPI_UNAVAILABLE, .user = ready},
    {"/metrics", "metrics", "health", "Counters for Prometheus", .servers = both,
     .user = text},
};
/* clang-format on */

/* False: it is none of them. */
static bool add_other(struct openapi_doc *doc, const struct http_route *route)
{
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct openapi_operation operation = others[i];
        if (strcmp(operation.path, route->path) != 0)
            continue;
        operation.add_answers = answer_other;
        openapi_add_operation(doc, route, &operation);
        return true;
    }
    return false;
}

bool operations_add(struct openapi_doc *doc, const struct http_route *routes)
{
    bool is_complete = true;

    for (const struct http_route *at = routes; at->path; at++) {
        const struct report *report = find_report(at->path);
        if (report)
            add_report(doc, at, report);
        else
            is_complete = add_other(doc, at) && is_complete;
    }
    return is_complete;
}
