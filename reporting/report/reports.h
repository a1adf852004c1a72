/* reports.h -- the one table of the reports and of the statements of reporting.
 *
 * REPORT(id, name, path, fields of struct report ...) is a report with a path of its own;
 * STATEMENT(id, name, fields ...) is a statement without one: another source of a report, or
 * what the daemon asks for itself.  The queries stand in sql/functions.
 */
#ifndef REPORTING_REPORT_REPORTS_H
#define REPORTING_REPORT_REPORTS_H

/* The values that are bound as $1, $2, ... */
#define VALUES(...)                                                                      \
    .values = {__VA_ARGS__},                                                             \
    .value_count = sizeof((enum ask_text_id[]){__VA_ARGS__}) / sizeof(enum ask_text_id)

#define COLUMNS(...)                                                                     \
    .columns = (const struct report_column[])                                            \
    {                                                                                    \
        __VA_ARGS__,                                                                     \
        {                                                                                \
            .type = REPORT_END                                                           \
        }                                                                                \
    }

#define STATS_ROWS "SELECT total_views, unique_users, path, views FROM "

/* clang-format off */
#define REPORTS(REPORT, STATEMENT)                                                       \
    STATEMENT(SCHEMA_VERSION, "schema_version",                                          \
        .sql = "SELECT max(version), max(readable_since) FROM schema_version",           \
        .pool = POOL_HEALTH)                                                             \
    REPORT(STATS, "stats", "/stats",                                                     \
        .sql = STATS_ROWS "stats($1, $2)",                                               \
        VALUES(ASK_SITE_ID, ASK_DATE),                                                   \
        .params = ASK_PARAM_SITE_ID | ASK_PARAM_DATE | ASK_PARAM_EXACT | ASK_PARAM_OTHERS, \
        COLUMNS({"site_id", REPORT_ASKED, ASK_SITE_ID}, {"date", REPORT_ASKED, ASK_DATE}, \
                {"total_views", .type = REPORT_INT}, {"unique_users", .type = REPORT_INT}, \
                {"top_paths", .type = REPORT_LIST},                                      \
                {"path", .type = REPORT_TEXT}, {"views", .type = REPORT_INT}))           \
    STATEMENT(STATS_EXACT_DAY, "stats_exact_day",                                        \
        .sql = STATS_ROWS "stats_exact_day($1, $2)",                                     \
        VALUES(ASK_SITE_ID, ASK_DATE), .pool = POOL_RAW)                                 \
    STATEMENT(STATS_EXACT_ALL, "stats_exact_all",                                        \
        .sql = STATS_ROWS "stats_exact_all($1)",                                         \
        VALUES(ASK_SITE_ID), .pool = POOL_RAW)
/* clang-format on */

#endif
