/* conf_env.c -- the grammar of a .env file; see conf.h. */
#include <ctype.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static char *unquote(char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        return value + 1;
    }
    return value;
}

static enum err_code parse_env_line(char *line, int number, conf_pair_fn fn, void *user,
                                    struct err *err)
{
    char *key = trim(line);
    char *equals;

    if (key[0] == '\0' || key[0] == '#')
        return ERR_OK;
    if (strncmp(key, "export ", 7) == 0)
        key = trim(key + 7);
    equals = strchr(key, '=');
    if (!equals || equals == key)
        return err_set(err, ERR_CONFIG, "%s: line %d is not of the form NAME=value",
                       CONF_ENV_FILE, number);
    *equals = '\0';
    return fn(user, trim(key), unquote(trim(equals + 1)), err);
}

enum err_code conf_parse_env(const char *text, size_t len, conf_pair_fn fn, void *user,
                             struct err *err)
{
    enum err_code code = ERR_OK;
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */
    const char *at = text;
    const char *end = text + len;

    if (len && memchr(text, '\0', len))
        return err_set(err, ERR_CONFIG, "%s: there is a NUL byte in it", CONF_ENV_FILE);
    if (len >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
        at += strlen(mark);
    for (int number = 1; at < end && !code; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t line_len = (size_t)((newline ? newline : end) - at);
        char *line = mem_alloc(line_len + 1);
        if (!line)
            return err_set(err, ERR_NOMEM, "out of memory");
        memcpy(line, at, line_len);
        line[line_len] = '\0';
        code = parse_env_line(line, number, fn, user, err);
        mem_free(line);
        at = newline ? newline + 1 : end;
    }
    return code;
}
