/* operations.h -- the operations of reporting's routes, for the OpenAPI document. */
#ifndef REPORTING_OPENAPI_OPERATIONS_H
#define REPORTING_OPENAPI_OPERATIONS_H

#include <stdbool.h>

struct http_route;
struct openapi_doc;

/* In place of arrays of servers, which the settings tell. */
#define OPERATIONS_INGESTION "@ingestion"
#define OPERATIONS_BOTH      "@both"

/* Adds a member of paths for each route.  False when a route is not described. */
bool operations_add(struct openapi_doc *doc, const struct http_route *routes);

#endif
