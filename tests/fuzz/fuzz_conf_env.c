/* fuzz_conf_env.c -- .env files: pairs are C strings of the file's own bytes, and a value
 * is shown in the room there is. */
#include <string.h>

#include "shared/conf.h"
#include "tests/fuzz/fuzz.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t left = size;
    struct err err;
    enum err_code code = conf_parse_env((const char *)data, size, on_pair, &left, &err);

    MUST(code == ERR_OK || (code == ERR_CONFIG && strncmp(err.msg, ".env: ", 6) == 0));
    return 0;
}
