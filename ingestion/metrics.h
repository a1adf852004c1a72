/* metrics.h -- what ingestion counts, and GET /metrics.
 *
 * Each loop counts in a struct loop_metrics of its own; whichever loop is asked sums over
 * all of them.  They belong to the app, and live longer than every loop.
 */
#ifndef INGESTION_METRICS_H
#define INGESTION_METRICS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

#include "ingestion/enrich/enrich.h"
#include "shared/daemon/process_stats.h"
#include "shared/event/event.h"
#include "shared/http/metrics.h"

struct http_request;

enum {
    LOOPS_MAX = 64,
    CACHE_LINE = 64
};

/* Why an event was answered with an error: first the flaws of an event itself, in the
 * order of enum event_flaw, then these. */
#define REJECTIONS(X)                                                                    \
    X(KEY, "key")                         /* INGEST_KEY is missing or another */         \
    X(TIMESTAMP_AHEAD, "timestamp_ahead") /* TIMESTAMP_AHEAD_MAX_S */                    \
    X(SITE_DENIED, "site_denied")         /* not one of ALLOWED_SITES */                 \
    X(ORIGIN_DENIED, "origin_denied")     /* a page that is not one of CORS_ORIGINS */   \
    X(ADDRESS_RATE, "address_rate")       /* RATE_LIMIT_PER_IP */                        \
    X(SITE_RATE, "site_rate")             /* RATE_LIMIT_PER_SITE */                      \
    X(TOO_LARGE, "too_large")                                                            \
    X(NO_MEMORY, "no_memory")                                                            \
    X(QUEUE_FULL, "queue_full") /* PENDING_MAX_BYTES wait for Redis already */           \
    X(QUEUE_CAP, "queue_cap") /* the list has QUEUE_MAX_EVENTS, and no spool has room */ \
    X(TIMEOUT, "timeout")     /* not confirmed within ENQUEUE_TIMEOUT_MS */              \
    X(REFUSED, "refused")     /* Redis answered with an error */                         \
    X(SHUTDOWN, "shutdown")   /* the daemon ended first */

enum rejection {
    REJECTION_FLAWS_END = EVENT_FLAW_COUNT - 1,
#define REJECTION_ENUM(name, text) REJECTION_##name,
    REJECTIONS(REJECTION_ENUM)
#undef REJECTION_ENUM
    REJECTION_COUNT
};

struct loop_metrics {
    alignas(CACHE_LINE) struct http_metrics http;
    struct metric enqueued;   /* jobs that Redis confirmed */
    struct metric spooled;    /* jobs that the disk has */
    struct metric stopgapped; /* of enqueued: jobs that stood in the stopgap meanwhile */
    struct metric fed;        /* of enqueued: jobs that came from the spool */
    struct metric spool_damaged;
    struct metric spool_bytes; /* of all loops; the first one sets them */
    struct metric spool_bytes_max;
    struct metric rejected[REJECTION_COUNT];
    struct metric_histogram group_events;
    struct metric_histogram enqueue_us;
    struct metric times_replaced; /* of pages: timestamps out of their window */
    struct enrich_metrics enrich;
    struct metric groups_resent;
    struct metric groups_too_large;
    struct metric redis_refusing; /* 1: the last group of this loop */
    struct metric groups_in_flight;
    struct metric pending_events;
    struct metric pending_bytes;
    struct metric pending_bytes_max;
    struct metric redis_up;
    struct metric redis_losses;
};

struct ingestion_metrics {
    struct loop_metrics loops[LOOPS_MAX];
    size_t loop_count; /* set before the first loop runs */
    struct process_stats process;
};

extern const struct metric_buckets metric_group_events;

static inline void metric_reject(struct loop_metrics *metrics, enum rejection why)
{
    metric_add(&metrics->rejected[why], 1);
}

/* Counts what became of a group that could have been made smaller, or not: the codes are those
 * of breaker_note(). */
static inline void metrics_note_group(struct loop_metrics *metrics, enum err_code code,
                                      bool is_divisible)
{
    if (code == ERR_TIMEOUT)
        metric_add(&metrics->groups_resent, 1);
    else if (code == ERR_TOO_BIG && is_divisible)
        metric_add(&metrics->groups_too_large, 1);
    else
        metric_set(&metrics->redis_refusing, code != ERR_OK);
}

/* Answers GET /metrics. */
void metrics_answer(const struct ingestion_metrics *metrics, struct http_request *req);

#endif
