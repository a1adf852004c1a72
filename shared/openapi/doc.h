/* doc.h -- a part of an OpenAPI document, while it is written.
 *
 * What is added has ' where JSON has ", so that it can be read in C.  The first failure is
 * kept, and nothing is added after it: the writer looks at `code` once, at the end.
 */
#ifndef SHARED_OPENAPI_DOC_H
#define SHARED_OPENAPI_DOC_H

#include "shared/base/err.h"

struct buf;

struct openapi_doc {
    struct buf *out;    /* borrowed */
    enum err_code code; /* as buf_add() */
};

/* Adds JSON with ' in place of ", also in what is put in for %s. */
void openapi_add(struct openapi_doc *doc, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Adds a string, whatever stands in it. */
void openapi_add_string(struct openapi_doc *doc, const char *text);

/* Adds a comma, unless what comes is the first of its object or array. */
void openapi_add_comma(struct openapi_doc *doc);

/* Adds a comma, and the name of a member of an object. */
void openapi_add_name(struct openapi_doc *doc, const char *name);

#endif
