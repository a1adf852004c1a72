/* info.c -- see info.h. */
#include "shared/redis/info.h"

#include <string.h>

enum {
    VALUE_MAX = 64
};

/* What stands after "name:" at the start of a line; NULL: no such line. */
static const char *find(const char *info, const char *name)
{
    size_t len = strlen(name);
    const char *line = info;

    while (line) {
        if (strncmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return NULL;
}

bool redis_info_value(const char *info, const char *name, char *out, size_t size)
{
    const char *at = find(info, name);
    size_t len = at ? strcspn(at, "\r\n") : 0;

    if (len == 0 || len >= size)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

bool redis_info_is(const char *info, const char *name, const char *value)
{
    char text[VALUE_MAX];

    return redis_info_value(info, name, text, sizeof(text)) && strcmp(text, value) == 0;
}
