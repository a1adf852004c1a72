/* salt_files.c -- see salt_files.h. */
#include "processor/queue/salt_files.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/redis/info.h"
#include "shared/redis/keys.h"

enum {
    DAYS_BACK = 3, /* a salt lives 48 hours, and days need not begin at midnight */
    DAYS_AHEAD = 2,
    DAY_S = 86400,
};

/* The connection and what it last said. */
struct talk {
    redisContext *context;
    redisReply *reply; /* owned */
};

/* Sends the command and waits.  False when the connection is lost. */
static bool say(struct talk *talk, const char *format, ...)
{
    va_list args;

    if (talk->reply)
        freeReplyObject(talk->reply);
    va_start(args, format);
    talk->reply = redisvCommand(talk->context, format, args);
    va_end(args);
    return talk->reply != NULL;
}

static bool is_text(const redisReply *reply, int type)
{
    return reply->type == type && reply->str;
}

/* Whether Redis will never do that for this account; anything else is tried again. */
static bool is_refusal(const redisReply *reply)
{
    return is_text(reply, REDIS_REPLY_ERROR) &&
           (strncmp(reply->str, "NOPERM", 6) == 0 ||
            strncmp(reply->str, "ERR unknown command", 19) == 0);
}

static void refuse(struct salt_files *files, const redisReply *reply)
{
    if (!files->is_refused)
        log_line(LOG_WARN,
                 "Redis does not rewrite its append-only file without the salts of past "
                 "days: let the account use BGREWRITEAOF, or rewrite it every day",
                 LOG_FIELDS(log_text("reply", reply->str)));
    files->is_refused = true;
}

/* --- names -------------------------------------------------------------------- */

/* Notes the salts that there are now. */
static bool note_living(struct salt_files *files, struct talk *talk)
{
    time_t now = time(NULL);

    for (int i = -DAYS_BACK; i < DAYS_AHEAD; i++) {
        char name[SALT_NAME_SIZE];
        time_t seconds = now + (time_t)i * DAY_S;
        struct tm date;

        (void)gmtime_r(&seconds, &date);
        (void)strftime(name, sizeof(name), KEY_SALT_PREFIX "%Y-%m-%d", &date);
        if (!say(talk, "EXISTS %s", name))
            return false;
        if (is_refusal(talk->reply))
            refuse(files, talk->reply);
        if (talk->reply->type == REDIS_REPLY_INTEGER && talk->reply->integer == 1 &&
            !say(talk, "ZADD " KEY_SALTS " 0 %s", name))
            return false;
    }
    return true;
}

static void take_names(struct salt_files *files, const redisReply *reply)
{
    files->asked = 0;
    if (reply->type != REDIS_REPLY_ARRAY)
        return;
    for (size_t i = 0; i < reply->elements && files->asked < SALT_NAMES_MAX; i++) {
        const redisReply *name = reply->element[i];
        if (is_text(name, REDIS_REPLY_STRING) && name->len < SALT_NAME_SIZE &&
            strncmp(name->str, KEY_SALT_PREFIX, sizeof(KEY_SALT_PREFIX) - 1) == 0)
            memcpy(files->names[files->asked++], name->str, name->len + 1);
    }
}

/* Leaves in `files` the noted names whose salts are gone. */
static bool find_gone(struct salt_files *files, struct talk *talk)
{
    size_t gone = 0;

    if (!say(talk, "ZRANGEBYSCORE " KEY_SALTS " -inf +inf LIMIT 0 %d", SALT_NAMES_MAX))
        return false;
    take_names(files, talk->reply);
    for (size_t i = 0; i < files->asked; i++) {
        if (!say(talk, "EXISTS %s", files->names[i]))
            return false;
        if (talk->reply->type == REDIS_REPLY_INTEGER && talk->reply->integer == 0)
            memmove(files->names[gone++], files->names[i], SALT_NAME_SIZE);
    }
    files->asked = gone;
    return true;
}

/* The files have them no longer, or never had. */
static bool forget(struct salt_files *files, struct talk *talk)
{
    while (files->asked > 0)
        if (!say(talk, "ZREM " KEY_SALTS " %s", files->names[--files->asked]))
            return false;
    return true;
}

/* --- the file ----------------------------------------------------------------- */

static bool ask(struct salt_files *files, struct talk *talk, bool *ret_has_asked)
{
    if (!say(talk, "BGREWRITEAOF"))
        return false;
    if (!is_text(talk->reply, REDIS_REPLY_ERROR)) {
        *ret_has_asked = true;
        return true;
    }
    if (is_refusal(talk->reply)) {
        refuse(files, talk->reply);
        return forget(files, talk);
    }
    files->asked = 0; /* busy with the file, for example: the next poll asks again */
    return true;
}

static bool poll_names(struct salt_files *files, struct talk *talk, bool *ret_has_asked)
{
    const char *info;
    bool was_asked = files->asked > 0;

    if (!was_asked && (!note_living(files, talk) || !find_gone(files, talk)))
        return false;
    if (files->asked == 0)
        return true;
    if (files->is_refused)
        return forget(files, talk);
    if (!say(talk, "INFO persistence"))
        return false;
    info = is_text(talk->reply, REDIS_REPLY_STRING) ? talk->reply->str : "";
    if (redis_info_is(info, "aof_enabled", "0"))
        return forget(files, talk);
    if (redis_info_is(info, "aof_rewrite_in_progress", "1") ||
        redis_info_is(info, "aof_rewrite_scheduled", "1")) {
        if (!was_asked)
            files->asked = 0; /* that one may have begun before the salt was gone */
        return true;
    }
    if (was_asked && redis_info_is(info, "aof_last_bgrewrite_status", "ok"))
        return forget(files, talk);
    return ask(files, talk, ret_has_asked);
}

enum err_code salt_files_poll(struct salt_files *files, redisContext *context,
                              bool *ret_has_asked)
{
    struct talk talk = {.context = context};
    bool is_well;

    *ret_has_asked = false;
    if (clock_mono_ms() < files->poll_at_ms)
        return ERR_OK;
    files->poll_at_ms = clock_mono_ms() + files->interval_ms;
    is_well = poll_names(files, &talk, ret_has_asked);
    if (talk.reply)
        freeReplyObject(talk.reply);
    if (is_well)
        return ERR_OK;
    files->asked = 0; /* what has become of it is not known: it is asked again */
    return ERR_UNAVAILABLE;
}
