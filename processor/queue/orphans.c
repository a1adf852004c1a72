/* orphans.c -- batches without a lease; see queue.h. */
#include <stdio.h>
#include <string.h>

#include "processor/queue/parts.h"
#include "processor/queue/queue.h"
#include "shared/base/clock.h"

static enum err_code adopt(struct queue *queue, const char *key, size_t *found,
                           struct err *err)
{
    struct args args = queue_script_args("3");
    int64_t is_new = 0;
    enum err_code code;

    if (strncmp(key, KEY_BATCH_PREFIX, sizeof(KEY_BATCH_PREFIX) - 1) != 0 ||
        strlen(key) > sizeof(KEY_BATCH_PREFIX) - 1 + QUEUE_ID_MAX)
        return ERR_OK; /* not one of ours */
    args_add(&args, key);
    args_add(&args, key + sizeof(KEY_BATCH_PREFIX) - 1);
    args_add(&args, queue->lease_text);
    code = queue_run_number(queue, SCRIPT_ADOPT, &args, "could not adopt a batch",
                            &is_new, err);
    if (!code && is_new == 1)
        (*found)++;
    return code;
}

/* Whether the reply is {cursor, keys}. */
static bool is_scan(const redisReply *reply)
{
    const redisReply *keys;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_ARRAY)
        return false;
    keys = reply->element[1];
    for (size_t i = 0; i < keys->elements; i++)
        if (keys->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

/* One SCAN; cursor is brought up to date, "0" after the last. */
static enum err_code scan(struct queue *queue, char cursor[QUEUE_CURSOR_MAX],
                          redisReply **ret_reply, struct err *err)
{
    struct args args = {.count = 0};
    enum err_code code;

    args_add(&args, "SCAN");
    args_add(&args, cursor);
    args_add(&args, "MATCH");
    args_add(&args, KEY_BATCH_PREFIX "*");
    args_add(&args, "COUNT");
    args_add(&args, "1000");
    code = queue_command(queue, &args, "could not look for batches", ret_reply, err);
    if (!code && !is_scan(*ret_reply))
        return queue_strange(queue, *ret_reply, "could not look for batches", err);
    if (!code)
        (void)snprintf(cursor, QUEUE_CURSOR_MAX, "%s", (*ret_reply)->element[0]->str);
    return code;
}

enum err_code queue_adopt_orphans(struct queue *queue, char cursor[QUEUE_CURSOR_MAX],
                                  int64_t max_ms, size_t *ret_found, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + max_ms;
    size_t found = 0;
    enum err_code code = queue_connect(queue, err);

    if (cursor[0] == '\0')
        (void)snprintf(cursor, QUEUE_CURSOR_MAX, "0");
    while (!code) {
        redisReply *reply = NULL;

        code = scan(queue, cursor, &reply, err);
        if (code) {
            cursor[0] = '\0';
            break;
        }
        for (size_t i = 0; i < reply->element[1]->elements && !code; i++)
            code = adopt(queue, reply->element[1]->element[i]->str, &found, err);
        freeReplyObject(reply);
        if (code || strcmp(cursor, "0") == 0)
            cursor[0] = '\0';
        if (cursor[0] == '\0' || clock_mono_ms() >= until_ms)
            break;
    }
    *ret_found = found;
    return code;
}
