/* claim.c -- how jobs become a batch of a worker's; see queue.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/queue/parts.h"
#include "processor/queue/queue.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"

/* --- taking ----------------------------------------------------------------- */

enum {
    HITS_MAX = 1000 /* more workers than any job has cost */
};

/* Whether the reply is {id, attempts, row, jobs}. */
static bool is_taken(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 4 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[1]->type == REDIS_REPLY_INTEGER &&
           reply->element[2]->type == REDIS_REPLY_STRING &&
           reply->element[3]->type == REDIS_REPLY_INTEGER &&
           reply->element[1]->integer >= 0 && reply->element[3]->integer >= 0;
}

/* Takes the reply. */
static enum err_code read_taken(struct queue *queue, redisReply *reply,
                                struct claim *ret_claim, struct err *err)
{
    const redisReply *row;
    long long place;
    char *end;

    if (!is_taken(reply))
        return queue_strange(queue, reply, "could not claim a batch", err);
    row = reply->element[2];
    *ret_claim = (struct claim){
        .attempts = reply->element[1]->integer,
        .suspect = -1,
        .count = (size_t)reply->element[3]->integer,
    };
    (void)snprintf(ret_claim->id, sizeof(ret_claim->id), "%s", reply->element[0]->str);
    place = strtoll(row->str, &end, 10);
    if (end != row->str && *end == ' ') { /* our own script's "<place> <hits>" */
        ret_claim->suspect = place;
        ret_claim->suspect_hits = strtoll(end, NULL, 10);
        if (ret_claim->suspect_hits > HITS_MAX)
            ret_claim->suspect_hits = HITS_MAX; /* one is added to it */
    }
    freeReplyObject(reply);
    return ERR_OK;
}

/* What Redis made of a claim of this id is not known: it is asked about first. */
static void doubt(struct queue *queue, const char *id)
{
    (void)snprintf(queue->unsure_id, sizeof(queue->unsure_id), "%s", id);
}

/* The id is not used again, or its lease would be renewed by each further claim and its
 * jobs never be taken over. */
static void doubt_next(struct queue *queue)
{
    doubt(queue, queue->next_id);
    queue_new_id(queue->next_id);
}

/* Of a claim, as texts. */
struct limits {
    char jobs[NUMBER_MAX];
    char bytes[NUMBER_MAX];
};

static struct limits limits_of(const struct queue *queue)
{
    struct limits limits;

    (void)snprintf(limits.jobs, NUMBER_MAX, "%" PRId64, queue->take_max);
    (void)snprintf(limits.bytes, NUMBER_MAX, "%" PRId64, queue->batch_max_bytes);
    return limits;
}

static enum err_code run_claim(struct queue *queue, struct claim *ret_claim,
                               struct err *err)
{
    struct args args = queue_script_args("3");
    struct limits limits = limits_of(queue);
    redisReply *reply = NULL;
    enum err_code code;

    args_add(&args, KEY_QUEUE);
    args_add(&args, KEY_BATCH_PREFIX);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, limits.jobs);
    args_add(&args, limits.bytes);
    code = queue_run(queue, SCRIPT_CLAIM, &args, "could not claim a batch", &reply, err);
    return code ? code : read_taken(queue, reply, ret_claim, err);
}

/* Settles what is in doubt.  It stays in doubt when this answer is lost too, and nothing
 * new is claimed before: so there is never more than one. */
static enum err_code ask(struct queue *queue, struct claim *ret_claim, struct err *err)
{
    struct args args = queue_script_args("3");
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    queue_batch_key(key, queue->unsure_id);
    args_add(&args, key);
    args_add(&args, queue->unsure_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    code = queue_run(queue, SCRIPT_ASK, &args, "could not ask for a batch", &reply, err);
    if (!code)
        code = read_taken(queue, reply, ret_claim, err);
    if (!code)
        queue->unsure_id[0] = '\0';
    return code;
}

enum err_code queue_claim_begin(struct queue *queue, struct claim *ret_claim,
                                struct err *err)
{
    enum err_code code;

