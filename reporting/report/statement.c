/* statement.c -- see statement.h; the queries themselves stand in sql/functions/stats.sql. */
#include "reporting/report/statement.h"

#include <assert.h>

#define ROWS_OF_STATS "SELECT total_views, unique_users, path, views FROM "

static const struct statement statements[STATEMENT_COUNT] = {
    [STATEMENT_SCHEMA_VERSION] = {"schema_version", "",
                                  "SELECT max(version), max(readable_since) "
                                  "FROM schema_version",
                                  0},
    [STATEMENT_STATS] = {"stats", "(text, date)", ROWS_OF_STATS "stats($1, $2)", 2},
    [STATEMENT_STATS_EXACT_DAY] = {"stats_exact_day", "(text, date)",
                                   ROWS_OF_STATS "stats_exact_day($1, $2)", 2},
    [STATEMENT_STATS_EXACT_ALL] = {"stats_exact_all", "(text)",
                                   ROWS_OF_STATS "stats_exact_all($1)", 1},
};

const struct statement *statement_get(enum statement_id id)
{
    assert(id < STATEMENT_COUNT);
    return &statements[id];
}
