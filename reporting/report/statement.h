/* statement.h -- the SQL of reporting: every statement it runs, by number.
 *
 * Each is prepared once on each connection and afterwards only bound (behind a pooler it is
 * parsed each time, and bound as well), so no text of a client ever becomes SQL.  Each is one statement and so sees one snapshot.  Pure.
 */
#ifndef REPORTING_REPORT_STATEMENT_H
#define REPORTING_REPORT_STATEMENT_H

#include <stddef.h>

enum statement_id {
    STATEMENT_SCHEMA_VERSION,  /* -> (version) */
    STATEMENT_STATS,           /* (site_id, day) from the rollups */
    STATEMENT_STATS_EXACT_DAY, /* (site_id, day) from raw events */
    STATEMENT_STATS_EXACT_ALL, /* (site_id) from raw events */
    STATEMENT_COUNT
};

/* The three of stats have the rows of sql/functions/stats.sql: total_views, unique_users, path,
 * views. */

enum {
    STATEMENT_VALUES_MAX = 2
};

/* The day of STATEMENT_STATS that means all time. */
#define STATEMENT_ALL_TIME "-infinity"

struct statement {
    const char *name;  /* it is prepared under this name */
    const char *types; /* of its values: "(text, date)" */
    const char *sql;
    size_t value_count;
};

/* Static. */
const struct statement *statement_get(enum statement_id id);

#endif
