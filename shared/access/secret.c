/* secret.c -- see secret.h. */
#include "shared/access/secret.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "shared/base/mem.h"
#include "shared/text/first_line.h"

static const char scheme[] = "Bearer ";

enum err_code secret_load(const char *value, const char *path, char **ret_secret,
                          struct err *err)
{
    *ret_secret = NULL;
    if (value[0] && path[0])
        return err_set(err, ERR_CONFIG,
                       "a secret is given both by its value and by file \"%s\"", path);
    if (path[0])
        return first_line_read(path, SECRET_MAX, ret_secret, err);
    if (!value[0])
        return ERR_OK;
    *ret_secret = mem_strdup(value);
    return *ret_secret ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

const char *secret_in_bearer(const char *header)
{
    bool is_bearer = header && strncasecmp(header, scheme, sizeof(scheme) - 1) == 0;

    return is_bearer ? header + sizeof(scheme) - 1 : NULL;
}

bool secret_is_same(const char *given, const char *secret)
{
    size_t given_len = strlen(given);
    size_t secret_len = strlen(secret);
    unsigned char differs = 0;

    /* As many steps as were given, whatever they are compared with. */
    for (size_t i = 0; i < given_len; i++)
        differs |= (unsigned char)(given[i] ^ secret[i % secret_len]);
    return differs == 0 && given_len == secret_len;
}

bool secret_is_bearer(const char *header, const char *secret)
{
    const char *given = secret_in_bearer(header);

    return given && secret_is_same(given, secret);
}
