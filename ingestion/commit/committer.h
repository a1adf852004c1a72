/* committer.h -- group commit: from waiting requests to the Redis list, or to the spool.
 *
 * Each event that committer_push() takes waits in the group being filled.  At the end of a
 * turn of the loop committer_flush() sends that group as one LPUSH, unless as many groups as
 * may be are under way already; then it goes on growing until one of them is confirmed.
 * So a lone event is sent at once, and under load groups grow by themselves.  While Redis
 * is slow a group also waits for the clients that were just answered (linger.h).
 *
 *   push -> [FILLING] -flush-> [SENT] -confirmed-> every request answered 200
 *            |     ^              |
 *            |     +--------------+- connection lost: nobody knows what became of it
 *            |     +--------------+- Redis refused it (without a spool: 503)
 *            |     +- failed -+
 *            |                |
 *            +- no way -> [SPOOLING] -on the disk-> every request answered 200
 *
 * There is "no way" while Redis is gone for longer than a moment, refuses events, or has
 * QUEUE_MAX_EVENTS (breaker.h), and for a group that has waited for a good part of its time.
 * Without a spool, or while that is full or its disk fails, groups wait for Redis; over
 * the cap they are refused at once.
 *
 * Sending a group a second time is harmless, because every event has its event_id.  A
 * request is answered 503 shortly before its time is up, whatever state its group is in.
 *
 * Belongs to one loop.
 */
#ifndef INGESTION_COMMIT_COMMITTER_H
#define INGESTION_COMMIT_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct barrier;
struct event;
struct breaker;
struct http_request;
struct loop_metrics;
struct committer; /* opaque */
struct redis_uv;
struct spool_writer;

struct committer_options {
    struct barrier *barrier;      /* borrowed likewise */
    struct redis_uv *redis;       /* borrowed; must outlive the queue's last call */
    struct breaker *breaker;      /* likewise */
    struct spool_writer *spool;   /* likewise; NULL: none */
    struct loop_metrics *metrics; /* borrowed likewise */
    int64_t timeout_ms;           /* a request is answered inside it */
    int64_t group_max_events;
    int64_t groups_in_flight;
    int64_t group_linger_ms; /* linger.h; 0: no group waits for more */
    int64_t spin_us;         /* after a group the loop does not sleep for so long */
    int64_t pending_max_bytes;
};

/* ERR_NOMEM */
enum err_code committer_start(uv_loop_t *loop, const struct committer_options *options,
                              struct committer **ret_queue, struct err *err) MUST_CHECK;

/* Sends and writes nothing any more.  What is under way is still answered. */
void committer_quiesce(struct committer *committer);

/* Answers 503 to whoever still waits, then calls on_stopped once; freed then.  Neither
 * Redis nor the spool may answer any more: stop them first. */
void committer_stop(struct committer *committer, void (*on_stopped)(void *user),
                    void *user);

/* Takes the event for req and holds req until it is answered.
 *
 * ERR_BUSY   too much waits already: the caller answers 503
 * ERR_NOMEM  likewise */
enum err_code committer_push(struct committer *committer, const struct event *event,
                             struct http_request *req) MUST_CHECK;

/* Whether committer_push() would refuse an event at once. */
bool committer_is_full(const struct committer *committer);

/* Whether there is a spool that takes events while Redis does not. */
bool committer_has_spool(const struct committer *committer);

/* Sends what may be sent.  Call at the end of each turn. */
void committer_flush(struct committer *committer);

#endif
