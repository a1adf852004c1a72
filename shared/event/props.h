/* props.h -- the properties of an event: an object of strings, numbers and booleans.
 *
 * Of nulls nothing is kept.  Numbers are those of JavaScript, doubles, written with as few
 * digits as give the same double again.  Pure.
 */
#ifndef SHARED_EVENT_PROPS_H
#define SHARED_EVENT_PROPS_H

#include <stddef.h>

#include "shared/base/err.h"

struct cJSON;

enum {
    PROPS_NAME_MAX = 100,    /* characters */
    PROPS_STRING_MAX = 500,  /* characters */
    PROPS_NUMBER_BYTES = 32, /* of a number as it is written */
};

/* Writes the canonical text of an object with at most max_members, whose strings and names
 * have no defects, to out; that needs room for the bytes it was parsed from and
 * PROPS_NUMBER_BYTES more for each member.  *ret_len is 0 when nothing is in it.
 *
 * Returns NULL, or what is wrong with it, static: "must not be nested". */
const char *props_write(const struct cJSON *object, size_t max_members, char *out,
                        size_t *ret_len);

#endif
