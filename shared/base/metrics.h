/* metrics.h -- counters that a daemon keeps, and their text for Prometheus.
 *
 * A thread counts in a struct of its own whose fields are the cells below: one writer
 * each, so counting is a load, an addition and a store, without a lock and without a
 * locked instruction.  Any thread may read.  A table per daemon (struct metric_item) names
 * the fields; metrics_render() sums each of them over the structs of all threads and
 * writes the text form 0.0.4 of Prometheus.  There is no registry: what is not in a table
 * does not exist, and a label has only the values that its row lists.
 *
 * Pure.
 */
#ifndef SHARED_BASE_METRICS_H
#define SHARED_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

struct buf;

/* --- cells ----------------------------------------------------------------- */

/* A counter or a gauge.  Zero-initialised is zero. */
struct metric {
    _Atomic int64_t value;
};

enum {
    METRIC_BUCKETS_MAX = 16,
    METRIC_LABELS_MAX = 2
};

/* The upper bounds of a histogram, ascending; what lies above is in +Inf. */
struct metric_buckets {
    size_t count;
    int64_t upto[METRIC_BUCKETS_MAX];
};

struct metric_histogram {
    struct metric sum;
    struct metric counts[METRIC_BUCKETS_MAX + 1]; /* the one after the last is +Inf */
};

/* Times from 100 microseconds to 10 seconds, counted in microseconds. */
extern const struct metric_buckets metric_times_us;

static inline int64_t metric_get(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

static inline void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

/* By the cell's one writer only. */
static inline void metric_add(struct metric *metric, int64_t more)
{
    metric_set(metric, metric_get(metric) + more);
}

void metric_observe(struct metric_histogram *histogram,
                    const struct metric_buckets *buckets, int64_t value);

/* Label values for arrays of ERR_CODE_COUNT cells: the names of the errors, and what the
 * processor makes of each ("outage", "halt" or "other").  ERR_OK is left out. */
extern const char *const metric_errors[];
extern const char *const metric_actions[];

/* What trouble a server is in. */
enum metric_trouble {
    METRIC_TROUBLE_NONE,
    METRIC_TROUBLE_OUTAGE, /* it will pass */
    METRIC_TROUBLE_HALT,   /* a person has to do something */
    METRIC_TROUBLE_COUNT
};

enum metric_trouble metric_trouble_of(enum err_code code);

/* --- tables ---------------------------------------------------------------- */

enum metric_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM
};

struct metric_label {
    const char *name;          /* NULL: no such label */
    const char *const *values; /* item.count of them; one that is NULL is left out */
};

/* One metric: a field of a thread's struct, or an array of `count` fields of which each
 * has label values of its own. */
struct metric_item {
    const char *name; /* what follows the prefix; NULL ends a table */
    enum metric_kind kind;
    size_t offset; /* of the field, in the thread's struct */
    const char *help;
    int64_t per_unit; /* how many make one of the unit in the name; 0: one */
    const struct metric_buckets *buckets; /* of a METRIC_HISTOGRAM */
    size_t count;                         /* 0: one, without labels */
    struct metric_label labels[METRIC_LABELS_MAX];
};

/* A table and the structs that it is about. */
struct metrics_part {
    const char *prefix;              /* of every name */
    const struct metric_item *items; /* ends with a NULL name */
    const void *first;               /* the first thread's struct */
    size_t threads;
    size_t stride; /* from one thread's struct to the next one's */
};

enum {
    METRICS_TEXT_MAX = 262144 /* bytes of all metrics of a daemon */
};

/* Appends the text of all parts.  Errors as buf_add(), and out may then hold a part. */
enum err_code metrics_render(const struct metrics_part *parts, size_t count,
                             struct buf *out) MUST_CHECK;

#endif
