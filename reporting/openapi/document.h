/* document.h -- GET /openapi.json: the OpenAPI 3.1 document of ingestion's and reporting's
 * routes.
 *
 * It is made at the start, of the tables that route and check the requests; what it says of
 * ingestion was made of that daemon's tables at build time (ingestion/openapi).  So it says
 * the defaults of ingestion's settings.
 */
#ifndef REPORTING_OPENAPI_DOCUMENT_H
#define REPORTING_OPENAPI_DOCUMENT_H

#include "shared/base/err.h"

struct document; /* opaque */
struct http_request;
struct http_route;

/* The URLs are those of the settings, "" where they are not set.  ERR_NOMEM, ERR_BUG when a
 * route is not described. */
enum err_code document_new(const struct http_route *routes, const char *reporting_url,
                           const char *ingestion_url, struct document **ret_document,
                           struct err *err) MUST_CHECK;
void document_free(struct document *document); /* NULL is fine */

void document_answer(const struct document *document, struct http_request *req);

#endif
