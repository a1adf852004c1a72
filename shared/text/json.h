/* json.h -- JSON in and out.
 *
 * Out: strings and the error body, appended to a struct buf.
 *
 * In: cJSON builds the tree, but it is no validator (it takes leading zeros, raw control
 * characters, invalid UTF-8 and text after the value, and ends a string at \u0000).  So one
 * pass goes over the bytes first.  It checks them strictly by RFC 8259 and copies them
 * into scratch memory in a form that cJSON cannot misread:
 *   white space            is left out
 *   arrays, and objects inside a member's object, are emptied: no rule looks into them
 *   a number of more than 60 characters becomes 1e999, which no double holds
 *   \u0000, a lone surrogate, invalid UTF-8 become a question mark each: no string can hold
 *                          them, and the member is remembered as defective
 *
 * The tree lives in a bounded arena that belongs to the parser: nothing is allocated for a
 * text.  A parser belongs to one thread.
 */
#ifndef SHARED_TEXT_JSON_H
#define SHARED_TEXT_JSON_H

#include <stddef.h>

#include "shared/base/err.h"

struct buf;
struct cJSON;

/* --- out ------------------------------------------------------------------- */

/* Appends bytes as a JSON string, quotes included.  Invalid UTF-8 becomes U+FFFD, so what
 * is written is always valid.  On failure, errors as buf_add(), nothing is appended. */
enum err_code json_add_string(struct buf *out, const char *bytes, size_t len) MUST_CHECK;

/* The same for a caller that has reserved the memory: the bytes that a string takes, quotes
 * included; and the string itself, written to out.  Returns the end of it. */
size_t json_string_size(const char *bytes, size_t len);
char *json_put_string(char *out, const char *bytes, size_t len);

/* Appends {"error":"<sentence>"}; the same errors. */
enum err_code json_add_error(struct buf *out, const char *sentence) MUST_CHECK;

/* --- in -------------------------------------------------------------------- */

enum {
    JSON_DEPTH_MAX = 32 /* objects and arrays inside each other */
};

/* What a string cannot hold. */
enum json_defect {
    JSON_DEFECT_NONE,
    JSON_DEFECT_NUL,       /* \u0000 */
    JSON_DEFECT_SURROGATE, /* half of a \ud83d\ude00 pair */
    JSON_DEFECT_UTF8,      /* bytes that are not UTF-8 */
};

struct json_parser; /* opaque */

/* Makes a parser of texts of at most max_bytes.  NULL when out of memory. */
struct json_parser *json_parser_new(size_t max_bytes) MUST_CHECK;
void json_parser_free(struct json_parser *parser);

/* Parses one text; `what` names it in sentences ("body").  The tree is the parser's and
 * lives until its next call; never cJSON_Delete() it.  Duplicate keys all stand in it, in
 * order.
 *
 * ERR_INVALID  "body is not valid JSON: unexpected character at byte 12"; the first byte
 *              is byte 0
 * ERR_TOO_BIG  longer than max_bytes */
enum err_code json_parse(struct json_parser *parser, const char *what, const char *bytes,
                         size_t len, const struct cJSON **ret_root,
                         struct err *err) MUST_CHECK;

/* The first defect in the value of the index-th member of the object just parsed, at
 * whatever depth. */
enum json_defect json_member_defect(const struct json_parser *parser, size_t index);

#endif
