/* conf_file.c -- the file .env: read only if nobody but its owner and the administrator has
 * a hand in it; see conf.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"

enum {
    ENV_FILE_MAX = 65536, /* a .env larger than this is a mistake */
};

static const char env_file[] = CONF_ENV_FILE;

/* In a folder such as /tmp anybody may make a .env, and in one without the sticky bit also
 * replace that of somebody else. */
static enum err_code check_env_file(FILE *file, struct err *err)
{
    struct stat status;
    struct stat folder;

    if (fstat(fileno(file), &status) || stat(".", &folder))
        return err_set(err, ERR_CONFIG, "could not look at file \"%s\": %s", env_file,
                       strerror(errno));
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH))
        return err_set(err, ERR_CONFIG,
                       "%s: any user of the machine may write to it: chmod o-w %s",
                       env_file, env_file);
    if ((folder.st_mode & S_IWOTH) && !(folder.st_mode & S_ISVTX))
        return err_set(err, ERR_CONFIG,
                       "%s: any user of the machine may replace it: chmod o-w its folder",
                       env_file);
    if (status.st_uid != 0 && status.st_uid != geteuid() &&
        status.st_uid != folder.st_uid)
        return err_set(err, ERR_CONFIG, "%s: it belongs to another user", env_file);
    return ERR_OK;
}

static enum err_code read_text(FILE *file, char **ret_text, size_t *ret_len,
                               struct err *err)
{
    char *text = mem_alloc(ENV_FILE_MAX + 1);
    enum err_code code = ERR_OK;

    if (!text)
        return err_set(err, ERR_NOMEM, "out of memory");
    *ret_len = fread(text, 1, ENV_FILE_MAX + 1, file);
    if (ferror(file))
        code = err_set(err, ERR_CONFIG, "could not read file \"%s\": %s", env_file,
                       strerror(errno));
    else if (*ret_len > ENV_FILE_MAX)
        code =
            err_set(err, ERR_CONFIG, "%s: larger than %d bytes", env_file, ENV_FILE_MAX);
    if (code)
        mem_free(text);
    else
        *ret_text = text;
    return code;
}

enum err_code conf_read_env_file(char **ret_text, size_t *ret_len, struct err *err)
{
    FILE *file = fopen(env_file, "re");
    enum err_code code;

    *ret_text = NULL;
    if (!file) {
        if (errno == ENOENT)
            return ERR_OK;
        return err_set(err, ERR_CONFIG, "could not open file \"%s\": %s", env_file,
                       strerror(errno));
    }
    code = check_env_file(file, err);
    if (!code)
        code = read_text(file, ret_text, ret_len, err);
    (void)fclose(file); /* only read from */
    return code;
}
