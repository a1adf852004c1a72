/* first_line.c -- see first_line.h. */
#include "shared/text/first_line.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/base/mem.h"

enum err_code first_line_read(const char *path, size_t max, char **ret_line,
                              struct err *err)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    char *line = NULL;
    enum err_code code = ERR_OK;
    size_t len;

    if (!file)
        return err_set(err, ERR_CONFIG, "could not open file \"%s\": %s", path,
                       strerror(errno));
    if (fstat(fileno(file), &status) || (status.st_mode & S_IWOTH)) {
        code =
            err_set(err, ERR_CONFIG, "file \"%s\" may be written to by any user", path);
        goto out;
    }
    line = mem_alloc(max + 3); /* the longest line, its CR and LF, and a NUL */
    if (!line) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    len = fread(line, 1, max + 2, file);
    if (ferror(file)) {
        code = err_set(err, ERR_CONFIG, "could not read file \"%s\"", path);
        goto out;
    }
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0' || strlen(line) > max)
        code = err_set(err, ERR_CONFIG,
                       "file \"%s\" must have a first line of 1 to %zu bytes", path, max);
out:
    (void)fclose(file); /* only read from */
    if (code)
        mem_free(line);
    else
        *ret_line = line;
    return code;
}

bool first_line_is_public(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && (status.st_mode & S_IROTH);
}
