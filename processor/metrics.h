/* metrics.h -- what the threads of the processor count, and GET /metrics.
 *
 * Each worker, the maintainer and the sampler have a struct of their own, which is part of them
 * and which they alone write; the main thread reads all of them.
 */
#ifndef PROCESSOR_METRICS_H
#define PROCESSOR_METRICS_H

#include <stddef.h>

#include "processor/health.h"
#include "shared/base/err.h"
#include "shared/daemon/process_stats.h"
#include "shared/http/metrics.h"

struct http_request;

struct worker_metrics {
    struct metric_histogram batch_us;
    struct metric_histogram batch_jobs;
    struct metric is_busy;
    struct metric rows_stored;
    struct metric rows_present;
    struct metric dead;
    struct metric taken_over;
    struct metric handed_back;
    struct metric lost;
    struct metric store_failures[ERR_CODE_COUNT];
    struct metric queue_failures[ERR_CODE_COUNT];
};

struct maintainer_metrics {
    struct metric_histogram rollup_us;
    struct metric rollup_rows;
    struct metric rollup_waiting;
    struct metric rollup_aside;
    struct metric rollup_position;
    struct metric rollup_left_out;
    struct metric rollup_capped;
    struct metric visits_open;
    struct metric rollup_set_aside;
    struct metric rollup_fresh_ms; /* monotonic: all that was stored by then is in */
    struct metric failures[ERR_CODE_COUNT];
    struct metric partitions;
    struct metric partitions_made;
    struct metric partitions_dropped;
    struct metric events_removed;
};

struct sampler_metrics {
    struct metric queue_visible;
    struct metric queue_events;
    struct metric oldest_ms;
    struct metric leases;
    struct metric salt_rewrites;
    struct process_stats process;
};

/* Whose metrics GET /metrics shows; all borrowed. */
struct metrics_sources {
    struct health *health;
    const struct http_metrics *http;
    const struct worker_metrics *workers; /* of the first one */
    size_t worker_count;
    size_t worker_stride; /* bytes from those of one worker to those of the next */
    const struct maintainer_metrics *maintainer;
    const struct sampler_metrics *sampler;
};

extern const struct metric_buckets metric_batch_jobs;

/* Answers GET /metrics. */
void metrics_answer(const struct metrics_sources *sources, struct http_request *req);

#endif
