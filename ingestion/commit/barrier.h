/* barrier.h -- groups whose reply counts only once Redis has written them to its file.
 *
 * With `appendfsync everysec` Redis does not always write a command to its append-only
 * file before it answers: while the fsync of the last second is under way it postpones the
 * write, for up to two seconds.  A Redis that is killed then has lost events that it had
 * confirmed.  So an INFO follows each group: when that says that no fsync is under
 * way (aof_pending_bio_fsync:0), Redis writes everything up to it before it sends the
 * reply, and the reply to the group may be believed.  Otherwise the group is held, and INFO
 * asked again until it says so, and once more: what was put off is more than the group, and
 * the write may have failed (a full disk), which INFO says afterwards.  With a spool the
 * group meanwhile goes into a file of it (stopgap.h), and is as safe there, so that its
 * reply need not wait for Redis's disk.
 *
 * Both commands travel in one write, and a group is many events, so this costs little.
 *
 * Belongs to one loop.
 */
#ifndef INGESTION_COMMIT_BARRIER_H
#define INGESTION_COMMIT_BARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"
#include "shared/redis/uv.h"

struct barrier; /* opaque */
struct group;
struct loop_metrics;
struct spool_files;

struct barrier_options {
    struct redis_uv *redis;        /* borrowed, as all of these */
    struct spool_files *spool_dir; /* NULL: no stopgap */
    struct loop_metrics *metrics;  /* of the stopgap */
    size_t group_max_bytes;        /* likewise */
    bool is_on;                    /* false: replies are passed on as they come */
    int64_t hold_max_ms;           /* a write that is put off for longer is unknown */
};

/* ERR_NOMEM. */
enum err_code barrier_start(uv_loop_t *loop, const struct barrier_options *options,
                            struct barrier **ret_barrier, struct err *err) MUST_CHECK;

/* Answers everyone, waits for the stopgap and frees it.  Stop the connection first. */
void barrier_stop(struct barrier *barrier, void (*on_stopped)(void *user), void *user);

/* Sends the group as redis_uv_send() does; fn's user is the group, which stays as it is
 * until then.  An error reply is passed on at once; NULL, the outcome is unknown, also when
 * the connection is lost after the reply but before the group was safe.  is_spooled: it
 * comes from the spool, and stands there until it is confirmed. */
enum err_code barrier_send(struct barrier *barrier, struct group *group, bool is_spooled,
                           redis_uv_reply_fn fn) MUST_CHECK;

#endif
