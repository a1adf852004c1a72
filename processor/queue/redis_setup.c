/* redis_setup.c -- see redis_setup.h. */
#include "processor/queue/redis_setup.h"

#include <string.h>

#include "shared/base/log.h"
#include "shared/redis/info.h"

enum {
    POLICY_MAX = 32, /* no policy has a name so long */
};

static void judge(const char *info)
{
    char value[POLICY_MAX];

    if (redis_info_value(info, "maxmemory_policy", value, sizeof(value)) &&
        strcmp(value, "noeviction") != 0)
        log_line(LOG_WARN,
                 "Redis may throw away events that wait: set maxmemory-policy noeviction",
                 LOG_FIELDS(log_text("maxmemory_policy", value)));
    if (redis_info_is(info, "aof_enabled", "0"))
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
