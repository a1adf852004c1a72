/* conf.c -- see conf.h; shared/daemon/conf.h says how the table is read. */
#include "processor/conf.h"

#include <stddef.h>

#define FIELD(name) offsetof(struct processor_conf, name)

static const struct conf_item items[] = {
    HTTP_CONF_LISTEN(struct processor_conf, "5000",
                     "TCP port of /healthz, /readyz and /metrics; 0: any free one"),
    REDIS_CONF_URL(struct processor_conf),
    PG_CONF_URL(struct processor_conf),
    CONF_ROW("PROCESSOR_WORKERS", CONF_INT, FIELD(workers), .initial = "2", .min = 1,
             .max = 32,
             .help = "Threads that store batches, each with a connection to Redis "
                     "and one to Postgres"),
    CONF_ROW("BATCH_MAX", CONF_INT, FIELD(batch_max), .initial = "5000", .min = 1,
             .max = 100000, .help = "Jobs in one transaction at most"),
    CONF_ROW("BATCH_MAX_BYTES", CONF_INT, FIELD(batch_max_bytes), .initial = "8388608",
             .min = 1024, .max = 268435456,
             .help = "Bytes of the jobs in one transaction at most; one job alone "
                     "may have more"),
    CONF_ROW("BATCH_PAUSE_MS", CONF_INT, FIELD(batch_pause_ms), .initial = "10",
             .max = 10000,
             .help = "Pause of a worker after a batch of several jobs that is not "
                     "half full, in ms; ten times as long for all workers but the "
                     "first; 0: none"),
    CONF_ROW("LEASE_MS", CONF_INT, FIELD(lease_ms), .initial = "30000", .min = 300,
             .max = 3600000,
             .help = "Time after which the batch of a dead processor is taken "
                     "over, in ms"),
    CONF_ROW("RETRY_BASE_MS", CONF_INT, FIELD(retry_base_ms), .initial = "50", .min = 1,
             .max = 60000,
             .help = "Longest first pause after an outage, in ms; it doubles each "
                     "time and is drawn at random"),
    CONF_ROW("RETRY_MAX_MS", CONF_INT, FIELD(retry_max_ms), .initial = "5000", .min = 1,
             .max = 600000, .help = "Longest pause after an outage, in ms"),
    CONF_ROW("HALT_RETRY_MS", CONF_INT, FIELD(halt_retry_ms), .initial = "10000",
             .min = 10, .max = 3600000,
             .help = "Pause after an error that a person must mend (schema, "
                     "privileges, login), in ms"),
    REDIS_CONF_TIMEOUT(struct processor_conf, "5000", 1500),
    PG_CONF_CONNECT(struct processor_conf, "5000"),
    CONF_ROW("STATEMENT_TIMEOUT_MS", CONF_INT, FIELD(statement_timeout_ms),
             .initial = "30000", .min = 100, .max = 3600000,
             .help = "Longest statement that stores a batch, in ms"),
    CONF_ROW("LOCK_TIMEOUT_MS", CONF_INT, FIELD(lock_timeout_ms), .initial = "5000",
             .min = 10, .max = 600000,
             .help = "Longest wait for a lock in Postgres, in ms"),
    CONF_ROW("ROLLUP_POLL_MS", CONF_INT, FIELD(rollup_poll_ms), .initial = "250",
             .min = 10, .max = 60000,
             .help = "Pause between two polls for rows that other programs stored, "
                     "in ms"),
    CONF_ROW("ROLLUP_LAG_MAX_MS", CONF_INT, FIELD(rollup_lag_max_ms), .initial = "1200",
             .max = 600000,
             .help = "Longest lag of /stats while the roll-up pauses, in ms"),
    CONF_ROW("ROLLUP_PAUSE_TIMES", CONF_INT, FIELD(rollup_pause_times), .initial = "29",
             .max = 100,
             .help =
                 "Pause of the roll-up after a chunk, as a multiple of the time it took"),
    CONF_ROW("ROLLUP_MAX_ROWS", CONF_INT, FIELD(rollup_max_rows), .initial = "250000",
             .min = 1, .max = 10000000,
             .help = "Events rolled up in one transaction at most"),
    CONF_ROW("ROLLUP_CHUNK_MS", CONF_INT, FIELD(rollup_chunk_ms), .initial = "800",
             .min = 10, .max = 60000,
             .help = "Time that one transaction of the roll-up is to take, in ms; after "
                     "a longer one it takes fewer events"),
    CONF_ROW("ROLLUP_MAX_BYTES", CONF_INT, FIELD(rollup_max_bytes), .initial = "67108864",
             .min = 65536, .max = 268435456,
             .help = "Bytes of texts rolled up in one transaction at most, 64 more "
                     "for each event; one event alone may have more"),
    CONF_ROW("ROLLUP_TIMEOUT_MS", CONF_INT, FIELD(rollup_timeout_ms), .initial = "60000",
             .min = 100, .max = 3600000,
             .help = "Longest statement of the roll-up, in ms; after a longer one "
                     "it takes fewer rows"),
    CONF_ROW("SITES_MAX", CONF_INT, FIELD(sites_max), .initial = "100000", .min = 1,
             .max = 10000000,
             .help =
                 "Sites that are counted at most; events of others are stored and not "
                 "counted"),
    CONF_ROW("ROLLUP_VALUES_MAX", CONF_INT, FIELD(rollup_values_max), .initial = "10000",
             .min = 1, .max = 1000000,
             .help = "New values of a dimension that a site is counted by in a day at "
                     "most; further ones count as (other)"),
    CONF_ROW("ROLLUP_HOURS_DAYS", CONF_INT, FIELD(rollup_hours_days), .initial = "400",
             .min = 7, .max = 36500,
             .help =
                 "Days for which figures are kept by the hour; those by the day stay"),
    CONF_ROW("PARTITION_MONTHS_BACK", CONF_INT, FIELD(partition_months_back),
             .initial = "12", .max = 120,
             .help = "Months before the present one with a partition of their own"),
    CONF_ROW("PARTITION_MONTHS_AHEAD", CONF_INT, FIELD(partition_months_ahead),
             .initial = "3", .max = 24,
             .help = "Months after the present one with a partition of their own"),
    CONF_ROW("PATHS_INDEX", CONF_BOOL, FIELD(has_paths_index), .initial = "true",
             .help = "Keep the index on the paths of events, for queries of others; the "
                     "reports do without it"),
    CONF_ROW("EVENTS_RETENTION_MONTHS", CONF_INT, FIELD(retention_months), .initial = "0",
             .max = 1200,
             .help = "Full months that raw events are kept, rollups stay; 0: for "
                     "ever"),
    CONF_ROW("UPKEEP_INTERVAL_MS", CONF_INT, FIELD(upkeep_interval_ms),
             .initial = "3600000", .min = 100, .max = 86400000,
             .help = "Pause between two checks of partitions and retention, in ms"),
    CONF_ROW("SALTS_POLL_MS", CONF_INT, FIELD(salts_poll_ms), .initial = "60000",
             .min = 50, .max = 3600000,
             .help =
                 "Pause between two checks for expired salts of visitors, which Redis "
                 "then rewrites its file without, in ms"),
    CONF_ROW("LOG_JOBS_MAX", CONF_INT, FIELD(log_jobs_max), .initial = "100",
             .max = 100000,
             .help = "Largest batch that logs a line for each job; a larger one "
                     "logs one line in all"),
    CONF_LOG_LEVEL(struct processor_conf),
    HTTP_CONF_LIMITS(struct processor_conf, "100", 100000),
    HTTP_CONF_TIMEOUTS(struct processor_conf, "75000"),
    CONF_ROW("SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms),
             .initial = "4000", .max = 600000,
             .help = "Longest time after SIGTERM for the batches under way, in ms; "
                     "then they are handed back"),
    CONF_ROW("migrate", CONF_SWITCH, FIELD(migrate),
             .help = "Bring the database up to date and exit"),
    {0},
};

const struct conf_program processor_program = {
    .name = "processor",
    .summary = "stores the events of the queue in Postgres and keeps the rollups",
    .items = items,
    .commands =
        "  --dead list|show|replay|purge\n"
        "      look through, repeat or delete dead letters: see processor --dead "
        "--help\n"
        "  --sites list|set|rebuild|forget|delete\n"
        "      list sites, set their time zones, count them anew, delete them: see "
        "processor --sites --help\n",
};
