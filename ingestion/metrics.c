/* metrics.c -- see metrics.h: the names of all metrics of ingestion but those of the HTTP
 * server (shared/http/metrics.c) and of the process (shared/daemon/process_stats.c). */
#include "ingestion/metrics.h"

#define PREFIX       "analytics_ingestion_"
#define FIELD(field) offsetof(struct loop_metrics, field)

const struct metric_buckets metric_group_events = {
    14,
    {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 5000, 10000},
};

static const char *const reasons[] = {
#define FLAW_NAME(name, text, ...) [EVENT_FLAW_##name] = (text),
    EVENT_FLAWS(FLAW_NAME)
#undef FLAW_NAME
#define REJECTION_NAME(name, text) [REJECTION_##name] = (text),
        REJECTIONS(REJECTION_NAME)
#undef REJECTION_NAME
};

/* From the first reason on; BOT_NONE is no reason. */
static const char *const bot_reasons[] = {
#define BOT_NAME(id, name, what) (name),
    BOT_REASONS(BOT_NAME)
#undef BOT_NAME
};

static const char *const step_names[] = {
#define STEP_NAME(NAME, text, function) (text),
    ENRICH_STEPS(STEP_NAME)
#undef STEP_NAME
};

static const struct metric_item items[] = {
    {.name = "events_enqueued_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(enqueued),
     .help = "Events that Redis confirmed to have queued."},
    {.name = "events_spooled_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(spooled),
     .help = "Events written to the spool because Redis did not take them."},
    {.name = "events_stopgap_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(stopgapped),
     .help = "Events answered from a file of the spool while Redis put its write off."},
    {.name = "events_fed_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(fed),
     .help = "Events from the spool that Redis confirmed to have queued."},
    {.name = "spool_files_damaged_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(spool_damaged),
     .help = "Spool files kept aside because something in them does not verify."},
    {.name = "spool_bytes",
     .kind = METRIC_GAUGE,
     .offset = FIELD(spool_bytes),
     .help = "Bytes of the files in the spool."},
    {.name = "spool_bytes_max",
     .kind = METRIC_GAUGE,
     .offset = FIELD(spool_bytes_max),
     .help = "Bytes that the spool may have; 0 without one."},
    {.name = "events_rejected_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(rejected),
     .help = "Events that were answered with an error, by reason.",
     .count = REJECTION_COUNT,
     .labels = {{"reason", reasons}}},
    {.name = "enqueue_seconds",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(enqueue_us),
     .help = "From the acceptance of a request's events to its answer 200.",
     .per_unit = 1000000,
     .buckets = &metric_times_us},
    {.name = "group_events",
     .kind = METRIC_HISTOGRAM,
     .offset = FIELD(group_events),
     .help = "Events in a group that Redis confirmed or the spool took.",
     .buckets = &metric_group_events},
    {.name = "bots_dropped_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(enrich.dropped[1]),
     .help = "Events of pages that were dropped because no visitor sent them, by reason.",
     .count = BOT_REASON_COUNT - 1,
     .labels = {{"reason", &bot_reasons[1]}}},
    {.name = "enrich_steps_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(enrich.runs),
     .help = "Times that a step derived something of an event.",
     .count = ENRICH_STEP_COUNT,
     .labels = {{"step", step_names}}},
    {.name = "enrich_seconds_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(enrich.ns),
     .help = "Time that the runs of a step took.",
     .per_unit = 1000000000,
     .count = ENRICH_STEP_COUNT,
     .labels = {{"step", step_names}}},
    {.name = "timestamps_replaced_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(times_replaced),
     .help = "Timestamps of pages that lay too far ahead or back."},
    {.name = "visitors_own_salt_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(enrich.own_salts),
     .help = "Events whose visitor has a salt that only this process knows."},
    {.name = "groups_resent_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(groups_resent),
     .help = "Groups sent once more because the first outcome is unknown."},
    {.name = "groups_too_large_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(groups_too_large),
     .help = "Groups that Redis had no memory for, sent again in smaller ones."},
    {.name = "redis_refusing",
     .kind = METRIC_GAUGE,
     .offset = FIELD(redis_refusing),
     .help = "Loops whose last group Redis refused."},
    {.name = "groups_in_flight",
     .kind = METRIC_GAUGE,
     .offset = FIELD(groups_in_flight),
     .help = "Groups that wait for the reply of Redis."},
    {.name = "pending_events",
     .kind = METRIC_GAUGE,
     .offset = FIELD(pending_events),
     .help = "Events that wait to be sent or confirmed."},
    {.name = "pending_bytes",
     .kind = METRIC_GAUGE,
     .offset = FIELD(pending_bytes),
     .help = "Bytes of the events that wait to be sent or confirmed."},
    {.name = "pending_bytes_max",
     .kind = METRIC_GAUGE,
     .offset = FIELD(pending_bytes_max),
     .help = "Bytes that may wait, over all loops."},
    {.name = "redis_connections",
     .kind = METRIC_GAUGE,
     .offset = FIELD(redis_up),
     .help = "Connections to Redis that are ready; there is one for each loop."},
    {.name = "redis_connections_lost_total",
     .kind = METRIC_COUNTER,
     .offset = FIELD(redis_losses),
     .help = "Times a connection to Redis was lost or could not be made."},
    {.name = NULL},
};

void metrics_answer(const struct ingestion_metrics *metrics, struct http_request *req)
{
    size_t stride = sizeof(metrics->loops[0]);
    const struct metrics_part parts[] = {
        {PREFIX, http_metric_items, &metrics->loops[0].http, metrics->loop_count, stride},
        {PREFIX, items, &metrics->loops[0], metrics->loop_count, stride},
        {PREFIX, daemon_metric_items, &metrics->process, 1, 0},
        {"process_", process_metric_items, &metrics->process, 1, 0},
    };

    http_answer_metrics(req, parts, sizeof(parts) / sizeof(parts[0]));
}
