/* maintainer.h -- the thread that keeps the database: migrations, roll-up, partitions.
 *
 *   CONNECTING --asserted, migrated--> POLLING --what pace.h says--> waits, pauses or
 *       ^                                 |  ^                          takes a chunk
 *       |                                 |  '--------------------------------'
 *       +---------- any failure ----------+    (upkeep every hour, before a poll)
 *
 * It opens the lifecycle for the workers once the schema is there, and reports to /readyz how
 * Postgres is.
 */
#ifndef PROCESSOR_MAINTAINER_H
#define PROCESSOR_MAINTAINER_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "processor/metrics.h"
#include "processor/retry.h"
#include "processor/rollup/pace.h"
#include "processor/rollup/rollup.h"
#include "processor/rollup/size.h"
#include "processor/upkeep.h"
#include "shared/base/err.h"
#include "shared/base/log.h"

struct lifecycle;
struct health;
struct processor_conf;

struct maintainer {
    const struct processor_conf *conf; /* these three borrowed */
    struct lifecycle *lifecycle;
    struct health *health;
    size_t thread;      /* its number in health */
    PGconn *conn;       /* owned; NULL: not connected */
    uint64_t last_host; /* the server that conn led to */
    int64_t patience_ms;
    struct rollup_size size;   /* of a chunk: fewer events after a failure */
    struct rollup_bound bound; /* of the next chunk */
    bool has_bound;
    int64_t bound_ms; /* when it was looked for */
    struct pace pace;
    struct upkeep upkeep; /* its metrics are these below */
    int64_t upkeep_at_ms;
    int64_t visits_at_ms; /* when they are counted next */
    uint64_t seen;        /* rows that the life cycle has told of */
    struct retry retry;
    struct log_limit log;
    struct log_limit busy_log;
    struct log_limit size_log;
    struct log_limit aside_log;
    struct maintainer_metrics metrics;
    struct err refusal; /* code ERR_OK: none */
};

void maintainer_init(struct maintainer *maintainer, const struct processor_conf *conf);
void maintainer_release(struct maintainer *maintainer);

/* The thread: returns after the process has begun to stop, or when the database is one that this
 * program must not touch: maintainer->refusal then says why. */
void maintainer_run(struct maintainer *maintainer);

/* Migrates and makes partitions, once: what --migrate does.  Errors as they come. */
enum err_code maintainer_migrate(struct maintainer *maintainer,
                                 struct err *err) MUST_CHECK;

#endif
