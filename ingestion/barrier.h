/* barrier.h -- commands whose reply counts only once Redis has written them to its file.
 *
 * With `appendfsync everysec` Redis does not always write a command to its append-only
 * file before it answers: while the fsync of the last second is under way it postpones the
 * write, for up to two seconds.  A Redis that is killed then has lost events that it had
 * confirmed.  So behind each command goes an INFO: when that says that no fsync is under
 * way (aof_pending_bio_fsync:0), Redis writes everything up to it before it sends the
 * reply, and the reply to the command may be believed.  Otherwise INFO is asked again until
 * it says so.
 *
 * Both travel in one write, and a command carries a whole group, so this costs little.
 *
 * Belongs to one loop.
 */
#ifndef INGESTION_BARRIER_H
#define INGESTION_BARRIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/err.h"
#include "shared/redis_uv.h"

struct barrier; /* opaque */

struct barrier_options {
    struct redis_uv *redis; /* borrowed */
    bool is_on;             /* false: replies are passed on as they come */
    int64_t hold_max_ms;    /* a write that is put off for longer is unknown */
};

/* ERR_NOMEM. */
enum err_code barrier_start(uv_loop_t *loop, const struct barrier_options *options,
                            struct barrier **ret_barrier, struct err *err) MUST_CHECK;

/* Frees it once its timer is closed.  Stop the connection first: that answers everyone. */
void barrier_stop(struct barrier *barrier, void (*on_stopped)(void *user), void *user);

/* Like redis_uv_send().  An error reply is passed on at once; NULL, the outcome is unknown,
 * also when the connection is lost behind the reply but before the write was certain. */
enum err_code barrier_send(struct barrier *barrier, const char *wire, size_t len,
                           redis_uv_reply_fn fn, void *user) MUST_CHECK;

#endif
