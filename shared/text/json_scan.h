/* json_scan.h -- the strict pass over a JSON text; the first half of json_parse().
 *
 * Recursive descent, one function for each rule of RFC 8259, the depth bounded by
 * JSON_DEPTH_MAX.  What it writes is never longer than what it reads.
 */
#ifndef SHARED_TEXT_JSON_SCAN_H
#define SHARED_TEXT_JSON_SCAN_H

#include <stdint.h>

#include "shared/text/json.h"

struct json_scan {
    const char *start; /* of the text */
    const char *at;    /* the next byte to read */
    const char *end;
    char *out;        /* the next byte to write; room for the whole text and a NUL */
    uint8_t *defects; /* enum json_defect by member; room for JSON_MEMBERS_OF(text) */
    size_t members;   /* of the outermost object, so far */
    enum json_defect defect; /* the first one in the present member */
    unsigned depth;
    struct err *err;
};

/* The most members that an object of so many bytes can have: each takes five, "":1 and a
 * comma. */
#define JSON_MEMBERS_OF(bytes) ((bytes) / 5 + 1)

/* Reads the whole text and writes its prepared form, NUL-terminated.  ERR_INVALID with
 * "unexpected character at byte 12". */
enum err_code json_scan_text(struct json_scan *scan) MUST_CHECK;

#endif
