/* conf.c -- see conf.h. */
#include "shared/daemon/conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"
#include "shared/daemon/conf_internal.h"

enum {
    SHOWN_MAX = 512, /* a value is cut there in messages and --print-config */
    FLAG_MAX = 64,
};

static const char env_file[] = CONF_ENV_FILE;

/* --- the table ----------------------------------------------------------- */

const struct conf_item *conf_next_item(const struct conf_program *program,
                                       const struct conf_item *item)
{
    const struct conf_item *own_end = program->items;

    item++;
    if (item->name)
        return item;
    while (own_end->name)
        own_end++;
    return program->base && item == own_end ? program->base->items : NULL;
}

/* Whether an item is never read from the environment or a file. */
static bool is_flag_only(const struct conf_item *item)
{
    return item->type == CONF_SWITCH || islower((unsigned char)item->name[0]);
}

/* --- one value ---------------------------------------------------------- */

static void *field_of(const struct conf_item *item, void *conf)
{
    return (char *)conf + item->offset;
}

static bool is_text(const struct conf_item *item)
{
    return item->type == CONF_TEXT || item->type == CONF_URL ||
           item->type == CONF_SECRET || item->type == CONF_CHOICE;
}

static void show_value(const struct conf_item *item, const char *value, char *out,
                       size_t size)
{
    if (item->type == CONF_SECRET)
        (void)snprintf(out, size, "%s", value[0] ? "***" : "");
    else if (item->type == CONF_URL)
        conf_mask_url(value, out, size);
    else
        (void)snprintf(out, size, "%s", value);
}

static enum err_code refuse(const struct conf_item *item, const char *value,
                            struct err *err)
{
    char shown[SHOWN_MAX];

    show_value(item, value, shown, sizeof(shown));
    switch (item->type) {
    case CONF_INT:
        return err_set(err, ERR_CONFIG,
                       "%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64,
                       item->name, shown, item->min, item->max);
    case CONF_BOOL:
    case CONF_SWITCH:
        return err_set(err, ERR_CONFIG, "%s: \"%s\" is not true or false", item->name,
                       shown);
    case CONF_CHOICE:
        return err_set(err, ERR_CONFIG, "%s: \"%s\" is not one of %s", item->name, shown,
                       item->choices);
    case CONF_TEXT:
    case CONF_URL:
    case CONF_SECRET:
        break;
    }
    return err_set(err, ERR_CONFIG, "%s: the value is longer than %" PRId64 " bytes",
                   item->name, item->max);
}

static bool parse_int(const struct conf_item *item, const char *value, int64_t *field)
{
    char *end;
    long long number;

    if (!isdigit((unsigned char)value[0]) && value[0] != '-')
        return false;
    if (value[0] == '0' &&
        value[1]) /* an octal number to some, a decimal one to others */
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno || *end || number < item->min || number > item->max)
        return false;
    *field = number;
    return true;
}

static bool parse_bool(const char *value, bool *field)
{
    if (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0)
        *field = true;
    else if (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0)
        *field = false;
    else
        return false;
    return true;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = choices;; at++) {
        size_t choice_len = strcspn(at, "|");
        if (choice_len == len && memcmp(at, value, len) == 0)
            return true;
        at += choice_len;
        if (*at == '\0')
            return false;
    }
}

static enum err_code set_text(const struct conf_item *item, const char *value,
                              char **field, struct err *err)
{
    char *copy;

    if (item->type == CONF_CHOICE && !is_choice(item->choices, value))
        return refuse(item, value, err);
    if (item->max > 0 && strlen(value) > (size_t)item->max)
        return refuse(item, value, err);
    copy = mem_strdup(value);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    mem_free(*field);
    *field = copy;
    return ERR_OK;
}

enum err_code conf_set_value(const struct conf_item *item, const char *value, void *conf,
                             struct err *err)
{
    void *field = field_of(item, conf);

    if (is_text(item))
        return set_text(item, value, field, err);
    if (item->type == CONF_INT ? parse_int(item, value, field) : parse_bool(value, field))
        return ERR_OK;
    return refuse(item, value, err);
}

