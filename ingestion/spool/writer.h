/* writer.h -- where events go while Redis does not take them: the writing side, one for
 * each loop.
 *
 * Group commit again, at the disk: one append is under way at most, in the thread pool;
 * what comes in meanwhile waits in the committer and makes the next append.  So a slow disk
 * never blocks the loop.  The segment is let go of when it is long enough, when the reader
 * has nothing else to feed, and after every failure; then a reader (reader.h) takes it, in
 * this process or the next.
 *
 *   spool_writer_add() ... spool_writer_append() -> [APPENDING] -> on_appended(code)
 *
 * After a failure the spool is of no use for a moment, so that the committer does as if
 * there were none.  Belongs to one loop.
 */
#ifndef INGESTION_SPOOL_WRITER_H
#define INGESTION_SPOOL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct group;
struct spool_writer; /* opaque */
struct spool_files;

struct spool_writer_options {
    struct spool_files *dir; /* borrowed; shared by all loops */
    int64_t segment_bytes;   /* a segment is finished when it has so many */
    size_t group_max_bytes;  /* jobs of the largest group */
};

/* ERR_NOMEM */
enum err_code spool_writer_start(uv_loop_t *loop,
                                 const struct spool_writer_options *options,
                                 struct spool_writer **ret_spool,
                                 struct err *err) MUST_CHECK;

/* Waits for the append under way, whose callback comes, then calls on_stopped once (at
 * once when there is none); freed then. */
void spool_writer_stop(struct spool_writer *spool, void (*on_stopped)(void *user),
                       void *user);

/* True when events may be gathered and appended: nothing is under way or has just
 * failed. */
bool spool_writer_is_ready(const struct spool_writer *spool, int64_t now_ms);

/* False while the spool cannot be written: a request then need not wait for it. */
bool spool_writer_is_working(const struct spool_writer *spool, int64_t now_ms);

/* Whether it has room, and the last append did not fail: for people. */
bool spool_writer_takes_events(const struct spool_writer *spool);

/* Adds the group's jobs to what is appended next.
 *
 * ERR_BUSY   that is enough for one append; nothing was added
 * ERR_NOMEM  likewise nothing */
enum err_code spool_writer_add(struct spool_writer *spool,
                               const struct group *group) MUST_CHECK;

/* Appends what was gathered.  on_appended is called once, later, with ERR_OK when the disk
 * has it. */
typedef void (*spool_appended_fn)(enum err_code code, void *user);
void spool_writer_append(struct spool_writer *spool, spool_appended_fn on_appended,
                         void *user);

/* Lets go of the segment that is being written, so that it can be fed; false when there is
 * none or an append is under way. */
bool spool_writer_let_go(struct spool_writer *spool);

#endif
