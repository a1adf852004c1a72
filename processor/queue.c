/* queue.c -- see queue.h; the scripts are in queue_scripts.h. */
#include "processor/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/queue_scripts.h"
#include "shared/mem.h"
#include "shared/redis_conn.h"
#include "shared/redis_err.h"

#define KEY_QUEUE     "{events}:queue"
#define KEY_LEASES    "{events}:leases"
#define KEY_ATTEMPTS  "{events}:attempts"
#define KEY_COMPLETED "{events}:completed"
#define BATCH_PREFIX  "{events}:batch:"

enum {
    SHA_LEN = 40,
    KEY_MAX = sizeof(BATCH_PREFIX) + QUEUE_ID_MAX,
    NUMBER_MAX = 24,
    ARGS_MAX = 16,
};

enum script {
    SCRIPT_CLAIM,
    SCRIPT_FILL,
    SCRIPT_ACK,
    SCRIPT_HAND_BACK,
    SCRIPT_RENEW,
    SCRIPT_NOTE,
    SCRIPT_MARK,
    SCRIPT_ADOPT,
    SCRIPTS
};

static const char *const scripts[SCRIPTS] = {
    [SCRIPT_CLAIM] = script_claim, [SCRIPT_FILL] = script_fill,
    [SCRIPT_ACK] = script_ack,     [SCRIPT_HAND_BACK] = script_hand_back,
    [SCRIPT_RENEW] = script_renew, [SCRIPT_NOTE] = script_note,
    [SCRIPT_MARK] = script_mark,   [SCRIPT_ADOPT] = script_adopt,
};

struct queue {
    struct redis_url url;
    int64_t timeout_ms;
    char wait_text[NUMBER_MAX]; /* seconds, for BLMOVE */
    char lease_text[NUMBER_MAX];
    char max_text[NUMBER_MAX];
    char max_bytes_text[NUMBER_MAX];
    redisContext *context; /* owned; NULL: not connected */
    char shas[SCRIPTS][SHA_LEN + 1];
    char owner[UUID_TEXT_LEN + 1];
    char next_id[UUID_TEXT_LEN + 1]; /* of the batch that is claimed next */
};

/* A command under construction; binary-safe, nothing is copied. */
struct args {
    int count;
    const char *texts[ARGS_MAX];
    size_t lens[ARGS_MAX];
};

static void args_add(struct args *args, const char *text)
{
    args->texts[args->count] = text;
    args->lens[args->count++] = strlen(text);
}

static void new_text_id(char out[UUID_TEXT_LEN + 1])
{
    struct uuid uuid = uuid_v7();

    uuid_format(&uuid, out);
    out[UUID_TEXT_LEN] = '\0';
}

static void batch_key(char out[KEY_MAX], const char *id)
{
    (void)snprintf(out, KEY_MAX, "%s%s", BATCH_PREFIX, id);
}

struct queue *queue_new(const struct queue_options *options)
{
    struct queue *queue = mem_calloc(1, sizeof(*queue));
    int64_t wait_ms = options->lease_ms / 3;

