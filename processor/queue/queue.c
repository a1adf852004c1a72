/* queue.c -- see queue.h; the scripts are in lua/. */
#include "processor/queue/queue.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "processor/conf.h"
#include "processor/queue/parts.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/redis/conn.h"
#include "shared/redis/err.h"

_Static_assert(EVENT_JOB_MAX == 118784, "lua/take.lua goes by that number");

void queue_new_id(char out[UUID_TEXT_LEN + 1])
{
    struct uuid uuid = uuid_v7();

    uuid_format(&uuid, out);
    out[UUID_TEXT_LEN] = '\0';
}

void queue_batch_key(char out[KEY_MAX], const char *id)
{
    (void)snprintf(out, KEY_MAX, "%s%s", KEY_BATCH_PREFIX, id);
}

struct queue *queue_new(const struct queue_options *options)
{
    struct queue *queue = mem_calloc(1, sizeof(*queue));
    int64_t wait_ms =
        options->lease_ms / 3; /* the lease runs while the doorbell is waited for */

    if (!queue)
        return NULL;
    if (wait_ms > QUEUE_WAIT_MAX_MS)
        wait_ms = QUEUE_WAIT_MAX_MS;
    queue->url = *options->url;
    queue->timeout_ms = options->timeout_ms;
    (void)snprintf(queue->wait_text, NUMBER_MAX, "%" PRId64 ".%03" PRId64, wait_ms / 1000,
                   wait_ms % 1000);
    queue->lease_ms = options->lease_ms;
    (void)snprintf(queue->lease_text, NUMBER_MAX, "%" PRId64, options->lease_ms);
    queue->batch_max = queue->take_max = options->batch_max;
    queue->batch_max_bytes = options->batch_max_bytes;
    queue_new_id(queue->owner);
    queue_new_id(queue->next_id);
    return queue;
}

struct queue *queue_of_conf(const struct processor_conf *conf,
                            const struct redis_url *url)
{
    return queue_new(&(struct queue_options){
        .url = url,
        .timeout_ms = conf->redis.timeout_ms,
        .lease_ms = conf->lease_ms,
        .batch_max = conf->batch_max,
        .batch_max_bytes = conf->batch_max_bytes,
    });
}

static void disconnect(struct queue *queue)
{
    if (queue->context)
        redisFree(queue->context);
    queue->context = NULL;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    disconnect(queue);
    mem_free(queue);
}

const char *queue_owner(const struct queue *queue)
{
    return queue->owner;
}

/* hiredis keeps what it could not write.  Redis runs no part of a command, and the rest is
 * never sent, because the connection is dropped. */
static bool is_written(const redisContext *context)
{
    return !context->obuf || context->obuf[0] == '\0';
}

enum err_code queue_send(struct queue *queue, int count, const char **texts,
                         const size_t *lens, const char *what, redisReply **ret_reply,
                         struct err *err)
{
    redisReply *reply = redisCommandArgv(queue->context, count, texts, lens);
    enum err_code code;

    queue->was_sent = reply || is_written(queue->context);
    if (!reply) {
        code = redis_err_of_context(queue->context, what, err);
        assert(code != ERR_OK); /* gcc's analyzer does not see it in another file */
        disconnect(queue);      /* a late answer must not meet another question */
        return code;
    }
    code = redis_err_of_reply(reply, what, err);
    if (code) {
        freeReplyObject(reply);
        if (code == ERR_READ_ONLY || code == ERR_UNAVAILABLE || code == ERR_DENIED)
            disconnect(queue); /* somebody else may be the master by now */
        return code;
    }
    *ret_reply = reply;
    return ERR_OK;
}

enum err_code queue_strange(struct queue *queue, redisReply *reply, const char *what,
                            struct err *err)
{
    freeReplyObject(reply);
    disconnect(queue);
    return err_set(err, ERR_UNAVAILABLE, "%s: strange reply of Redis", what);
}

enum err_code queue_command(struct queue *queue, struct args *args, const char *what,
                            redisReply **ret_reply, struct err *err)
{
    return queue_send(queue, args->count, args->texts, args->lens, what, ret_reply, err);
}

static enum err_code load_scripts(struct queue *queue, struct err *err)
{
    for (size_t i = 0; i < SCRIPTS; i++) {
        struct args args = {.count = 0};
        redisReply *reply = NULL;
        enum err_code code;

        args_add(&args, "SCRIPT");
        args_add(&args, "LOAD");
        args_add(&args, queue_scripts[i]);
        code = queue_command(queue, &args, "could not load a script into Redis", &reply,
                             err);
        if (code)
            return code;
        (void)snprintf(queue->shas[i], sizeof(queue->shas[i]), "%s",
                       reply->str ? reply->str : "");
        freeReplyObject(reply);
    }
    return ERR_OK;
}

enum err_code queue_connect(struct queue *queue, struct err *err)
{
    enum err_code code;

    if (queue->context)
        return ERR_OK;
    code = redis_conn_open(&queue->url, queue->timeout_ms, &queue->context, err);
    if (code)
        return code;
    code = load_scripts(queue, err);
    if (code)
        disconnect(queue);
    return code;
}