    if (queue->unsure_id[0] != '\0') {
        code = ask(queue, ret_claim, err);
        if (code || ret_claim->count > 0)
            return code;
    }
    code = run_claim(queue, ret_claim, err);
    if (code && queue->was_sent)
        doubt_next(queue);
    if (code)
        return code;
    if (ret_claim->count > 0 && strcmp(ret_claim->id, queue->next_id) == 0)
        queue_new_id(queue->next_id); /* an id is used once */
    return ERR_OK;
}

enum err_code queue_claim_fill(struct queue *queue, struct claim *ret_claim,
                               struct err *err)
{
    struct args args = queue_script_args("4");
    struct limits limits = limits_of(queue);
    char key[KEY_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    queue_batch_key(key, queue->next_id);
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, queue->next_id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, limits.jobs);
    args_add(&args, limits.bytes);
    code = queue_run(queue, SCRIPT_FILL, &args, "could not claim a batch", &reply, err);
    if (!code)
        code = read_taken(queue, reply, ret_claim, err);
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
    if (code && code != ERR_BUSY && queue->was_sent) /* busy: nothing was moved */
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

/* --- reading ---------------------------------------------------------------- */

static bool is_piece(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements > QUEUE_READ_JOBS)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type != REDIS_REPLY_STRING)
            return false;
    return true;
}

/* The jobs from `first` on, QUEUE_READ_JOBS at most; fewer are the last ones. */
static enum err_code read_piece(struct queue *queue, struct claim *claim, size_t first,
                                const redisReply **ret_piece, struct err *err)
{
    struct args args = {.count = 0};
    char key[KEY_MAX];
    char from[NUMBER_MAX];
    char to[NUMBER_MAX];
    redisReply *reply = NULL;
    enum err_code code;

    queue_batch_key(key, claim->id);
    (void)snprintf(from, sizeof(from), "%zu", first);
    (void)snprintf(to, sizeof(to), "%zu", first + QUEUE_READ_JOBS - 1);
    args_add(&args, "LRANGE");
    args_add(&args, key);
    args_add(&args, from);
    args_add(&args, to);
    code = queue_command(queue, &args, "could not read a batch", &reply, err);
    if (code)
        return code;
    if (!is_piece(reply))
        return queue_strange(queue, reply, "could not read a batch", err);
    claim->pieces[claim->piece_count++] = reply;
    *ret_piece = reply;
    return ERR_OK;
}

/* How many jobs of the piece may be kept beside those that came before. */
static size_t fitting_jobs(const struct queue *queue, const redisReply *piece,
                           size_t before, size_t *bytes)
{
    for (size_t i = 0; i < piece->elements; i++) {
        size_t len = piece->element[i]->len;

        if (before + i > 0 && *bytes + len > (size_t)queue->batch_max_bytes)
            return i;
        *bytes += len;
    }
    return piece->elements;
}

/* So that the next batch, if its jobs are like these, has nothing to give back. */
static void learn_size(struct queue *queue, size_t jobs, size_t bytes)
{
    size_t fit = bytes > 0 ? jobs * (size_t)queue->batch_max_bytes / bytes : jobs;

    queue->take_max = fit < (size_t)queue->batch_max ? (int64_t)fit : queue->batch_max;
    if (queue->take_max < 1)
        queue->take_max = 1;
}

/* Makes room for one more piece.  How many there will be is known, but not to be trusted. */
static enum err_code reserve_piece(struct claim *claim, struct err *err)
{
    size_t count = claim->piece_count;
    redisReply **pieces;

    if ((count & (count - 1)) != 0) /* there is room up to the next power of two */
        return ERR_OK;
    pieces = mem_realloc(claim->pieces, (count ? 2 * count : 1) * sizeof(void *));
    if (!pieces)
        return err_set(err, ERR_NOMEM, "out of memory");
    claim->pieces = pieces;
    return ERR_OK;
}

/* While a batch is read nobody else keeps its lease.  Count 0: it is somebody else's. */
static enum err_code keep_lease(struct queue *queue, struct claim *claim,
                                int64_t *renewed_ms, struct err *err)
{
    int64_t now_ms = clock_mono_ms();
    bool is_owned = true;
    enum err_code code = ERR_OK;

    if (now_ms - *renewed_ms > queue->lease_ms / 3) {
        code = queue_renew(queue, claim->id, queue->owner, &is_owned, err);
        *renewed_ms = now_ms;
    }
    if (!is_owned)
        claim->count = 0;
    return code;
}

