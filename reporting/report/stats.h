/* stats.h -- the figures of one site, as /stats shows them: a value without behaviour. */
#ifndef REPORTING_REPORT_STATS_H
#define REPORTING_REPORT_STATS_H

#include <stddef.h>
#include <stdint.h>

enum {
    STATS_PATHS_MAX = 10 /* the contract's "at most 10"; the SQL has the same limit */
};

struct stats_path {
    const char *path; /* borrowed; not NUL-terminated */
    size_t len;
    int64_t views;
};

struct stats {
    int64_t total_views;
    int64_t unique_users;
    size_t path_count;
    struct stats_path paths[STATS_PATHS_MAX]; /* in the order they are shown */
};

#endif