    if (!queue)
        return NULL;
    if (wait_ms > QUEUE_WAIT_MAX_MS)
        wait_ms = QUEUE_WAIT_MAX_MS;
    queue->url = *options->url;
    queue->timeout_ms = options->timeout_ms;
    (void)snprintf(queue->wait_text, NUMBER_MAX, "%" PRId64 ".%03" PRId64, wait_ms / 1000,
                   wait_ms % 1000);
    (void)snprintf(queue->lease_text, NUMBER_MAX, "%" PRId64, options->lease_ms);
    (void)snprintf(queue->max_text, NUMBER_MAX, "%" PRId64, options->batch_max);
    (void)snprintf(queue->max_bytes_text, NUMBER_MAX, "%" PRId64,
                   options->batch_max_bytes);
    new_text_id(queue->owner);
    new_text_id(queue->next_id);
    return queue;
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

/* Runs a command; the caller owns *ret_reply, which is no error. */
static enum err_code command(struct queue *queue, struct args *args, const char *what,
                             redisReply **ret_reply, struct err *err)
{
    redisReply *reply =
        redisCommandArgv(queue->context, args->count, args->texts, args->lens);
    enum err_code code;

    if (!reply) {
        code = redis_err_of_context(queue->context, what, err);
        disconnect(queue); /* a late answer must not meet another question */
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

static enum err_code load_scripts(struct queue *queue, struct err *err)
{
    for (size_t i = 0; i < SCRIPTS; i++) {
        struct args args = {.count = 0};
        redisReply *reply = NULL;
        enum err_code code;

        args_add(&args, "SCRIPT");
        args_add(&args, "LOAD");
        args_add(&args, scripts[i]);
        code = command(queue, &args, "could not load a script into Redis", &reply, err);
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

/* Runs a script, by its name in Redis, or in full when Redis has forgotten it.  args begin
 * with two free places. */
static enum err_code run(struct queue *queue, enum script script, struct args *args,
                         const char *what, redisReply **ret_reply, struct err *err)
{
    enum err_code code = queue_connect(queue, err);

    if (code)
        return code;
    args->texts[0] = "EVALSHA";
    args->lens[0] = strlen("EVALSHA");
    args->texts[1] = queue->shas[script];
    args->lens[1] = SHA_LEN;
    code = command(queue, args, what, ret_reply, err);
    if (code == ERR_BUSY && strstr(err->msg, "NOSCRIPT")) {
        args->texts[0] = "EVAL";
        args->lens[0] = strlen("EVAL");
        args->texts[1] = scripts[script];
        args->lens[1] = strlen(scripts[script]);
        code = command(queue, args, what, ret_reply, err);
    }
    return code;
}

static struct args script_args(const char *key_count)
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
    code = command(queue, &args, "could not ping Redis", &reply, err);
    if (!code)
        freeReplyObject(reply);
    return code;
}

/* --- claim ------------------------------------------------------------------- */

/* Reads {id, attempts, row, jobs}; takes the reply. */
static enum err_code read_claim(redisReply *reply, struct claim *ret_claim,
                                struct err *err)
{
    const redisReply *id;
    const redisReply *row;
    long long place;
    long long hits;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[2]->type != REDIS_REPLY_STRING ||
        reply->element[3]->type != REDIS_REPLY_ARRAY) {
        freeReplyObject(reply);
        return err_set(err, ERR_BUG, "could not claim a batch: strange reply of Redis");
    }
    id = reply->element[0];
    row = reply->element[2];
    *ret_claim = (struct claim){
        .attempts = reply->element[1]->integer,
        .suspect = -1,
        .count = reply->element[3]->elements,
        .reply = reply,
    };
    (void)snprintf(ret_claim->id, sizeof(ret_claim->id), "%s", id->str);
    if (sscanf(row->str, "%lld %lld", &place, &hits) == 2) {
        ret_claim->suspect = place;
        ret_claim->suspect_hits = hits;
    }
    return ERR_OK;
}

static enum err_code run_claim(struct queue *queue, struct claim *ret_claim,
                               struct err *err)
{
    struct args args = script_args("3");
    redisReply *reply = NULL;
    enum err_code code;

    args_add(&args, KEY_QUEUE);
    args_add(&args, BATCH_PREFIX);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, queue->max_text);
    args_add(&args, queue->max_bytes_text);
    code = run(queue, SCRIPT_CLAIM, &args, "could not claim a batch", &reply, err);
    return code ? code : read_claim(reply, ret_claim, err);
}

static enum err_code run_fill(struct queue *queue, struct claim *ret_claim,
                              struct err *err)
{
    struct args args = script_args("4");
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    batch_key(key, queue->next_id);
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, queue->max_text);
    args_add(&args, queue->max_bytes_text);
    code = run(queue, SCRIPT_FILL, &args, "could not claim a batch", &reply, err);
    return code ? code : read_claim(reply, ret_claim, err);
}

/* The doorbell: waits for the first job, which moves into the batch in the same step. */
static enum err_code wait_for_job(struct queue *queue, bool *ret_came, struct err *err)
{
    struct args args = {.count = 0};
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    batch_key(key, queue->next_id);
    args_add(&args, "BLMOVE");
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, "RIGHT");
    args_add(&args, "LEFT");
    args_add(&args, queue->wait_text);
    code = command(queue, &args, "could not wait for a job", &reply, err);
    if (code)
        return code;
    *ret_came = reply->type == REDIS_REPLY_STRING;
    freeReplyObject(reply);
    return ERR_OK;
}

enum err_code queue_claim(struct queue *queue, struct claim *ret_claim, struct err *err)
{
    bool came = false;
    enum err_code code = run_claim(queue, ret_claim, err);

    if (code)
        return code;
    if (ret_claim->count == 0) {
        code = wait_for_job(queue, &came, err);
        if (code == ERR_BUSY) { /* full: BLMOVE is refused, the script is not */
            ret_claim->must_pause = true;
            return ERR_OK;
        }
        if (!code && !came)
            return ERR_OK;
        queue_drop_claim(ret_claim);
        if (code)
            return code;
        code = run_fill(queue, ret_claim, err);
        if (code)
            return code;
    }
    if (strcmp(ret_claim->id, queue->next_id) == 0 || came)
        new_text_id(queue->next_id); /* an id is used once */
    return ERR_OK;
}

void queue_drop_claim(struct claim *claim)
{
    if (claim->reply)
        freeReplyObject(claim->reply);
    *claim = (struct claim){.suspect = -1};
}

const char *claim_job(const struct claim *claim, size_t place, size_t *ret_len)
{
    const redisReply *job = claim->reply->element[3]->element[place];

    *ret_len = job->len;
    return job->str;
}

/* --- the life of a batch ------------------------------------------------------- */

/* Runs a script whose reply is a number. */
static enum err_code run_number(struct queue *queue, enum script script,
                                struct args *args, const char *what, int64_t *ret_number,
                                struct err *err)
{
    redisReply *reply = NULL;
    enum err_code code = run(queue, script, args, what, &reply, err);

    if (code)
        return code;
    *ret_number = reply->integer;
    freeReplyObject(reply);
    return ERR_OK;
}

