/* schemas.c -- see schemas.h; render.c writes what is described here. */
#include "reporting/openapi/schemas.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "reporting/openapi/parameters.h"
#include "reporting/report/metric_table.h"
#include "reporting/report/params.h"
#include "reporting/report/report.h"
#include "shared/openapi/doc.h"

void schema_name(const struct report *report, char out[SCHEMA_NAME_SIZE])
{
    (void)snprintf(out, SCHEMA_NAME_SIZE, "%s", report->name);
    out[0] = (char)toupper((unsigned char)out[0]);
}

/* --- metrics ------------------------------------------------------------------------- */

static const char *number_type(enum metric_id id)
{
    return metric_decimals(id) > 0 ? "number" : "integer";
}

/* Members of properties, all of which may be absent: it is asked which are there. */
static void add_metrics(struct openapi_doc *doc, unsigned bits)
{
    for (int i = 0; i < METRIC_ID_COUNT; i++) {
        enum metric_id id = (enum metric_id)i;
        if (!(bits >> i & 1))
            continue;
        openapi_add_name(doc, metric_name(id));
        if (metric_is_ratio(id))
            openapi_add(doc, "{'type':['%s','null']}", number_type(id));
        else
            openapi_add(doc, "{'type':'%s'}", number_type(id));
    }
}

static void add_figures_schema(struct openapi_doc *doc)
{
    openapi_add_name(doc, "Figures");
    openapi_add(doc, "{'type':'object','minProperties':1,'properties':{");
    add_metrics(doc, ~0U);
    openapi_add(doc, "},'additionalProperties':false}");
}

static void add_total_schema(struct openapi_doc *doc)
{
    openapi_add_name(doc, "Total");
    openapi_add(doc,
                "{'type':'object','required':['value'],'properties':{"
                "'value':{'type':['number','null']},'previous':{'type':['number',"
                "'null']},'change':{'type':['number','null'],'description':'in per "
                "cent; null when there was nothing'}},'additionalProperties':false}");
}

static void add_totals(struct openapi_doc *doc, unsigned bits)
{
    openapi_add(doc, "{'type':'object','minProperties':1,'properties':{");
    for (int id = 0; id < METRIC_ID_COUNT; id++) {
        if (!(bits & 1U << id))
            continue;
        openapi_add_name(doc, metric_name((enum metric_id)id));
        openapi_add(doc, "{'$ref':'#/components/schemas/Total'}");
    }
    openapi_add(doc, "},'additionalProperties':false}");
}

/* --- columns --------------------------------------------------------------------------- */

/* Of the question; what need not be asked, and is not found out, may be null. */
static void add_asked(struct openapi_doc *doc, const struct report *report,
                      const struct report_column *column)
{
    const struct param *param = parameters_find(report->params, column->name);
    bool is_nullable = !param || (!param->is_required && !report->has_range);

    if (!param) {
        openapi_add(doc, "{'type':['string','null']}");
        return;
    }
    if (is_nullable)
        openapi_add(doc, "{'anyOf':[{'type':'null'},");
    parameters_add_schema(doc, param, report->params);
    if (is_nullable)
        openapi_add(doc, "]}");
}

static void add_text(struct openapi_doc *doc, const struct report_column *column)
{
    openapi_add(doc,
                column->is_optional ? "{'type':['string','null']" : "{'type':'string'");
    if (column->format)
        openapi_add(doc, ",'format':'%s'", column->format);
    openapi_add(doc, "}");
}

/* A member for each property: a row has that which was asked. */
static void add_values(struct openapi_doc *doc)
{
    for (size_t i = 0; property_at(i); i++) {
        openapi_add_name(doc, property_at(i)->name);
        openapi_add(doc, "{'type':'string'}");
    }
    openapi_add_name(doc, PROPERTY_KEYS);
    openapi_add(doc, "{'type':'string'}");
}

static void add_list(struct openapi_doc *doc, const struct report *report,
                     const struct report_column *column);

/* One member of properties, or several. */
static void add_column(struct openapi_doc *doc, const struct report *report,
                       const struct report_column *column)
{
    if (column->type == REPORT_VALUE) {
        add_values(doc);
        return;
    }
    if (column->type == REPORT_FIGURES) {
        add_metrics(doc, parameters_metrics(report->params));
        openapi_add_name(doc, "previous");
        openapi_add(doc, "{'anyOf':[{'$ref':'#/components/schemas/Figures'},"
                         "{'type':'null'}]}");
        return;
    }
    openapi_add_name(doc, column->name);
    if (column->type == REPORT_ASKED)
        add_asked(doc, report, column);
    else if (column->type == REPORT_SOURCE)
        openapi_add(doc, "{'const':'events'}");
    else if (column->type == REPORT_INT)
        openapi_add(doc, "{'type':'integer'}");
    else if (column->type == REPORT_JSON)
        openapi_add(doc, "%s", column->schema ? column->schema : "{}");
    else if (column->type == REPORT_OTHER)
        openapi_add(doc, "{'const':true}");
    else if (column->type == REPORT_TOTALS)
        add_totals(doc, parameters_metrics(report->params));
    else if (column->type == REPORT_LIST)
        add_list(doc, report, column);
    else
        add_text(doc, column);
}

static bool is_always_there(const struct report_column *column)
{
    return column->type != REPORT_SOURCE && column->type != REPORT_OTHER &&
           column->type != REPORT_VALUE && column->type != REPORT_FIGURES;
}

/* The object of the columns from here on; what comes after a list is in the list. */
static void add_object(struct openapi_doc *doc, const struct report *report,
                       const struct report_column *first, bool has_more)
{
    bool has_values = false;

    openapi_add(doc, "{'type':'object','properties':{");
    for (const struct report_column *at = first; at->type != REPORT_END; at++) {
        add_column(doc, report, at);
        has_values = has_values || at->type == REPORT_VALUE;
        if (at->type == REPORT_LIST)
            break;
    }
    openapi_add(doc, "%s},'required':[", has_more ? ",'more':{'type':'boolean'}" : "");
    for (const struct report_column *at = first; at->type != REPORT_END; at++) {
        if (is_always_there(at)) {
            openapi_add_comma(doc);
            openapi_add(doc, "'%s'", at->name);
        }
        if (at->type == REPORT_LIST)
            break;
    }
    openapi_add(doc, "%s],", has_more ? ",'more'" : "");
    if (has_values)
        openapi_add(doc, "'patternProperties':{'^" PROPERTY_PROP "':{'type':'string'}},");
    openapi_add(doc, "'additionalProperties':false}");
}

static void add_list(struct openapi_doc *doc, const struct report *report,
                     const struct report_column *column)
{
    openapi_add(doc, "{'type':'array','items':");
    add_object(doc, report, column + 1, false);
    openapi_add(doc, "}");
}

void schemas_add(struct openapi_doc *doc)
{
    add_figures_schema(doc);
    add_total_schema(doc);
    for (int id = 0; id < STATEMENT_COUNT; id++) {
        const struct report *report = report_get((enum statement_id)id);
        char name[SCHEMA_NAME_SIZE];
        if (!report->path || !report->columns)
            continue;
        schema_name(report, name);
        openapi_add_name(doc, name);
        add_object(doc, report, report->columns, report->is_paged);
    }
}
