/* parameters.h -- the parameters of reports as OpenAPI has them, from the table that reads them
 * (report/params.h). */
#ifndef REPORTING_OPENAPI_PARAMETERS_H
#define REPORTING_OPENAPI_PARAMETERS_H

struct openapi_doc;
struct param;

/* Adds an array of those that a report takes, bits of enum ask_param. */
void parameters_add(struct openapi_doc *doc, unsigned params);

/* All metrics that a report may be asked for, as bits. */
unsigned parameters_metrics(unsigned params);

/* The parameter of a name among them, or NULL; and its schema. */
const struct param *parameters_find(unsigned params, const char *name);
void parameters_add_schema(struct openapi_doc *doc, const struct param *param,
                           unsigned params);

#endif