/* --- .env ----------------------------------------------------------------- */

struct env_target {
    const struct conf_program *program;
    void *conf;
};

/* Keys that no item has belong to the other daemons that share the file. */
static enum err_code on_env_pair(void *user, const char *key, const char *value,
                                 struct err *err)
{
    const struct env_target *target = user;

    if (value[0] == '\0')
        return ERR_OK;
    for (const struct conf_item *item = target->program->items; item;
         item = conf_next_item(target->program, item)) {
        if (!is_flag_only(item) && strcmp(item->name, key) == 0)
            return conf_set_value(item, value, target->conf, err);
    }
    return ERR_OK;
}

static enum err_code load_env_file(const struct conf_program *program, void *conf,
                                   struct err *err)
{
    struct env_target target = {.program = program, .conf = conf};
    char *text = NULL;
    size_t len = 0;
    enum err_code code = conf_read_env_file(&text, &len, err);

    if (!code && text)
        code = conf_parse_env(text, len, on_env_pair, &target, err);
    mem_free(text);
    return code;
}

static enum err_code load_environment(const struct conf_program *program, void *conf,
                                      struct err *err)
{
    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        const char *value = is_flag_only(item) ? NULL : getenv(item->name);
        enum err_code code;
        if (!value || value[0] == '\0')
            continue;
        code = conf_set_value(item, value, conf, err);
        if (code)
            return code;
    }
    return ERR_OK;
}

static enum err_code load_defaults(const struct conf_program *program, void *conf,
                                   struct err *err)
{
    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        enum err_code code;
        if (!item->initial)
            continue;
        code = conf_set_value(item, item->initial, conf, err);
        if (code)
            return code;
    }
    return ERR_OK;
}

/* --- flags ---------------------------------------------------------------- */

static void flag_of(const struct conf_item *item, char *out, size_t size)
{
    size_t len = 0;

    for (const char *at = item->name; *at && len + 1 < size; at++)
        out[len++] = *at == '_' ? '-' : (char)tolower((unsigned char)*at);
    out[len] = '\0';
}

static const struct conf_item *find_flag(const struct conf_program *program,
                                         const char *flag, size_t len)
{
    char name[FLAG_MAX];

    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        flag_of(item, name, sizeof(name));
        if (strlen(name) == len && strncmp(name, flag, len) == 0)
            return item;
    }
    return NULL;
}

static enum err_code refuse_secret(const struct conf_item *item, struct err *err)
{
    return err_set(
        err, ERR_CONFIG,
        "%s: a secret is not taken from a flag, which every user of the machine "
        "can see: use the environment or %s",
        item->name, env_file);
}

/* Handles argv[*at], taking the word after it as its value where there is no "=". */
static enum err_code load_flag(const struct conf_program *program, int argc, char **argv,
                               int *at, void *conf, struct err *err)
{
    char *word = argv[*at];
    char *equals = strchr(word, '=');
    const struct conf_item *item = NULL;
    char *value;
    enum err_code code;

    if (strncmp(word, "--", 2) == 0)
        item = find_flag(program, word + 2,
                         equals ? (size_t)(equals - word) - 2 : strlen(word + 2));
    if (!item)
        return err_set(err, ERR_CONFIG, "unknown option \"%.*s\": see %s --help",
                       equals ? (int)(equals - word) : SHOWN_MAX, word, program->name);
    if (item->type == CONF_SECRET)
        return refuse_secret(item, err);
    if (item->type == CONF_SWITCH && !equals)
        return conf_set_value(item, "true", conf, err);
    if (!equals && *at + 1 >= argc)
        return err_set(err, ERR_CONFIG, "option \"%s\" needs a value", word);
    value = equals ? equals + 1 : argv[++*at];
    if (item->type == CONF_URL && conf_url_has_password(value)) {
        code = refuse_secret(item, err);
        memset(value, '*', strlen(value)); /* it stands in the list of processes */
        return code;
    }
    return conf_set_value(item, value, conf, err);
}

/* --- what is printed ------------------------------------------------------ */

