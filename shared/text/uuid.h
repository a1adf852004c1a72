/* uuid.h -- UUIDs (RFC 9562): parse, format, and make version 7. */
#ifndef SHARED_TEXT_UUID_H
#define SHARED_TEXT_UUID_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    UUID_TEXT_LEN = 36
};

struct uuid {
    uint8_t bytes[16]; /* in network order, as Postgres has them */
};

/* Reads the 36-character form with hyphens, any case, any version.  ERR_INVALID. */
enum err_code uuid_parse(const char *text, size_t len, struct uuid *ret_uuid) MUST_CHECK;

/* Writes exactly UUID_TEXT_LEN lower-case characters and no NUL. */
void uuid_format(const struct uuid *uuid, char *out);

/* A new version 7 UUID of the present time; ascending within a thread.  Thread-safe. */
struct uuid uuid_v7(void);

#endif
