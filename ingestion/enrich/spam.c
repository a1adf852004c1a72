/* spam.c -- see spam.h. */
#include "ingestion/enrich/spam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum {
    HOST_MAX = 255, /* bytes of a name of the DNS, as text */
};

struct spam {
    size_t count;
    const char **hosts; /* owned; sorted by bytes */
    char *text;         /* owned; what they point into, in lower case */
};

/* All of the file, with a NUL after it. */
static enum err_code read_file(const char *path, char **ret_text, size_t *ret_len,
                               struct err *err)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    enum err_code code = ERR_OK;

    if (!file)
        return err_set(err, ERR_CONFIG, "could not open \"%s\": %s", path,
                       strerror(errno));
    text = mem_alloc(SPAM_FILE_MAX + 2U);
    if (!text) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    *ret_len = fread(text, 1, SPAM_FILE_MAX + 1U, file);
    if (ferror(file))
        code =
            err_set(err, ERR_CONFIG, "could not read \"%s\": %s", path, strerror(errno));
    else if (*ret_len > SPAM_FILE_MAX)
        code = err_set(err, ERR_CONFIG, "the file \"%s\" has more than %d bytes", path,
                       SPAM_FILE_MAX);
    if (code)
        goto out;
    text[*ret_len] = '\0';
    *ret_text = text;
    text = NULL;
out:
    mem_free(text);
    (void)fclose(file); /* it was only read */
    return code;
}

static void lower(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
}

static size_t count_lines(const char *text, size_t len)
{
    size_t lines = 1;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

/* Cuts the text into hosts, in place. */
static void list_hosts(struct spam *spam, char *end)
{
    char *line = spam->text;

    while (line < end) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *next = newline ? newline + 1 : end;
        char *host = line + strspn(line, " \t\r");

        if (newline)
            *newline = '\0';
        host[strcspn(host, "# \t\r")] = '\0';
        if (host < next && host[0])
            spam->hosts[spam->count++] = host;
        line = next;
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum err_code spam_new(const char *path, struct spam **ret_spam, struct err *err)
{
    struct spam *spam = mem_calloc(1, sizeof(*spam));
    size_t len = 0;
    enum err_code code;

    if (!spam)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = read_file(path, &spam->text, &len, err);
    if (code)
        goto out;
    spam->hosts = mem_calloc(count_lines(spam->text, len), sizeof(*spam->hosts));
    if (!spam->hosts) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    lower(spam->text, len);
    list_hosts(spam, spam->text + len);
    qsort(spam->hosts, spam->count, sizeof(*spam->hosts), compare);
    *ret_spam = spam;
    spam = NULL;
out:
    spam_free(spam);
    return code;
}

void spam_free(struct spam *spam)
{
    if (!spam)
        return;
    mem_free(spam->hosts);
    mem_free(spam->text);
    mem_free(spam);
}

bool spam_has(const struct spam *spam, const char *host, size_t len)
{
    char name[HOST_MAX + 1];
    const char *at = name;

    if (len == 0 || len > HOST_MAX)
        return false;
    memcpy(name, host, len);
    name[len] = '\0';
    lower(name, len);
    while (at) {
        if (bsearch(&at, spam->hosts, spam->count, sizeof(*spam->hosts), compare))
            return true;
        at = strchr(at, '.');
        if (at)
            at++;
    }
    return false;
}
