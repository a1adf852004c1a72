/* metrics.c -- see metrics.h: the names of all metrics of the processor but those of the
 * HTTP server (shared/http/metrics.c) and of the process (shared/daemon/process_stats.c). */
#include "processor/metrics.h"

#include <stdbool.h>

#include "shared/base/clock.h"

#define PREFIX "analytics_processor_"

const struct metric_buckets metric_batch_jobs = {
    14,
    {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 100000},
};

/* The labels of trouble[]: every kind of every server. */
static const char *const trouble_servers[] = {
    "redis", "redis", "redis", "postgres", "postgres", "postgres",
};
static const char *const trouble_kinds[] = {
    "none", "outage", "halt", "none", "outage", "halt",
};

_Static_assert(sizeof(trouble_kinds) / sizeof(trouble_kinds[0]) ==
                   (size_t)HEALTH_SERVERS * METRIC_TROUBLE_COUNT,
               "a label for each cell");

#define FIELD(field) offsetof(struct worker_metrics, field)

static const struct metric_item worker_items[] = {
    {.name = "batch_seconds",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(batch_us),
     .help = "From the claim of a batch to its acknowledgement.",
     .per_unit = 1000000,
     .buckets = &metric_times_us},
    {.name = "batch_jobs",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(batch_jobs),
     .help = "Jobs in a batch that was acknowledged.",
     .buckets = &metric_batch_jobs},
    {.name = "batches_under_way",
     .kind = METRIC_GAUGE,
     .offset = FIELD(is_busy),
     .help = "Batches that this daemon has claimed and not finished."},
    {.name = "rows_stored_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(rows_stored),
     .help = "Events stored in Postgres."},
    {.name = "rows_present_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(rows_present),
     .help = "Events that were in Postgres already and were not stored again."},
    {.name = "dead_letters_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(dead),
     .help = "Jobs moved to dead_letters."},
    {.name = "batches_taken_over_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(taken_over),
     .help = "Batches claimed that another worker had claimed before."},
    {.name = "batches_handed_back_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(handed_back),
     .help = "Batches handed back unfinished because the daemon ended."},
    {.name = "batches_lost_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(lost),
     .help = "Batches that another worker took over from this daemon."},
    {.name = "store_retries_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(store_failures),
     .help = "Failed attempts to store a batch, by error and by what follows from it.",
     .count = ERR_CODE_COUNT,
     .labels = {{"error", metric_errors}, {"kind", metric_actions}}},
    {.name = "queue_retries_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(queue_failures),
     .help = "Failed commands to Redis, by error and by what follows from it.",
     .count = ERR_CODE_COUNT,
     .labels = {{"error", metric_errors}, {"kind", metric_actions}}},
    {.name = NULL},
};

#undef FIELD
#define FIELD(field) offsetof(struct maintainer_metrics, field)

static const struct metric_item maintainer_items[] = {
    {.name = "rollup_seconds",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(rollup_us),
     .help = "Duration of one chunk of the roll-up.",
     .per_unit = 1000000,
     .buckets = &metric_times_us},
    {.name = "rollup_rows_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(rollup_rows),
     .help = "Events rolled up."},
    {.name = "rollup_lag_rows",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_waiting),
     .help = "Events stored and not rolled up yet, at the last poll."},
    {.name = "rollup_aside_rows",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_aside),
     .help = "Events in rollup_aside, stored and not counted, at the last poll; 1,000 "
             "stands for more."},
    {.name = "rollup_position",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_position),
     .help = "The id of events up to which all are rolled up, at the last poll."},
    {.name = "rollup_left_out_events",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_left_out),
     .help = "Events stored and not counted because there were SITES_MAX sites."},
    {.name = "rollup_capped_values",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_capped),
     .help = "Values counted as (other) because there were ROLLUP_VALUES_MAX new ones "
             "that day."},
    {.name = "visits_open",
     .kind = METRIC_GAUGE,
     .offset = FIELD(visits_open),
     .help = "Visits that began in the last half hour, counted once a minute; 100,000 "
             "stands for more."},
    {.name = "rollup_set_aside_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(rollup_set_aside),
     .help = "Events that this daemon set aside because the roll-up fails with them."},
    {.name = "maintainer_retries_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(failures),
     .help = "Failures of the roll-up and of upkeep, by error and by what follows.",
     .count = ERR_CODE_COUNT,
     .labels = {{"error", metric_errors}, {"kind", metric_actions}}},
    {.name = "partitions",
     .kind = METRIC_GAUGE,
     .offset = FIELD(partitions),
     .help = "Partitions of events, the default one included, at the last upkeep."},
    {.name = "partitions_made_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(partitions_made),
     .help = "Partitions made by this daemon."},
    {.name = "partitions_dropped_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(partitions_dropped),
     .help = "Partitions dropped by this daemon because of their age."},
    {.name = "events_removed_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(events_removed),
     .help = "Old events deleted from the default partition by this daemon."},
    {.name = NULL},
};

