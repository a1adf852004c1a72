/* reader.h -- from the spool to Redis: the reading side, one for each loop.
 *
 * Whenever the breaker is closed it takes the oldest segment that nobody has (of a loop of this
 * process, or of a process that has died: there is no difference), sends its records one
 * group after the other, each once the one before is confirmed, and removes the file when
 * all are.  New events flow meanwhile; one of their groups waits for one group of the
 * reader at most.  After a crash a segment is fed from its beginning again: harmless,
 * because every job has its event_id.
 *
 *   [IDLE] -list-> found one -read-> [READY] -send-> [SENT] -confirmed-> next group
 *      ^                                ^              |                  |
 *      |                                +-- refused ---+                  |
 *      +------- finished: removed, or kept as *.damaged <-- end of file --+
 *
 * Belongs to one loop; everything that touches the disk is done in the thread pool.
 */
#ifndef INGESTION_SPOOL_READER_H
#define INGESTION_SPOOL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct spool_reader; /* opaque */
struct breaker;
struct loop_metrics;
struct redis_uv;
struct spool_writer;
struct spool_files;

struct spool_reader_options {
    struct barrier *barrier; /* all borrowed */
    struct redis_uv *redis;
    struct breaker *breaker;
    struct spool_files *dir;
    struct spool_writer *spool; /* of the same loop; stopped later than the reader */
    struct loop_metrics *metrics;
    bool shows_bytes; /* of the whole spool, in its metrics: one loop does */
    int64_t group_max_events;
};

/* ERR_NOMEM */
enum err_code spool_reader_start(uv_loop_t *loop,
                                 const struct spool_reader_options *options,
                                 struct spool_reader **ret_reader,
                                 struct err *err) MUST_CHECK;

/* Lets go of its segment, calls on_stopped once; freed then.  No reply of Redis may come
 * any more: stop that connection first. */
void spool_reader_stop(struct spool_reader *reader, void (*on_stopped)(void *user),
                       void *user);

#endif
