/* statement.c -- see statement.h; the queries themselves stand in sql/004_stats.sql. */
#include "reporting/report/statement.h"

#include <assert.h>

static const struct statement statements[STATEMENT_COUNT] = {
    [STATEMENT_SCHEMA_VERSION] = {"schema_version",
                                  "PREPARE schema_version AS "
                                  "SELECT max(version) FROM schema_version",
                                  0},
    [STATEMENT_STATS] = {"stats",
                         "PREPARE stats(text, date) AS "
                         "SELECT total_views, unique_users, path, views"
                         " FROM stats($1, $2)",
                         2},
    [STATEMENT_STATS_EXACT_DAY] = {"stats_exact_day",
                                   "PREPARE stats_exact_day(text, date) AS "
                                   "SELECT total_views, unique_users, path, views"
                                   " FROM stats_exact_day($1, $2)",
                                   2},
    [STATEMENT_STATS_EXACT_ALL] = {"stats_exact_all",
                                   "PREPARE stats_exact_all(text) AS "
                                   "SELECT total_views, unique_users, path, views"
                                   " FROM stats_exact_all($1)",
                                   1},
};

const struct statement *statement_get(enum statement_id id)
{
    assert(id < STATEMENT_COUNT);
    return &statements[id];
}