static void print_item(const struct conf_item *item)
{
    char flag[FLAG_MAX];

    flag_of(item, flag, sizeof(flag));
    if (item->type == CONF_SECRET)
        (void)printf("  %s (no flag)\n      %s", item->name, item->help);
    else
        (void)printf("  --%s\n      %s", flag, item->help);
    if (item->type == CONF_INT)
        (void)printf(" (%" PRId64 " to %" PRId64 ")", item->min, item->max);
    if (item->type == CONF_CHOICE)
        (void)printf(" (%s)", item->choices);
    if (item->initial && item->initial[0])
        (void)printf(" [%s]", item->initial);
    (void)printf("\n");
}

static void print_help(const struct conf_program *program)
{
    (void)printf("%s %s -- %s\n\nusage: %s [--name=value ...]\n\n", program->name,
                 ANALYTICS_VERSION, program->summary, program->name);
    if (program->base)
        (void)printf("The settings of %s --help are taken too.\n\n", program->base->name);
    else
        (void)printf(
            "Each setting is read from a flag, from the environment (NAME) or from\n"
            "the file .env in the current folder, in this order of precedence.\n\n");
    for (const struct conf_item *item = program->items; item->name; item++)
        print_item(item);
    if (program->commands)
        (void)printf("\n%s", program->commands);
    (void)printf("\n  --help           this text\n  --version        the version\n"
                 "  --print-config   the settings in force, secrets masked\n");
}

static void print_config(const struct conf_program *program, void *conf)
{
    char shown[SHOWN_MAX];

    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        void *field = field_of(item, conf);
        if (is_flag_only(item))
            continue;
        if (is_text(item))
            show_value(item, *(char **)field ? *(char **)field : "", shown,
                       sizeof(shown));
        else if (item->type == CONF_INT)
            (void)snprintf(shown, sizeof(shown), "%" PRId64, *(int64_t *)field);
        else
            (void)snprintf(shown, sizeof(shown), "%s", *(bool *)field ? "true" : "false");
        (void)printf("%s=%s\n", item->name, shown);
    }
}

/* Words that print something; they are looked at before any value is parsed, but
 * --print-config prints only once everything was found to be right. */
static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], word) == 0)
            return true;
    }
    return false;
}

static enum err_code load_flags(const struct conf_program *program, int argc, char **argv,
                                void *conf, struct err *err)
{
    enum err_code code = ERR_OK;

    for (int i = 1; i < argc && !code; i++) {
        if (strcmp(argv[i], "--print-config") != 0)
            code = load_flag(program, argc, argv, &i, conf, err);
    }
    return code;
}

enum err_code conf_load(const struct conf_program *program, int argc, char **argv,
                        void *conf, enum conf_next *ret_next, struct err *err)
{
    enum err_code code;

    *ret_next = CONF_NEXT_EXIT;
    if (has_word(argc, argv, "--help")) {
        print_help(program);
        return ERR_OK;
    }
    if (has_word(argc, argv, "--version")) {
        (void)printf("%s %s\n", program->name, ANALYTICS_VERSION);
        return ERR_OK;
    }
    code = load_defaults(program, conf, err);
    if (!code)
        code = load_env_file(program, conf, err);
    if (!code)
        code = load_environment(program, conf, err);
    if (!code)
        code = load_flags(program, argc, argv, conf, err);
    if (!code)
        code = conf_load_url_files(program, conf, err);
    if (code)
        return code;
    if (has_word(argc, argv, "--print-config"))
        print_config(program, conf);
    else
        *ret_next = CONF_NEXT_RUN;
    return ERR_OK;
}

enum err_code conf_reload(const struct conf_source *source, void *conf, struct err *err)
{
    enum conf_next next;

    return conf_load(source->program, source->argc, source->argv, conf, &next, err);
}

void conf_release(const struct conf_program *program, void *conf)
{
    for (const struct conf_item *item = program->items; item;
         item = conf_next_item(program, item)) {
        if (is_text(item)) {
            char **field = field_of(item, conf);
            mem_free(*field);
            *field = NULL;
        }
    }
}
