/* fuzz_conf_env.c -- .env files: pairs are C strings of the file's own bytes, and a value
 * is shown in the room there is.  Then the lines as flags: what is taken is in its range,
 * and what is refused is refused in a sentence. */
#include <string.h>

#include "shared/daemon/conf.h"
#include "tests/fuzz/fuzz.h"

enum {
    FLAGS_MAX = 16,
    TEXT_MAX = 40
};

struct settings {
    int64_t number;
    bool is_on;
    bool is_switched;
    char *text;
    char *url;
    char *secret;
    char *choice;
};

#define FIELD(field) offsetof(struct settings, field)

static const struct conf_item items[] = {
    {"FUZZ_NUMBER", CONF_INT, FIELD(number), "5", -7, 1000, NULL, ""},
    {"FUZZ_ON", CONF_BOOL, FIELD(is_on), "true", 0, 0, NULL, ""},
    {"FUZZ_TEXT", CONF_TEXT, FIELD(text), "", 0, TEXT_MAX, NULL, ""},
    {"FUZZ_URL", CONF_URL, FIELD(url), "redis://x", 0, TEXT_MAX, NULL, ""},
    {"FUZZ_SECRET", CONF_SECRET, FIELD(secret), "", 0, TEXT_MAX, NULL, ""},
    {"FUZZ_CHOICE", CONF_CHOICE, FIELD(choice), "a", 0, 0, "a|bc||d", ""},
    {"switch", CONF_SWITCH, FIELD(is_switched), NULL, 0, 0, NULL, ""},
    {.name = NULL},
};

static const struct conf_program program = {
    .name = "fuzz", .summary = "", .items = items};

static void check_mask(const char *value)
{
    size_t room = strlen(value) * 3 + 16; /* more than what *** can add */
    char *shown = malloc(room);

    MUST(shown);
    conf_mask_url(value, shown, room);
    MUST(strlen(shown) < room - 1);
    conf_mask_url(value, shown, 4);
    MUST(strlen(shown) <= 3);
    free(shown);
}

static enum err_code on_pair(void *user, const char *key, const char *value,
                             struct err *err)
{
    size_t *left = user;
    size_t used = strlen(key) + strlen(value) + 1;

    (void)err;
    MUST(key[0] && !strchr(key, '=') && !strchr(key, '\n') && !strchr(value, '\n'));
    MUST(used <= *left);
    *left -= used;
    check_mask(value);
    return ERR_OK;
}

static void check_flags(int argc, char **argv)
{
    struct settings settings = {.number = 0};
    enum conf_next next;
    struct err err;
    enum err_code code = conf_load(&program, argc, argv, &settings, &next, &err);

    if (code) {
        MUST(code == ERR_CONFIG && err.msg[0] != '\0');
    } else {
        MUST(settings.number >= -7 && settings.number <= 1000);
        MUST(strlen(settings.text) <= TEXT_MAX && strlen(settings.url) <= TEXT_MAX);
        MUST(settings.secret[0] == '\0'); /* never from a flag */
        MUST(strlen(settings.choice) <= 2 && !strchr(settings.choice, '|'));
    }
    conf_release(&program, &settings);
}

/* The lines of the text as arguments, but for those that only print. */
static void try_flags(const uint8_t *data, size_t size)
{
    static char name[] = "fuzz";
    char *argv[FLAGS_MAX + 2] = {name};
    char *copy = strndup((const char *)data, size);
    char *rest = NULL;
    int argc = 1;

    MUST(copy);
    for (char *line = strtok_r(copy, "\n", &rest); line && argc <= FLAGS_MAX;
         line = strtok_r(NULL, "\n", &rest))
        if (strcmp(line, "--help") != 0 && strcmp(line, "--version") != 0 &&
            strcmp(line, "--print-config") != 0)
            argv[argc++] = line;
    check_flags(argc, argv);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t left = size;
    struct err err;
    enum err_code code = conf_parse_env((const char *)data, size, on_pair, &left, &err);

    MUST(code == ERR_OK || (code == ERR_CONFIG && strncmp(err.msg, ".env: ", 6) == 0));
    try_flags(data, size);
    return 0;
}
