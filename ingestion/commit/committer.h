/* committer.h -- group commit: from waiting requests to the Redis list, or to the spool.
 *
 * Each event that is taken waits in the group being filled.  At the end of a
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

#include "ingestion/commit/group.h"
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
    struct redis_uv *redis;       /* borrowed; must outlive the last call */
    struct breaker *breaker;      /* likewise */
    struct spool_writer *spool;   /* likewise; NULL: none */
    struct loop_metrics *metrics; /* borrowed likewise */
    int64_t timeout_ms;           /* a request is answered inside it */
    int64_t group_max_events;
    int64_t groups_in_flight;
    int64_t group_linger_ms; /* linger.h; 0: no group waits for more */
    int64_t spin_us;         /* after a group the loop does not sleep for so long */
    int64_t pending_max_bytes;
    size_t group_max_bytes; /* of the jobs of a group: more than a request brings */
};

/* ERR_NOMEM */
enum err_code committer_start(uv_loop_t *loop, const struct committer_options *options,
                              struct committer **ret_committer,
                              struct err *err) MUST_CHECK;

/* Sends and writes nothing any more.  What is under way is still answered. */
void committer_quiesce(struct committer *committer);

/* Answers 503 to whoever still waits, then calls on_stopped once; freed then.  Neither
 * Redis nor the spool may answer any more: stop them first. */
void committer_stop(struct committer *committer, void (*on_stopped)(void *user),
                    void *user);

/* The events of one request, between committer_begin() and committer_finish() or
 * committer_take_back(), all of them in one turn of the loop.  They go into the group that is
 * being filled; when that becomes too large, into one of their own, which may have more than
 * GROUP_MAX_EVENTS. */
struct delivery {
    struct group *group; /* borrowed */
    struct group_mark mark;
};

/* Begins with the events of a request.
 *
 * ERR_BUSY   too much waits already: the caller answers 503
 * ERR_NOMEM  likewise */
enum err_code committer_begin(struct committer *committer,
                              struct delivery *ret_delivery) MUST_CHECK;

/* Adds an event.  On failure the delivery is unchanged: take it back.  Errors as
 * committer_begin(). */
enum err_code committer_add(struct committer *committer, struct delivery *delivery,
                            const struct event *event) MUST_CHECK;

/* Forgets the events. */
void committer_take_back(struct delivery *delivery);

/* Holds req until all of its events, one at least, are safe or none is known to be; then it
 * gets this answer with 200, which is taken over, or 503.  NULL: the plain 200.  ERR_NOMEM,
 * and the events are taken back. */
enum err_code committer_finish(struct committer *committer, struct delivery *delivery,
                               struct http_request *req, char *answer,
                               size_t answer_len) MUST_CHECK;

/* All of it for a single event, answered with the plain 200. */
enum err_code committer_push(struct committer *committer, const struct event *event,
                             struct http_request *req) MUST_CHECK;

/* Whether committer_begin() would refuse a request at once. */
bool committer_is_full(const struct committer *committer);

/* Whether there is a spool that takes events while Redis does not. */
bool committer_has_spool(const struct committer *committer);

/* Sends what may be sent.  Call at the end of each turn. */
void committer_flush(struct committer *committer);

#endif
