/* upkeep.h -- what the maintainer does now and then: partitions, retention, folding, the
 * index on paths.
 *
 * The SQL is in partitions.sql and fold.sql of sql/functions.  Each step is one transaction;
 * what is left is done by the next call. */
#ifndef PROCESSOR_UPKEEP_H
#define PROCESSOR_UPKEEP_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct maintainer_metrics;
struct processor_conf;

struct upkeep {
    const struct processor_conf *conf; /* borrowed, as the next one */
    struct maintainer_metrics *metrics;
    PGconn *conn;        /* borrowed, set before each call */
    int64_t patience_ms; /* for an answer */
    int64_t after_site;  /* where the look through the sites goes on; 0: at the first */
    bool leaves_more;    /* the last pass has left something to do */
};

/* Writes what the settings say about the roll-up to where its SQL finds it. */
enum err_code upkeep_configure(struct upkeep *upkeep, struct err *err) MUST_CHECK;

/* Counts the visits that may go on, for /metrics. */
enum err_code upkeep_count_visits(struct upkeep *upkeep, struct err *err) MUST_CHECK;

/* One pass; leaves_more afterwards says whether another one has to follow soon. */
enum err_code upkeep_run(struct upkeep *upkeep, struct err *err) MUST_CHECK;

#endif
