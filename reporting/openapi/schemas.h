/* schemas.h -- what the answers of reports look like, from the table of reports. */
#ifndef REPORTING_OPENAPI_SCHEMAS_H
#define REPORTING_OPENAPI_SCHEMAS_H

#include <stddef.h>

struct openapi_doc;
struct report;

enum {
    SCHEMA_NAME_SIZE = 64
};

/* The name of the schema of a report's answer: "Timeseries". */
void schema_name(const struct report *report, char out[SCHEMA_NAME_SIZE]);

/* Adds members of components/schemas: of each report that answers with JSON, and what those have
 * in common. */
void schemas_add(struct openapi_doc *doc);

#endif