static enum err_code read_jobs(struct queue *queue, struct claim *claim, struct err *err)
{
    int64_t renewed_ms = clock_mono_ms();
    size_t bytes = 0;
    size_t count = 0;
    size_t fit = QUEUE_READ_JOBS;
    bool was_cut;

    while (count < claim->count && fit == QUEUE_READ_JOBS) {
        const redisReply *piece = NULL;
        enum err_code code = reserve_piece(claim, err);

        if (!code)
            code = keep_lease(queue, claim, &renewed_ms, err);
        if (!code && claim->count == 0)
            return ERR_OK;
        if (!code)
            code = read_piece(queue, claim, count, &piece, err);
        if (code)
            return code;
        assert(piece); /* gcc's and clang's analyzers do not see it */
        fit = claim->attempts > 0 ? piece->elements
                                  : fitting_jobs(queue, piece, count, &bytes);
        count += fit;
    }
    was_cut = claim->attempts == 0 && count < claim->count;
    /* Fewer than were said to be there: somebody has acknowledged the batch meanwhile. */
    claim->count = count;
    if (claim->attempts == 0 && count > 0)
        learn_size(queue, count, bytes);
    claim->is_large = was_cut || count >= (size_t)queue->take_max / 2;
    return ERR_OK;
}

enum err_code queue_claim_read(struct queue *queue, struct claim *claim, struct err *err)
{
    enum err_code code = read_jobs(queue, claim, err);

    if (code)
        doubt(queue, claim->id);
    return code;
}

enum err_code queue_claim_seal(struct queue *queue, struct claim *claim, struct err *err)
{
    struct args args = queue_script_args("4");
    char key[KEY_MAX];
    char kept[NUMBER_MAX];
    enum err_code code;

    if (claim->attempts > 0 || claim->count == 0)
        return ERR_OK;
    queue_batch_key(key, claim->id);
    (void)snprintf(kept, sizeof(kept), "%zu", claim->count);
    args_add(&args, KEY_QUEUE);
    args_add(&args, key);
    args_add(&args, claim->id);
    args_add(&args, queue->owner);
    args_add(&args, queue->lease_text);
    args_add(&args, kept);
    code = queue_run_number(queue, SCRIPT_SEAL, &args, "could not seal a batch",
                            &claim->attempts, err);
    if (code)
        doubt(queue, claim->id);
    else if (claim->attempts < 1)
        claim->count = 0;
    return code;
}

/* --- all of it -------------------------------------------------------------- */

/* A batch, or count 0. */
static enum err_code take(struct queue *queue, struct claim *claim, struct err *err)
{
    bool came = false;
    enum err_code code = queue_claim_begin(queue, claim, err);

    if (code || claim->count > 0)
        return code;
    code = queue_claim_wait(queue, &came, err);
    if (code == ERR_BUSY) { /* full: BLMOVE is refused, the script is not */
        claim->must_pause = true;
        return ERR_OK;
    }
    if (code || !came)
        return code;
    return queue_claim_fill(queue, claim, err);
}

enum err_code queue_claim(struct queue *queue, struct claim *ret_claim, struct err *err)
{
    enum err_code code = take(queue, ret_claim, err);

    if (code || ret_claim->count == 0)
        return code;
    code = FAILPOINT("queue.taken", err);
    if (!code)
        code = queue_claim_read(queue, ret_claim, err);
    if (!code)
        code = FAILPOINT("queue.read", err);
    if (!code)
        code = queue_claim_seal(queue, ret_claim, err);
    if (code)
        doubt(queue, ret_claim->id);
    return code;
}

void queue_drop_claim(struct claim *claim)
{
    for (size_t i = 0; i < claim->piece_count; i++)
        freeReplyObject(claim->pieces[i]);
    mem_free(claim->pieces);
    *claim = (struct claim){.suspect = -1};
}

const char *claim_job(const struct claim *claim, size_t place, size_t *ret_len)
{
    const redisReply *job =
        claim->pieces[place / QUEUE_READ_JOBS]->element[place % QUEUE_READ_JOBS];

    *ret_len = job->len;
    return job->str;
}
