/* info.h -- one value out of the text that Redis's INFO gives.  Pure. */
#ifndef SHARED_REDIS_INFO_H
#define SHARED_REDIS_INFO_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the value of the line "name:value"; false when there is none that fits. */
bool redis_info_value(const char *info, const char *name, char *out, size_t size);

/* Whether the line is there and has this value. */
bool redis_info_is(const char *info, const char *name, const char *value);

#endif