#undef FIELD
#define FIELD(field) offsetof(struct sampler_metrics, field)

static const struct metric_item sampler_items[] = {
    {.name = "queue_visible",
     .kind = METRIC_GAUGE,
     .offset = FIELD(queue_visible),
     .help = "1 while the figures of the queue are up to date, 0 while they are old."},
    {.name = "queue_events",
     .kind = METRIC_GAUGE,
     .offset = FIELD(queue_events),
     .help = "Events in the queue that nobody has claimed."},
    {.name = "queue_oldest_seconds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(oldest_ms),
     .help = "Age of the oldest event in the queue; 0 when there is none.",
     .per_unit = 1000},
    {.name = "leases",
     .kind = METRIC_GAUGE,
     .offset = FIELD(leases),
     .help = "Leases of all processors; a worker that waits for jobs has one too."},
    {.name = "salt_rewrites_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(salt_rewrites),
     .help =
         "Rewrites of Redis's append-only file asked for because a salt had expired."},
    {.name = NULL},
};

/* What is made up at the moment it is asked for. */
struct moment {
    struct metric rollup_lag_ms;
    struct metric trouble[(size_t)HEALTH_SERVERS * METRIC_TROUBLE_COUNT];
};

#undef FIELD
#define FIELD(field) offsetof(struct moment, field)

static const struct metric_item moment_items[] = {
    {.name = "rollup_lag_seconds",
     .kind = METRIC_GAUGE,
     .offset = FIELD(rollup_lag_ms),
     .help = "How long the oldest event that is not rolled up waits at most.",
     .per_unit = 1000},
    {.name = "trouble",
     .kind = METRIC_GAUGE,
     .offset = FIELD(trouble),
     .help = "1 for the trouble each server is in: none, an outage, or a halt that needs "
             "a person.",
     .count = (size_t)HEALTH_SERVERS * METRIC_TROUBLE_COUNT,
     .labels = {{"server", trouble_servers}, {"kind", trouble_kinds}}},
    {.name = NULL},
};

static void look_at_rollup(struct moment *moment,
                           const struct maintainer_metrics *maintainer)
{
    int64_t fresh_ms = metric_get(&maintainer->rollup_fresh_ms);
    bool is_behind = metric_get(&maintainer->rollup_waiting) > 0;

    metric_set(&moment->rollup_lag_ms, is_behind ? clock_mono_ms() - fresh_ms : 0);
}

static void look_at_health(struct moment *moment, struct health *health)
{
    for (size_t server = 0; server < HEALTH_SERVERS; server++) {
        enum metric_trouble now = health_trouble(health, (enum health_server)server);

        metric_set(&moment->trouble[server * METRIC_TROUBLE_COUNT + now], 1);
    }
}

void metrics_answer(const struct metrics_sources *sources, struct http_request *req)
{
    const struct sampler_metrics *sampler = sources->sampler;
    struct moment moment = {.trouble = {{0}}};
    const struct metrics_part parts[] = {
        {PREFIX, http_metric_items, sources->http, 1, 0},
        {PREFIX, worker_items, sources->workers, sources->worker_count,
         sources->worker_stride},
        {PREFIX, maintainer_items, sources->maintainer, 1, 0},
        {PREFIX, sampler_items, sampler, 1, 0},
        {PREFIX, moment_items, &moment, 1, 0},
        {PREFIX, daemon_metric_items, &sampler->process, 1, 0},
        {"process_", process_metric_items, &sampler->process, 1, 0},
    };

    look_at_rollup(&moment, sources->maintainer);
    look_at_health(&moment, sources->health);
    http_answer_metrics(req, parts, sizeof(parts) / sizeof(parts[0]));
}
