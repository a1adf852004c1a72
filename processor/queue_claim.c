/* queue_claim.c -- how jobs become a batch of a lane's; see queue.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/queue.h"
#include "processor/queue_parts.h"

enum {
    HITS_MAX = 1000 /* more workers than any job has cost */
};

/* Whether the reply is {id, attempts, row, jobs}. */
static bool is_claim(const redisReply *reply)
{
    const redisReply *jobs;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 4 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_INTEGER ||
        reply->element[2]->type != REDIS_REPLY_STRING ||
        reply->element[3]->type != REDIS_REPLY_ARRAY)
        return false;
    jobs = reply->element[3];
    for (size_t i = 0; i < jobs->elements; i++)
        if (jobs->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

/* Takes the reply. */
static enum err_code read_claim(struct queue *queue, redisReply *reply,
                                struct claim *ret_claim, struct err *err)
{
    const redisReply *id;
    const redisReply *row;
    long long place;
    char *end;

    if (!is_claim(reply))
        return queue_strange(queue, reply, "could not claim a batch", err);
    id = reply->element[0];
    row = reply->element[2];
    *ret_claim = (struct claim){
        .attempts = reply->element[1]->integer,
        .suspect = -1,
        .count = reply->element[3]->elements,
        .reply = reply,
    };
    (void)snprintf(ret_claim->id, sizeof(ret_claim->id), "%s", id->str);
    place = strtoll(row->str, &end, 10);
    if (end != row->str && *end == ' ') { /* our own script's "<place> <hits>" */
        ret_claim->suspect = place;
        ret_claim->suspect_hits = strtoll(end, NULL, 10);
        if (ret_claim->suspect_hits > HITS_MAX)
            ret_claim->suspect_hits = HITS_MAX; /* one is added to it */
    }
    return ERR_OK;
}

/* Whether Redis made a batch of this id is not known.  The id is not used again, or its
 * lease would be renewed by each further claim and its jobs never be taken over. */
static void doubt_next(struct queue *queue)
{
    if (queue->unsure_id[0] == '\0')
        memcpy(queue->unsure_id, queue->next_id, sizeof(queue->unsure_id));
    queue_new_id(queue->next_id);
}

static enum err_code run_claim(struct queue *queue, struct claim *ret_claim,
                               struct err *err)
{
    struct args args = queue_script_args("3");
    redisReply *reply = NULL;
    enum err_code code;

    args_add(&args, KEY_QUEUE);
    args_add(&args, BATCH_PREFIX);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, queue->max_text);
    args_add(&args, queue->max_bytes_text);
    args_add(&args, queue->unsure_id);
    code = queue_run(queue, SCRIPT_CLAIM, &args, "could not claim a batch", &reply, err);
    return code ? code : read_claim(queue, reply, ret_claim, err);
}

enum err_code queue_claim_begin(struct queue *queue, struct claim *ret_claim,
                                struct err *err)
{
    enum err_code code = run_claim(queue, ret_claim, err);

    if (code) {
        doubt_next(queue);
        return code;
    }
    queue->unsure_id[0] = '\0';
    if (ret_claim->count > 0 && strcmp(ret_claim->id, queue->next_id) == 0)
        queue_new_id(queue->next_id); /* an id is used once */
    return ERR_OK;
}

enum err_code queue_claim_fill(struct queue *queue, struct claim *ret_claim,
                               struct err *err)
{
    struct args args = queue_script_args("4");
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    queue_batch_key(key, queue->next_id);
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, queue->max_text);
    args_add(&args, queue->max_bytes_text);
    code = queue_run(queue, SCRIPT_FILL, &args, "could not claim a batch", &reply, err);
    if (!code)
        code = read_claim(queue, reply, ret_claim, err);
    if (code)
        doubt_next(queue);
    else
        queue_new_id(queue->next_id); /* also when somebody else has the batch by now */
    return code;
}

enum err_code queue_claim_wait(struct queue *queue, bool *ret_came, struct err *err)
{
    struct args args = {.count = 0};
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    queue_batch_key(key, queue->next_id);
    args_add(&args, "BLMOVE");
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, "RIGHT");
    args_add(&args, "LEFT");
    args_add(&args, queue->wait_text);
    code = queue_command(queue, &args, "could not wait for a job", &reply, err);
    if (code && code != ERR_BUSY) /* which is a refusal: nothing was moved */
        doubt_next(queue);
    if (code)
        return code;
    *ret_came = reply->type == REDIS_REPLY_STRING;
    if (!*ret_came && reply->type != REDIS_REPLY_NIL) {
        doubt_next(queue);
        return queue_strange(queue, reply, "could not wait for a job", err);
    }
    freeReplyObject(reply);
    return ERR_OK;
}

enum err_code queue_claim(struct queue *queue, struct claim *ret_claim, struct err *err)
{
    bool came = false;
    enum err_code code = queue_claim_begin(queue, ret_claim, err);

    if (code || ret_claim->count > 0)
        return code;
    code = queue_claim_wait(queue, &came, err);
    if (code == ERR_BUSY) { /* full: BLMOVE is refused, the script is not */
        ret_claim->must_pause = true;
        return ERR_OK;
    }
    if (!code && !came)
        return ERR_OK;
    queue_drop_claim(ret_claim);
    return code ? code : queue_claim_fill(queue, ret_claim, err);
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
