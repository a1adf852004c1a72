/* conf_url_file.c -- URLs that come from a file, as secrets do; see conf.h. */
#include <string.h>

#include "shared/base/mem.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/conf_internal.h"
#include "shared/text/first_line.h"

static const char *text_of(const struct conf_item *item, const void *conf)
{
    const char *text;

    memcpy(&text, (const char *)conf + item->offset, sizeof(text));
    return text;
}

/* The item NAME_FILE of an item NAME, or NULL. */
static const struct conf_item *find_file_item(const struct conf_program *program,
                                              const struct conf_item *item)
{
    size_t len = strlen(item->name);

    for (const struct conf_item *at = program->items; at;
         at = conf_next_item(program, at)) {
        if (strncmp(at->name, item->name, len) == 0 && !strcmp(at->name + len, "_FILE"))
            return at;
    }
    return NULL;
}

/* A secret is read by who uses it, a URL here, so that both forms of it look the same. */
static enum err_code load_url_file(const struct conf_item *item, const char *path,
                                   void *conf, struct err *err)
{
    char *line = NULL;
    enum err_code code;

    if (strcmp(text_of(item, conf), item->initial) != 0)
        return err_set(err, ERR_CONFIG,
                       "%s is given both by its value and by file \"%s\"", item->name,
                       path);
    code = first_line_read(path, (size_t)item->max, &line, err);
    if (code)
        return err_wrap(err, "%s", item->name);
    code = conf_set_value(item, line, conf, err);
    mem_free(line);
    return code;
}

enum err_code conf_load_url_files(const struct conf_program *program, void *conf,
                                  struct err *err)
{
    enum err_code code = ERR_OK;

    for (const struct conf_item *item = program->items; item && !code;
         item = conf_next_item(program, item)) {
        const struct conf_item *file =
            item->type == CONF_URL ? find_file_item(program, item) : NULL;
        if (file && text_of(file, conf)[0])
            code = load_url_file(item, text_of(file, conf), conf, err);
    }
    return code;
}

void conf_warn_public(const struct conf_program *program, const void *conf,
                      conf_public_fn fn)
{
    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        const struct conf_item *file = NULL;
        if (item->type == CONF_SECRET || item->type == CONF_URL)
            file = find_file_item(program, item);
        if (file && text_of(file, conf)[0] && first_line_is_public(text_of(file, conf)))
            fn(file->name, text_of(file, conf));
    }
}
