/* event_schema.h -- the schemas of an event, from the table of its fields (event/fields.h). */
#ifndef SHARED_OPENAPI_EVENT_SCHEMA_H
#define SHARED_OPENAPI_EVENT_SCHEMA_H

struct openapi_doc;

/* Add a schema each: of an event that a server sends, of one that a page sends, of which less
 * is asked, and of a stored one as it is exported, with null where a column has nothing. */
void openapi_add_event(struct openapi_doc *doc);
void openapi_add_page_event(struct openapi_doc *doc);
void openapi_add_stored_event(struct openapi_doc *doc);

/* Adds the elements of `parameters` for an event of a page in a query. */
void openapi_add_page_parameters(struct openapi_doc *doc);

#endif
