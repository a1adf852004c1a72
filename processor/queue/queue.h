/* queue.h -- the queue in Redis, as a worker sees it: claim, acknowledge, hand back.
 *
 *   {events}:queue        list of jobs, pushed on the left, taken from the right
 *   {events}:batch:<id>   list of the jobs of one batch; it never changes once sealed
 *   {events}:leases       zset: batch id by the end of its lease (Redis TIME, ms)
 *   {events}:attempts     hash: <id> how often it was begun, from when it is sealed,
 *                         <id>:owner by whom,
 *                         <id>:error why it failed last, <id>:row see queue_mark()
 *   {events}:completed    how many jobs were stored
 *
 * A job is always in the queue or in a batch, and every step is one atomic command or
 * script, so no crash loses one.  A batch whose lease has ended is claimed by the first
 * worker that sees it; what its old owner then asks for is refused.
 *
 * A queue belongs to one thread.  It connects when it is used, and again after a failure.
 */
#ifndef PROCESSOR_QUEUE_QUEUE_H
#define PROCESSOR_QUEUE_QUEUE_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/redis/url.h"
#include "shared/text/uuid.h"

enum {
    QUEUE_ID_MAX = 63,        /* of a batch id; ours have UUID_TEXT_LEN */
    QUEUE_CURSOR_MAX = 24,    /* Redis's SCAN goes on there */
    QUEUE_WAIT_MAX_MS = 1000, /* for the first job; less with a short lease */
    QUEUE_READ_JOBS = 200     /* in one step, so that Redis is not kept from others */
};

struct queue_options {
    const struct redis_url *url; /* copied */
    int64_t timeout_ms;          /* to connect, and for each command */
    int64_t lease_ms;
    int64_t batch_max;
    int64_t batch_max_bytes;
};

struct processor_conf;
struct queue; /* opaque */

/* What was claimed; count is 0 when there was nothing. */
struct claim {
    char id[QUEUE_ID_MAX + 1];
    int64_t attempts;     /* 1 the first time; more: its worker was lost; 0: not sealed */
    int64_t suspect;      /* place of the job that the last worker marked; -1: none */
    int64_t suspect_hits; /* how many workers marked that job */
    size_t count;
    bool is_large;   /* half as many as may be taken at least, so there may be more */
    bool must_pause; /* there was nothing, and Redis could not be waited at */
    /* The jobs in pieces of QUEUE_READ_JOBS; owned: queue_drop_claim(). */
    redisReply **pieces; /* each an array of texts */
    size_t piece_count;
};

/* NULL when out of memory. */
struct queue *queue_new(const struct queue_options *options) MUST_CHECK;

/* The same with the options that the settings say.  NULL when out of memory. */
struct queue *queue_of_conf(const struct processor_conf *conf,
                            const struct redis_url *url) MUST_CHECK;

void queue_free(struct queue *queue);

/* The token by which Redis knows this queue's claims; NUL-terminated. */
const char *queue_owner(const struct queue *queue);

/* Connects unless it is connected. */
enum err_code queue_connect(struct queue *queue, struct err *err) MUST_CHECK;

/* ERR_OK when Redis answers. */
enum err_code queue_ping(struct queue *queue, struct err *err) MUST_CHECK;

/* Claims a batch whose lease has ended, or else jobs of the queue; waits a moment (at most
 * QUEUE_WAIT_MAX_MS) when there is nothing. */
enum err_code queue_claim(struct queue *queue, struct claim *ret_claim,
                          struct err *err) MUST_CHECK;
void queue_drop_claim(struct claim *claim);

/* The bytes of a job of the claim; not NUL-terminated, borrowed. */
const char *claim_job(const struct claim *claim, size_t place, size_t *ret_len);

/* Removes the batch, of which `jobs` were claimed, and counts those that were stored.
 * *ret_total is the count of all jobs ever completed, these included, or -1 when the batch
 * was gone already. */
enum err_code queue_ack(struct queue *queue, const char *id, size_t jobs, size_t stored,
                        int64_t *ret_total, struct err *err) MUST_CHECK;

/* Ends the lease, so that the next one who looks takes the batch over.  Nothing happens
 * when owner (queue_owner() of the one who claimed it) does not own it. */
enum err_code queue_hand_back(struct queue *queue, const char *id, const char *owner,
                              struct err *err) MUST_CHECK;

/* Moves the end of the lease.  *ret_is_owned is false when somebody else has the batch. */
enum err_code queue_renew(struct queue *queue, const char *id, const char *owner,
                          bool *ret_is_owned, struct err *err) MUST_CHECK;

/* At the end: the same for the claim that is in preparation and has no jobs, and for one of
 * which it is not known what Redis made. */
void queue_leave(struct queue *queue);

/* Notes why the batch failed, for people. */
enum err_code queue_note(struct queue *queue, const char *id, const char *reason,
                         struct err *err) MUST_CHECK;

/* Notes that the job at this place is about to be run alone, and how many workers have
 * noted that of it in a row; hits 0 takes the note back. */
enum err_code queue_mark(struct queue *queue, const char *id, size_t place, int64_t hits,
                         struct err *err) MUST_CHECK;

/* A job to be pushed; the bytes are borrowed. */
struct queue_job {
    const char *bytes;
    size_t len;
};

/* Puts jobs into the queue, after all that wait, in one step.  After ERR_TIMEOUT or
 * ERR_UNAVAILABLE it is not known whether they are in it. */
enum err_code queue_push(struct queue *queue, const struct queue_job *jobs, size_t count,
                         struct err *err) MUST_CHECK;

/* Gives a lease to every batch that has none, as a failover of Redis may leave some.
 * Goes on where cursor says, "" being the beginning, for about max_ms; cursor is "" again
 * after the last, and after a failure.  *ret_found is how many there were. */
enum err_code queue_adopt_orphans(struct queue *queue, char cursor[QUEUE_CURSOR_MAX],
                                  int64_t max_ms, size_t *ret_found,
                                  struct err *err) MUST_CHECK;

#endif
