/* upkeep.c -- see upkeep.h. */
#include "processor/upkeep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "processor/conf.h"
#include "processor/metrics.h"
#include "shared/base/failpoint.h"
#include "shared/base/log.h"
#include "shared/pg/conn.h"

enum {
    DELETE_MAX_ROWS = 10000, /* of old events in one transaction */
    SITES_MS = 200,          /* that a look through the sites may take at once */
    VISITS_MAX = 100000,     /* that are counted: it stands for more */
    NUMBER_MAX = 24,
};

enum err_code upkeep_configure(struct upkeep *upkeep, struct err *err)
{
    const struct processor_conf *conf = upkeep->conf;
    char sites[NUMBER_MAX];
    char texts[NUMBER_MAX];
    char days[NUMBER_MAX];
    const char *values[] = {sites, texts, days};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(sites, sizeof(sites), "%" PRId64, conf->sites_max);
    (void)snprintf(texts, sizeof(texts), "%" PRId64, conf->rollup_values_max);
    (void)snprintf(days, sizeof(days), "%" PRId64, conf->rollup_hours_days);
    code = pg_conn_exec(upkeep->conn, "SELECT rollup_configure($1, $2, $3)", 3, values,
                        upkeep->patience_ms, &result, err);
    PQclear(result);
    return code;
}

/* Runs a function of two integers and returns the numbers of its row's first columns. */
static enum err_code call(struct upkeep *upkeep, const char *sql, int64_t a, int64_t b,
                          int64_t ret_numbers[2], struct err *err)
{
    char first[NUMBER_MAX];
    char second[NUMBER_MAX];
    const char *values[] = {first, second};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(first, sizeof(first), "%" PRId64, a);
    (void)snprintf(second, sizeof(second), "%" PRId64, b);
    code = pg_conn_exec(upkeep->conn, sql, 2, values, upkeep->patience_ms, &result, err);
    if (code)
        return code;
    for (int column = 0; column < 2; column++)
        ret_numbers[column] = pg_int_at(result, 0, column);
    PQclear(result);
    return ERR_OK;
}

static enum err_code add_partitions(struct upkeep *upkeep, struct err *err)
{
    int64_t back = upkeep->conf->partition_months_back;
    int64_t retention = upkeep->conf->retention_months;
    int64_t made[2];
    enum err_code code;

    if (retention > 0 && back > retention)
        back = retention; /* or the next step would drop them again */
    code = call(upkeep, "SELECT events_add_partitions($1, $2), 0", back,
                upkeep->conf->partition_months_ahead, made, err);
    if (!code)
        metric_add(&upkeep->metrics->partitions_made, made[0]);
    if (!code)
        code = FAILPOINT("maintainer.partitions", err);
    if (!code && made[0] > 0)
        log_line(LOG_INFO, "made partitions", LOG_FIELDS(log_int("partitions", made[0])));
    return code;
}

/* One transaction: the roll-up comes in between, and the end of the process. */
static enum err_code drop_old(struct upkeep *upkeep, struct err *err)
{
    int64_t gone[2] = {0, 0};
    enum err_code code;

    upkeep->leaves_more = false;
    if (upkeep->conf->retention_months == 0)
        return ERR_OK;
    code = call(upkeep, "SELECT dropped, deleted FROM events_drop_old($1, $2)",
                upkeep->conf->retention_months, DELETE_MAX_ROWS, gone, err);
    if (code)
        return code;
    metric_add(&upkeep->metrics->partitions_dropped, gone[0]);
    metric_add(&upkeep->metrics->events_removed, gone[1]);
    if (gone[0] + gone[1] > 0)
        log_line(LOG_INFO, "removed old events",
                 LOG_FIELDS(log_int("partitions", gone[0]), log_int("rows", gone[1])));
    upkeep->leaves_more = gone[1] == DELETE_MAX_ROWS;
    return ERR_OK;
}

/* One transaction for each partition: they are locked meanwhile. */
static enum err_code keep_paths_index(struct upkeep *upkeep, struct err *err)
{
    bool is_wanted = upkeep->conf->has_paths_index;
    int64_t made[2] = {0, 0};
    enum err_code code = call(upkeep, "SELECT events_keep_paths_index($1), $2::integer",
                              is_wanted, 0, made, err);

    if (!code && made[0] > 0) {
        upkeep->leaves_more = true;
        log_line(LOG_INFO,
                 is_wanted ? "built a part of the index on paths"
                           : "dropped the index on paths",
                 NULL);
    }
    return code;
}

/* Folds months and deletes old hours, site by site, and what commands have left to delete. */
static enum err_code keep_sites(struct upkeep *upkeep, struct err *err)
{
    int64_t next[2];
    enum err_code code =
        call(upkeep, "SELECT coalesce(next, -1), deleted FROM rollup_keep_sites($1, $2)",
             upkeep->after_site, SITES_MS, next, err);

    if (code)
        return code;
    upkeep->after_site = next[0] >= 0 ? next[0] : 0;
    upkeep->leaves_more = upkeep->leaves_more || next[0] >= 0;
    return ERR_OK;
}

static enum err_code count_partitions(struct upkeep *upkeep, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code = pg_conn_exec(
        upkeep->conn,
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass", 0, NULL,
        upkeep->patience_ms, &result, err);

    if (!code)
        metric_set(&upkeep->metrics->partitions, pg_int_at(result, 0, 0));
    PQclear(result);
    return code;
}

enum err_code upkeep_count_visits(struct upkeep *upkeep, struct err *err)
{
    int64_t open[2];
    enum err_code code =
        call(upkeep, "SELECT visits_open($1), $2::integer", VISITS_MAX, 0, open, err);

    if (!code)
        metric_set(&upkeep->metrics->visits_open, open[0]);
    return code;
}

enum err_code upkeep_run(struct upkeep *upkeep, struct err *err)
{
    enum err_code code = add_partitions(upkeep, err);

    if (!code)
        code = drop_old(upkeep, err);
    if (!code)
        code = keep_paths_index(upkeep, err);
    if (!code)
        code = keep_sites(upkeep, err);
    return code ? code : count_partitions(upkeep, err);
}
