/* process_stats.h -- what a daemon knows of itself as a process.
 *
 * The figures are read from /proc, which takes milliseconds when there are thousands of
 * descriptors; so they are refreshed beside the loops (process_watch.h), and /metrics
 * shows the last ones.
 */
#ifndef SHARED_DAEMON_PROCESS_STATS_H
#define SHARED_DAEMON_PROCESS_STATS_H

#include "shared/base/metrics.h"

struct process_stats {
    struct metric one; /* build_info */
    struct metric start_ms;
    int64_t start_mono_ms; /* of the refreshing thread */
    struct metric uptime_ms;
    struct metric resident_bytes;
    struct metric virtual_bytes;
    struct metric open_files;
    struct metric open_files_max;
    struct metric cpu_us;
    struct metric threads;
    struct metric lines_dropped;
};

/* Tables of a struct process_stats: under the names that every Prometheus client uses
 * ("process_..."), and the daemon's own ("analytics_<daemon>_..."). */
extern const struct metric_item process_metric_items[];
extern const struct metric_item daemon_metric_items[];

/* Notes the time of the start and reads everything once. */
void process_stats_init(struct process_stats *stats);

/* Reads everything.  From one thread at a time. */
void process_stats_refresh(struct process_stats *stats);

#endif
