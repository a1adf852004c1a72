/* redis_setup.c -- see redis_setup.h. */
#include "processor/queue/redis_setup.h"

#include <stdbool.h>
#include <string.h>

#include "shared/base/log.h"

enum {
    POLICY_MAX = 32, /* no policy has a name so long */
};

/* Takes the value of a line "name:value\r\n" of INFO; false when it has none. */
static bool find_value(const char *info, const char *name, char *out, size_t size)
{
    const char *at = strstr(info, name);
    size_t len;

    if (!at)
        return false;
    at += strlen(name);
    len = strcspn(at, "\r\n");
    if (len == 0 || len >= size)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

static void judge(const char *info)
{
    char value[POLICY_MAX];

    if (find_value(info, "\nmaxmemory_policy:", value, sizeof(value)) &&
        strcmp(value, "noeviction") != 0)
        log_line(LOG_WARN,
                 "Redis may throw away events that wait: set maxmemory-policy noeviction",
                 LOG_FIELDS(log_text("maxmemory_policy", value)));
    if (find_value(info, "\naof_enabled:", value, sizeof(value)) &&
        strcmp(value, "0") == 0)
        log_line(LOG_WARN,
                 "events that wait are lost when Redis ends: set appendonly yes", NULL);
}

enum err_code redis_setup_check(redisContext *context)
{
    redisReply *reply = redisCommand(context, "INFO");

    if (!reply)
        return ERR_UNAVAILABLE;
    if (reply->type == REDIS_REPLY_STRING)
        judge(reply->str);
    freeReplyObject(reply);
    return ERR_OK;
}
