/* operation.h -- the operations of an OpenAPI document, from a table of routes.
 *
 * Path, method and most of the statuses come from the route itself; what it does not say
 * stands in a struct openapi_operation.
 */
#ifndef SHARED_OPENAPI_OPERATION_H
#define SHARED_OPENAPI_OPERATION_H

#include "shared/openapi/doc.h"

struct http_route;

/*    id, status, name of the component, what it means */
#define OPENAPI_ANSWERS(X)                                                               \
    X(NOT_MODIFIED, 304, "NotModified", "What `If-None-Match` names is still right.")    \
    X(INVALID, 400, "Invalid",                                                           \
      "Something in the request is wrong; the sentence says what.")                      \
    X(UNAUTHORIZED, 401, "Unauthorized", "A key or token is asked for.")                 \
    X(FORBIDDEN, 403, "Forbidden", "Not for this client, this site or this key.")        \
    X(NOT_FOUND, 404, "NotFound", "There is no such thing.")                             \
    X(TOO_LARGE, 413, "TooLarge", "The body has too many bytes or events.")              \
    X(UNSUPPORTED, 415, "Unsupported",                                                   \
      "Another `Content-Encoding` than gzip and deflate, or a charset that is not "      \
      "UTF-8.")                                                                          \
    X(TOO_MANY, 429, "TooMany", "A rate limit is used up.")                              \
    X(UNAVAILABLE, 503, "Unavailable",                                                   \
      "What is needed for the answer is not there in time; nothing is known to be "      \
      "done.")

enum openapi_answer {
#define OPENAPI_ANSWER_BIT(id, status, ...) OPENAPI_##id##_INDEX,
    OPENAPI_ANSWERS(OPENAPI_ANSWER_BIT) OPENAPI_ANSWER_COUNT,
#undef OPENAPI_ANSWER_BIT
#define OPENAPI_ANSWER_BIT(id, ...) OPENAPI_##id = 1 << OPENAPI_##id##_INDEX,
    OPENAPI_ANSWERS(OPENAPI_ANSWER_BIT)
#undef OPENAPI_ANSWER_BIT
};

/* All texts are static, and all JSON is as in openapi_add(). */
struct openapi_operation {
    const char *path; /* of its route */
    const char *id;
    const char *tag;
    const char *summary;
    const char *security; /* an array; NULL: anybody may ask */
    const char *servers;  /* an array; NULL: those of the document */
    const char *segment;  /* the name of what a last segment * is */
    unsigned more;  /* answers besides those that the route tells, enum openapi_answer */
    unsigned own;   /* answers that add_answers writes */
    unsigned never; /* answers that do not come, though the route tells them */
    const void *user;

    /* Adds members of the operation: parameters, requestBody; NULL: it has none. */
    void (*add_question)(struct openapi_doc *doc, const struct openapi_operation *self);
    /* Adds members of its responses: 200 and those of `own`. */
    void (*add_answers)(struct openapi_doc *doc, const struct openapi_operation *self);
};

/* Adds a member of `paths`. */
void openapi_add_operation(struct openapi_doc *doc, const struct http_route *route,
                           const struct openapi_operation *operation);

/* Adds the members of components/responses, and of components/schemas and components/headers
 * what they need. */
void openapi_add_responses(struct openapi_doc *doc);
void openapi_add_error_schema(struct openapi_doc *doc);
void openapi_add_headers(struct openapi_doc *doc);

#endif
