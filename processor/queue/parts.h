/* parts.h -- what the files of processor/queue share; for these only. */
#ifndef PROCESSOR_QUEUE_PARTS_H
#define PROCESSOR_QUEUE_PARTS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "processor/queue/queue.h"
#include "shared/redis/keys.h"

enum {
    SHA_LEN = 40,
    KEY_MAX = sizeof(KEY_BATCH_PREFIX) + QUEUE_ID_MAX,
    NUMBER_MAX = 24,
    ARGS_MAX = 16,
};

enum script {
    SCRIPT_CLAIM,
    SCRIPT_ASK,
    SCRIPT_FILL,
    SCRIPT_SEAL,
    SCRIPT_ACK,
    SCRIPT_HAND_BACK,
    SCRIPT_RENEW,
    SCRIPT_NOTE,
    SCRIPT_MARK,
    SCRIPT_ADOPT,
    SCRIPTS
};

/* The texts of the scripts, made from lua/ by cmake/embed.cmake. */
extern const char *const queue_scripts[SCRIPTS];

struct queue {
    struct redis_url url;
    int64_t timeout_ms;
    char wait_text[NUMBER_MAX]; /* seconds, for BLMOVE */
    int64_t lease_ms;
    char lease_text[NUMBER_MAX];
    int64_t batch_max;
    int64_t batch_max_bytes;
    int64_t take_max; /* as many jobs of the size of the last ones fit into a batch */
    redisContext *context; /* owned; NULL: not connected */
    bool was_sent;         /* the last command, as a whole; Redis may have run it */
    char shas[SCRIPTS][SHA_LEN + 1];
    char owner[UUID_TEXT_LEN + 1];
    char next_id[UUID_TEXT_LEN + 1]; /* of the batch that is claimed next */
    /* Of a claim of which an answer was lost: Redis may have made the batch.  "" for none.
     * There is never a second one: nothing is claimed before this one was asked about. */
    char unsure_id[QUEUE_ID_MAX + 1];
};

/* A command under construction; binary-safe, nothing is copied. */
struct args {
    int count;
    const char *texts[ARGS_MAX];
    size_t lens[ARGS_MAX];
};

static inline void args_add(struct args *args, const char *text)
{
    args->texts[args->count] = text;
    args->lens[args->count++] = strlen(text);
}

/* A new batch id. */
void queue_new_id(char out[UUID_TEXT_LEN + 1]);

void queue_batch_key(char out[KEY_MAX], const char *id);

/* Begins the arguments of queue_run(), with two free places in front. */
struct args queue_script_args(const char *key_count);

/* Runs a command of count words; the caller owns *ret_reply, which is no error. */
enum err_code queue_send(struct queue *queue, int count, const char **texts,
                         const size_t *lens, const char *what, redisReply **ret_reply,
                         struct err *err) MUST_CHECK;

/* The same for a struct args. */
enum err_code queue_command(struct queue *queue, struct args *args, const char *what,
                            redisReply **ret_reply, struct err *err) MUST_CHECK;

/* Runs a script, by its name in Redis, or in full when Redis has forgotten it. */
enum err_code queue_run(struct queue *queue, enum script script, struct args *args,
                        const char *what, redisReply **ret_reply,
                        struct err *err) MUST_CHECK;

/* For a reply that cannot be one to what was asked: frees it and drops the connection, on
 * which every answer may belong to the question before.  ERR_UNAVAILABLE. */
enum err_code queue_strange(struct queue *queue, redisReply *reply, const char *what,
                            struct err *err);

/* The same as queue_run() for a script whose reply is a number. */
enum err_code queue_run_number(struct queue *queue, enum script script, struct args *args,
                               const char *what, int64_t *ret_number,
                               struct err *err) MUST_CHECK;

/* The steps of queue_claim(), apart for the test that stops between them.
 *
 *   [IDLE] --begin: a batch that was sealed, its lease has ended--> [SEALED] --read--> claimed
 *    ^ ^ |                                                                              ^
 *    | | |                                                                              | seal
 *    | | +---begin: jobs of the queue, or a batch not yet sealed--> [OPEN] --read--> [READ]
 *    | | |                                                            ^
 *    | | |                                                            | fill
 *    | | +---begin: nothing--> [LEASED] --wait: a job has come---> [BEGUN]
 *    | |                          |
 *    | +-----wait: none came------+
 *    |
 *   [IN DOUBT] <-- the answer to any of these was lost: the next begin first asks what Redis
 *                  made of it, and nothing else is claimed before
 *
 * A batch with its lease is there from LEASED on, so whatever it holds when its worker dies is
 * claimed by another one when the lease has ended.
 *
 * begin  what is in doubt, a batch whose lease has ended, or jobs of the queue; count 0:
 *        there is nothing
 * wait   the doorbell: the first job that comes moves into the batch in the same step;
 *        ERR_BUSY when Redis is full
 * fill   takes the batch that the doorbell began, and more jobs for it; count 0: somebody
 *        else has it by now
 * read   fetches the jobs: all, or of a batch that is not sealed as many as may be kept
 * seal   gives back what was not read; count 0: somebody else has the batch by now.  For a
 *        batch that is sealed it does nothing */
enum err_code queue_claim_begin(struct queue *queue, struct claim *ret_claim,
                                struct err *err) MUST_CHECK;
enum err_code queue_claim_wait(struct queue *queue, bool *ret_came,
                               struct err *err) MUST_CHECK;
enum err_code queue_claim_fill(struct queue *queue, struct claim *ret_claim,
                               struct err *err) MUST_CHECK;
enum err_code queue_claim_read(struct queue *queue, struct claim *claim,
                               struct err *err) MUST_CHECK;
enum err_code queue_claim_seal(struct queue *queue, struct claim *claim,
                               struct err *err) MUST_CHECK;

#endif
