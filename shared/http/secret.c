/* secret.c -- see secret.h. */
#include "shared/http/secret.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "shared/base/mem.h"

static const char scheme[] = "Bearer ";

static enum err_code read_file(const char *path, char *out, size_t size, struct err *err)
{
    FILE *file = fopen(path, "re");
    size_t len;

    if (!file)
        return err_set(err, ERR_CONFIG, "could not open secret file \"%s\": %s", path,
                       strerror(errno));
    len = fread(out, 1, size - 1, file);
    if (ferror(file)) {
        (void)fclose(file); /* only read from */
        return err_set(err, ERR_CONFIG, "could not read secret file \"%s\"", path);
    }
    (void)fclose(file);
    out[len] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    if (out[0] == '\0' || strlen(out) > SECRET_MAX)
        return err_set(err, ERR_CONFIG,
                       "secret file \"%s\" must have a first line of 1 to %d bytes", path,
                       SECRET_MAX);
    return ERR_OK;
}

enum err_code secret_load(const char *value, const char *path, char **ret_secret,
                          struct err *err)
{
    char line[SECRET_MAX + 3];
    enum err_code code = ERR_OK;

    *ret_secret = NULL;
    if (value[0] && path[0])
        return err_set(err, ERR_CONFIG,
                       "a secret is given both by its value and by file \"%s\"", path);
    if (path[0])
        code = read_file(path, line, sizeof(line), err);
    if (code || (!value[0] && !path[0]))
        return code;
    *ret_secret = mem_strdup(path[0] ? line : value);
    return *ret_secret ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

bool secret_is_bearer(const char *header, const char *secret)
{
    size_t secret_len = strlen(secret);
    unsigned char differs = 0;
    const char *given;
    size_t given_len;

    if (!header || strncasecmp(header, scheme, sizeof(scheme) - 1) != 0)
        return false;
    given = header + sizeof(scheme) - 1;
    given_len = strlen(given);
    /* As many steps as were given, whatever they are compared with. */
    for (size_t i = 0; i < given_len; i++)
        differs |= (unsigned char)(given[i] ^ secret[i % secret_len]);
    return differs == 0 && given_len == secret_len;
}