enum err_code queue_run(struct queue *queue, enum script script, struct args *args,
                        const char *what, redisReply **ret_reply, struct err *err)
{
    enum err_code code = queue_connect(queue, err);

    queue->was_sent = false;
    if (code)
        return code;
    args->texts[0] = "EVALSHA";
    args->lens[0] = strlen("EVALSHA");
    args->texts[1] = queue->shas[script];
    args->lens[1] = SHA_LEN;
    code = queue_command(queue, args, what, ret_reply, err);
    /* Redis was started anew, or somebody flushed its scripts: EVAL has it keep this one. */
    if (code == ERR_BUSY && queue->context && strstr(err->msg, "NOSCRIPT")) {
        args->texts[0] = "EVAL";
        args->lens[0] = strlen("EVAL");
        args->texts[1] = queue_scripts[script];
        args->lens[1] = strlen(queue_scripts[script]);
        code = queue_command(queue, args, what, ret_reply, err);
    }
    return code;
}

struct args queue_script_args(const char *key_count)
{
    struct args args = {.count = 2};

    args_add(&args, key_count);
    args_add(&args, KEY_LEASES);
    args_add(&args, KEY_ATTEMPTS);
    return args;
}

enum err_code queue_ping(struct queue *queue, struct err *err)
{
    struct args args = {.count = 0};
    redisReply *reply = NULL;
    enum err_code code = queue_connect(queue, err);

    if (code)
        return code;
    args_add(&args, "PING");
    code = queue_command(queue, &args, "could not ping Redis", &reply, err);
    if (!code)
        freeReplyObject(reply);
    return code;
}

/* --- the life of a batch ------------------------------------------------------- */

enum err_code queue_run_number(struct queue *queue, enum script script, struct args *args,
                               const char *what, int64_t *ret_number, struct err *err)
{
    redisReply *reply = NULL;
    enum err_code code = queue_run(queue, script, args, what, &reply, err);

    if (code)
        return code;
    if (reply->type != REDIS_REPLY_INTEGER)
        return queue_strange(queue, reply, what, err);
    *ret_number = reply->integer;
    freeReplyObject(reply);
    return ERR_OK;
}

enum err_code queue_ack(struct queue *queue, const char *id, size_t jobs, size_t stored,
                        int64_t *ret_total, struct err *err)
{
    struct args args = queue_script_args("5");
    char key[KEY_MAX];
    char count[NUMBER_MAX];
    char claimed[NUMBER_MAX];

    queue_batch_key(key, id);
    (void)snprintf(count, sizeof(count), "%zu", stored);
    (void)snprintf(claimed, sizeof(claimed), "%zu", jobs);
    args_add(&args, key);
    args_add(&args, KEY_COMPLETED);
    args_add(&args, KEY_QUEUE);
    args_add(&args, id);
    args_add(&args, count);
    args_add(&args, claimed);
    return queue_run_number(queue, SCRIPT_ACK, &args, "could not acknowledge a batch",
                            ret_total, err);
}

static enum err_code hand_back(struct queue *queue, const char *id, const char *owner,
                               const char *unsure, struct err *err)
{
    struct args args = queue_script_args("3");
    char key[KEY_MAX];
    int64_t ignored;

    queue_batch_key(key, id);
    args_add(&args, key);
    args_add(&args, id);
    args_add(&args, owner);
    args_add(&args, unsure);
    return queue_run_number(queue, SCRIPT_HAND_BACK, &args, "could not hand a batch back",
                            &ignored, err);
}

enum err_code queue_hand_back(struct queue *queue, const char *id, const char *owner,
                              struct err *err)
{
    return hand_back(queue, id, owner, "", err);
}

/* No transaction of ours can still store what is in doubt, for that begins once a batch is
 * known to be sealed; and what is somebody else's by now is left alone.  When it fails the
 * leases end by themselves. */
void queue_leave(struct queue *queue)
{
    struct err ignored;
    enum err_code code = ERR_OK;

    if (queue->unsure_id[0] != '\0')
        code = hand_back(queue, queue->unsure_id, queue->owner, "unsure", &ignored);
    if (!code && queue->context)
        code = queue_hand_back(queue, queue->next_id, queue->owner, &ignored);
    if (code)
        disconnect(queue);
}

enum err_code queue_renew(struct queue *queue, const char *id, const char *owner,
                          bool *ret_is_owned, struct err *err)
{
    struct args args = queue_script_args("2");
    int64_t is_owned = 0;
    enum err_code code;

    args_add(&args, id);
    args_add(&args, owner);
    args_add(&args, queue->lease_text);
    code = queue_run_number(queue, SCRIPT_RENEW, &args, "could not renew a lease",
                            &is_owned, err);
    if (!code)
        *ret_is_owned = is_owned != 0;
    return code;
}

enum err_code queue_note(struct queue *queue, const char *id, const char *reason,
                         struct err *err)
{
    struct args args = queue_script_args("3");
    char key[KEY_MAX];
    int64_t ignored;

    queue_batch_key(key, id);
    args_add(&args, key);
    args_add(&args, id);
    args_add(&args, reason);
    return queue_run_number(queue, SCRIPT_NOTE, &args, "could not note a failure",
                            &ignored, err);
}

enum err_code queue_mark(struct queue *queue, const char *id, size_t place, int64_t hits,
                         struct err *err)
{
    struct args args = queue_script_args("2");
    char text[2 * NUMBER_MAX] = "";
    int64_t ignored;

    if (hits > 0) /* else the empty text, which takes the note back */
        (void)snprintf(text, sizeof(text), "%zu %" PRId64, place, hits);
    args_add(&args, id);
    args_add(&args, text);
    return queue_run_number(queue, SCRIPT_MARK, &args, "could not mark a job", &ignored,
                            err);
}
