/* fuzz_redis_url.c -- REDIS_URL: every part within its limits. */
#include <string.h>

#include "shared/redis/url.h"
#include "tests/fuzz/fuzz.h"

static void check_url(const struct redis_url *url)
{
    MUST(memchr(url->host, '\0', sizeof(url->host)) && url->host[0]);
    MUST(memchr(url->user, '\0', sizeof(url->user)));
    MUST(memchr(url->password, '\0', sizeof(url->password)));
    MUST(url->port > 0 && url->db >= 0);
    MUST(!url->is_unix || url->host[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct redis_url url;
    struct err err;

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (redis_url_parse(text, &url, &err))
        MUST(err.code == ERR_CONFIG && strncmp(err.msg, "REDIS_URL: ", 11) == 0);
    else
        check_url(&url);
    free(text);
    return 0;
}
