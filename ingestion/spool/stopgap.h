/* stopgap.h -- a file for the events that Redis has taken and not yet written to its own,
 * one for each loop.
 *
 * While an fsync is under way Redis puts its writes off (barrier.h), for milliseconds on a
 * good disk and for seconds on a bad one.  What it has only in its memory then would die
 * with it.  So meanwhile such groups go into a file of the spool as well, by write() without
 * a flush: the page cache survives the death of every process, though not that of the machine,
 * which everysec does not survive either.  So their clients need not wait for Redis's disk.
 *
 *   [EMPTY] -append-> [FILLED] -append-> ...
 *      ^                 |
 *      +--- discarded ---+-- Redis has written: all that stands here stands in its file
 *      +--- let go of ---+-- the connection is lost: nobody knows whether it has
 *
 * A discarded file is emptied and kept, not removed: where the directory is on the file system
 * of Redis's file, creating one takes until the end of the very flush that must not be waited
 * for.
 *
 * The file is a segment with our lock on it, as the spool's (files.h).  Let go of, by us
 * or by our death, it is fed to Redis by the loop or process that finds it first.  If
 * Redis had it after all, it gets it twice, which is harmless because every job has its
 * event_id.
 *
 * An event in it is answered 200, and not lost, whoever dies:
 *
 *   ingestion, before the append or in it   nobody was answered; a torn record is cut off
 *   ingestion, after the append            Redis has it and writes it; the next process
 *                                           feeds it once more
 *   Redis                                   the connection is lost: we let go and feed it
 *   both, in either order                   the file is there, and the next process feeds it
 *   Redis, after its INFOs said "written"   it is in Redis's file; so the file may go
 *   ingestion, in the discard               likewise: gone, or fed once more
 *   Redis's machine                         as Redis
 *   ours                                    Redis has it and writes it
 *   both machines, or Redis, and ours       the last second, as everysec has it
 *     before it was fed
 *
 * One thing at a time, in the thread pool: no disk blocks the loop.  Belongs to one loop.
 */
#ifndef INGESTION_SPOOL_STOPGAP_H
#define INGESTION_SPOOL_STOPGAP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "shared/base/err.h"

struct group;
struct spool_files;
struct stopgap; /* opaque */

struct stopgap_options {
    struct spool_files *dir; /* borrowed; shared by all loops */
    size_t group_max_bytes;  /* jobs of the largest group */

    /* The append is done: with ERR_OK the file has what was gathered. */
    void (*on_appended)(enum err_code code, void *user);
    /* Nothing is under way any more: the next append may begin. */
    void (*on_ready)(void *user);
    void *user;
};

/* ERR_NOMEM */
enum err_code stopgap_start(uv_loop_t *loop, const struct stopgap_options *options,
                            struct stopgap **ret_gap, struct err *err) MUST_CHECK;

/* Waits for what is under way, whose callback comes, lets go of the file, or removes it when
 * it is empty, and calls on_stopped once; freed then. */
void stopgap_stop(struct stopgap *gap, void (*on_stopped)(void *user), void *user);

/* True when events may be gathered and appended: nothing is under way or has just
 * failed. */
bool stopgap_is_ready(const struct stopgap *gap);

/* Adds the group's jobs to what is appended next.
 *
 * ERR_BUSY   that is enough for one append; nothing was added
 * ERR_NOMEM  likewise nothing */
enum err_code stopgap_add(struct stopgap *gap, const struct group *group) MUST_CHECK;

/* Appends what was gathered; on_appended() comes later. */
void stopgap_append(struct stopgap *gap);

/* True while there is something in it, or about to be, of which nobody knows yet whether
 * Redis has written it. */
bool stopgap_is_filled(const struct stopgap *gap);

/* Redis has written all of it, and all of the append under way: it may go. */
void stopgap_discard(struct stopgap *gap);

/* Nobody will know of Redis whether it has: leaves it, and what the append under way adds,
 * to whoever feeds it. */
void stopgap_let_go(struct stopgap *gap);

#endif
