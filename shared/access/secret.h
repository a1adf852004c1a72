/* secret.h -- a shared secret: from a setting or a file, compared in constant time. */
#ifndef SHARED_ACCESS_SECRET_H
#define SHARED_ACCESS_SECRET_H

#include <stdbool.h>

#include "shared/base/err.h"

enum {
    SECRET_MAX = 512
}; /* bytes */

/* A copy of value, or of the first line of the file at path (for secrets that are mounted
 * into a container); NULL in *ret_secret when both are "".  The caller owns it: mem_free().
 * ERR_CONFIG when both are given, or the file cannot be read, is empty or too long. */
enum err_code secret_load(const char *value, const char *path, char **ret_secret,
                          struct err *err) MUST_CHECK;

/* What comes after "Bearer " in the value of an Authorization header (or NULL); NULL: it is of
 * another kind. */
const char *secret_in_bearer(const char *header);

/* Whether the two are the same.  The time it takes says nothing of how much was right. */
bool secret_is_same(const char *given, const char *secret);

/* Whether the value of an Authorization header (or NULL) is "Bearer <secret>"; likewise. */
bool secret_is_bearer(const char *header, const char *secret);

#endif