enum err_code queue_ack(struct queue *queue, const char *id, size_t stored,
                        int64_t *ret_total, struct err *err)
{
    struct args args = script_args("4");
    char key[KEY_MAX];
    char count[NUMBER_MAX];

    batch_key(key, id);
    (void)snprintf(count, sizeof(count), "%zu", stored);
    args_add(&args, key);
    args_add(&args, KEY_COMPLETED);
    args_add(&args, id);
    args_add(&args, count);
    return run_number(queue, SCRIPT_ACK, &args, "could not acknowledge a batch",
                      ret_total, err);
}

enum err_code queue_hand_back(struct queue *queue, const char *id, const char *owner,
                              struct err *err)
{
    struct args args = script_args("3");
    char key[KEY_MAX];
    int64_t ignored;

    batch_key(key, id);
    args_add(&args, key);
    args_add(&args, id);
    args_add(&args, owner);
    return run_number(queue, SCRIPT_HAND_BACK, &args, "could not hand a batch back",
                      &ignored, err);
}

void queue_forget_next(struct queue *queue)
{
    struct err ignored;

    /* When it fails the lease ends by itself. */
    if (queue->context && queue_hand_back(queue, queue->next_id, queue->owner, &ignored))
        disconnect(queue);
}

enum err_code queue_renew(struct queue *queue, const char *id, const char *owner,
                          bool *ret_is_owned, struct err *err)
{
    struct args args = script_args("2");
    int64_t is_owned = 0;
    enum err_code code;

    args_add(&args, id);
    args_add(&args, owner);
    args_add(&args, queue->lease_text);
    code =
        run_number(queue, SCRIPT_RENEW, &args, "could not renew a lease", &is_owned, err);
    if (!code)
        *ret_is_owned = is_owned == 1;
    return code;
}

enum err_code queue_note(struct queue *queue, const char *id, const char *reason,
                         struct err *err)
{
    struct args args = script_args("3");
    char key[KEY_MAX];
    int64_t ignored;

    batch_key(key, id);
    args_add(&args, key);
    args_add(&args, id);
    args_add(&args, reason);
    return run_number(queue, SCRIPT_NOTE, &args, "could not note a failure", &ignored,
                      err);
}

enum err_code queue_mark(struct queue *queue, const char *id, size_t place,
                         struct err *err)
{
    struct args args = script_args("2");
    char text[NUMBER_MAX];
    int64_t ignored;

    (void)snprintf(text, sizeof(text), "%zu", place);
    args_add(&args, id);
    args_add(&args, text);
    return run_number(queue, SCRIPT_MARK, &args, "could not mark a job", &ignored, err);
}

/* --- batches without a lease ----------------------------------------------------- */

static enum err_code adopt(struct queue *queue, const char *key, size_t *found,
                           struct err *err)
{
    struct args args = script_args("3");
    int64_t is_new = 0;
    enum err_code code;

    if (strlen(key) > sizeof(BATCH_PREFIX) - 1 + QUEUE_ID_MAX)
        return ERR_OK; /* not one of ours */
    args_add(&args, key);
    args_add(&args, key + sizeof(BATCH_PREFIX) - 1);
    args_add(&args, queue->lease_text);
    code =
        run_number(queue, SCRIPT_ADOPT, &args, "could not adopt a batch", &is_new, err);
    if (!code && is_new == 1)
        (*found)++;
    return code;
}

/* One SCAN; cursor is brought up to date, "0" after the last. */
static enum err_code scan(struct queue *queue, char cursor[NUMBER_MAX],
                          redisReply **ret_reply, struct err *err)
{
    struct args args = {.count = 0};
    enum err_code code;

    args_add(&args, "SCAN");
    args_add(&args, cursor);
    args_add(&args, "MATCH");
    args_add(&args, BATCH_PREFIX "*");
    args_add(&args, "COUNT");
    args_add(&args, "1000");
    code = command(queue, &args, "could not look for batches", ret_reply, err);
    if (!code && ((*ret_reply)->elements != 2 ||
                  (*ret_reply)->element[1]->type != REDIS_REPLY_ARRAY)) {
        freeReplyObject(*ret_reply);
        return err_set(err, ERR_BUG, "could not look for batches: strange reply");
    }
    if (!code)
        (void)snprintf(cursor, NUMBER_MAX, "%s", (*ret_reply)->element[0]->str);
    return code;
}

enum err_code queue_adopt_orphans(struct queue *queue, size_t *ret_found, struct err *err)
{
    char cursor[NUMBER_MAX] = "0";
    size_t found = 0;
    enum err_code code = queue_connect(queue, err);

    while (!code) {
        redisReply *reply = NULL;

        code = scan(queue, cursor, &reply, err);
        if (code)
            break;
        for (size_t i = 0; i < reply->element[1]->elements && !code; i++)
            code = adopt(queue, reply->element[1]->element[i]->str, &found, err);
        freeReplyObject(reply);
        if (strcmp(cursor, "0") == 0)
            break;
    }
    *ret_found = found;
    return code;
}
