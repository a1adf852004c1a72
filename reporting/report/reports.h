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

/* After the columns of what is kept by the version of the rollups. */
#define VERSION ", (SELECT report_version()) AS report_version"

#define STATS_COLUMNS "SELECT total_views, unique_users, path, views"

/* After the columns of what raw events answer: a day, where some that were asked are dropped. */
#define EXACT_RAW_FROM(day) ", (SELECT stats_raw_from($1, " day ")) AS raw_from"

/* In front of the results of a range of days. */
#define RANGE_COLUMNS                                                                    \
                                                                                         \
    {"site_id", .type = REPORT_ASKED, .asked = ASK_SITE_ID},                             \
        {"from", .type = REPORT_ASKED, .asked = ASK_FROM},                               \
        {"to", .type = REPORT_ASKED, .asked = ASK_TO},                                   \
        {"time_zone", .type = REPORT_TEXT},                                              \
        {"as_of", .type = REPORT_TEXT, .format = "date-time"},                           \
    {                                                                                    \
        "source", .type = REPORT_SOURCE                                                  \
    }

/* Columns in the order of enum figure; `of` is their table. */
#define FIGURES(of)                                                                      \
    of "users, " of "visits, " of "pageviews, " of "events, " of "bounces, " of          \
       "visit_views, " of "duration, " of "all_users"

/* Schemas of what a statement makes itself. */
#define LAST_MINUTES                                                                     \
    "{'type':'array','items':{'type':'integer'},'minItems':30,'maxItems':30}"
#define FIRST_TEN(name)                                                                  \
    "{'type':'array','maxItems':10,'items':{'type':'object','required':['" name          \
    "','visitors'],'properties':{'" name                                                 \
    "':{'type':'string'},'visitors':{'type':'integer'}},'additionalProperties':false}}"

/* What filters are for raw events. */
#define FILTERS                                                                          \
    ASK_METRICS, ASK_FILTER_PROPERTIES, ASK_CLAUSES, ASK_NEGATED, ASK_FILTER_VALUES,     \
        ASK_PATTERNS

/* clang-format off */
#define REPORTS(REPORT, STATEMENT)                                                       \
    STATEMENT(SCHEMA_VERSION, "schema_version",                                          \
        .sql = "SELECT max(version), max(readable_since) FROM schema_version",           \
        .pool = POOL_HEALTH)                                                             \
    REPORT(STATS, "stats", "/stats",                                                     \
        .help = "All events of a site, its users and its ten top pages",                 \
        .is_kept = true, .is_shared = true,                                              \
        .sql = STATS_COLUMNS VERSION " FROM stats($1, $2)",                              \
        VALUES(ASK_SITE_ID, ASK_DATE),                                                   \
        .params = ASK_PARAM_SITE_ID | ASK_PARAM_DATE | ASK_PARAM_EXACT | ASK_PARAM_OTHERS, \
        COLUMNS({"site_id", .type = REPORT_ASKED, .asked = ASK_SITE_ID}, {"date", .type = REPORT_ASKED, .asked = ASK_DATE}, \
                {"total_views", .type = REPORT_INT}, {"unique_users", .type = REPORT_INT}, \
                {"top_paths", .type = REPORT_LIST},                                      \
                {"path", .type = REPORT_TEXT}, {"views", .type = REPORT_INT}))           \
    STATEMENT(STATS_EXACT_DAY, "stats_exact_day",                                        \
        .sql = STATS_COLUMNS EXACT_RAW_FROM("$2") " FROM stats_exact_day($1, $2)",       \
        VALUES(ASK_SITE_ID, ASK_DATE), .pool = POOL_RAW)                                 \
    STATEMENT(STATS_EXACT_ALL, "stats_exact_all",                                        \
        .sql = STATS_COLUMNS EXACT_RAW_FROM("NULL") " FROM stats_exact_all($1)",         \
        VALUES(ASK_SITE_ID), .pool = POOL_RAW)                                           \
    STATEMENT(VERSION, "report_version", .sql = "SELECT report_version()")               \
    STATEMENT(NOW, "report_now",                                                         \
        .sql = "SELECT *, report_version() FROM report_now($1)", VALUES(ASK_SITE_ID))    \
    REPORT(AGGREGATE, "aggregate", "/stats/aggregate",                                   \
        .help = "Figures of a range of days",                                            \
        .is_kept = true, .is_shared = true,                                              \
        .sql = "SELECT h.*, f.*, p.*" VERSION " FROM report_head($1) AS h CROSS JOIN "   \
               "report_figures($1, $2, $3, NULL, $4) AS f CROSS JOIN "                   \
               "report_figures($1, $5, $6, $7, $8) AS p",                                \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE, ASK_PREVIOUS_FROM,              \
               ASK_PREVIOUS_TO, ASK_PREVIOUS_HOUR, ASK_PREVIOUS_SINCE),                  \
        .params = ASK_PARAMS_RANGE | ASK_PARAM_FILTERS, .has_range = true,               \
        COLUMNS(RANGE_COLUMNS, {"results", .type = REPORT_TOTALS}))                      \
    REPORT(TIMESERIES, "timeseries", "/stats/timeseries",                                \
        .help = "Figures of a range of days by hours, days, weeks or months",            \
        .is_kept = true, .is_shared = true,                                              \
        .sql = "SELECT h.*, report_time(f.at, h.time_zone), " FIGURES("f.") ", "         \
               FIGURES("p.") VERSION " FROM report_head($1) AS h CROSS JOIN "            \
               "report_series($1, $9, $2, $3, NULL, $4) AS f LEFT JOIN "                 \
               "report_series($1, $9, $5, $6, $7, $8) AS p USING (place) ORDER BY place", \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE, ASK_PREVIOUS_FROM,              \
               ASK_PREVIOUS_TO, ASK_PREVIOUS_HOUR, ASK_PREVIOUS_SINCE, ASK_INTERVAL),    \
        .params = ASK_PARAMS_RANGE | ASK_PARAM_INTERVAL | ASK_PARAM_FILTERS,             \
        .has_range = true,                                                               \
        COLUMNS(RANGE_COLUMNS, {"interval", .type = REPORT_ASKED, .asked = ASK_INTERVAL}, \
                {"results", .type = REPORT_LIST}, {"time", .type = REPORT_TEXT, .format = "date-time"},        \
                {"", .type = REPORT_FIGURES}))                                           \
    STATEMENT(AGGREGATE_FILTERED, "aggregate_filtered",                                  \
        .is_kept = true,                                                                 \
        .sql = "SELECT h.*, f.*, p.*" VERSION " FROM report_head($1) AS h CROSS JOIN "   \
               "report_passed_figures($1, $2, $3, $4, $7, $8, $9, $10) AS f CROSS JOIN " \
               "report_passed_figures($1, $2, $5, $6, $7, $8, $9, $10) AS p",            \
        VALUES(ASK_SITE_ID, ASK_FILTERED, ASK_FROM, ASK_TO, ASK_PREVIOUS_FROM,           \
               ASK_PREVIOUS_TO, ASK_CLAUSES, ASK_NEGATED, ASK_FILTER_VALUES,             \
               ASK_PATTERNS))                                                            \
    STATEMENT(TIMESERIES_FILTERED, "timeseries_filtered",                                \
        .is_kept = true,                                                                 \
        .sql = "SELECT h.*, report_time(f.at, h.time_zone), " FIGURES("f.") ", "         \
               FIGURES("p.") VERSION " FROM report_head($1) AS h CROSS JOIN "            \
               "report_passed_series($1, $2, $11, $3, $4, $7, $8, $9, $10) AS f "        \
               "LEFT JOIN report_passed_series($1, $2, $11, $5, $6, $7, $8, $9, $10) "   \
               "AS p "                                                                   \
               "USING (place) ORDER BY place",                                           \
        VALUES(ASK_SITE_ID, ASK_FILTERED, ASK_FROM, ASK_TO, ASK_PREVIOUS_FROM,           \
               ASK_PREVIOUS_TO, ASK_CLAUSES, ASK_NEGATED, ASK_FILTER_VALUES,             \
               ASK_PATTERNS, ASK_INTERVAL))                                              \
    STATEMENT(AGGREGATE_RAW, "aggregate_raw",                                            \
        .sql = "SELECT h.*, " FIGURES("f.") ", " FIGURES("p.") " FROM report_head($1) "  \
               "AS h LEFT JOIN raw_range($1, NULL, $2, $3, NULL, $4, $9, $10, $11, $12, " \
               "$13, $14) AS f ON true LEFT JOIN raw_range($1, NULL, $5, $6, $7, $8, $9, " \
               "$10, $11, $12, $13, $14) AS p ON true",                                  \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE, ASK_PREVIOUS_FROM,              \
               ASK_PREVIOUS_TO, ASK_PREVIOUS_HOUR, ASK_PREVIOUS_SINCE, FILTERS),         \
        .pool = POOL_RAW)                                                                \
    STATEMENT(TIMESERIES_RAW, "timeseries_raw",                                          \
        .sql = "SELECT h.*, report_time(f.at, h.time_zone), " FIGURES("f.") ", "         \
               FIGURES("p.") " FROM report_head($1) AS h CROSS JOIN "                    \
               "raw_series($1, $15, $2, $3, NULL, $4, $9, $10, $11, $12, $13, $14) AS f " \
               "LEFT JOIN raw_series($1, $15, $5, $6, $7, $8, $9, $10, $11, $12, $13, "  \
               "$14) AS p USING (place) ORDER BY place",                                 \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE, ASK_PREVIOUS_FROM,              \
               ASK_PREVIOUS_TO, ASK_PREVIOUS_HOUR, ASK_PREVIOUS_SINCE, FILTERS,          \
               ASK_INTERVAL),                                                            \
        .pool = POOL_RAW)                                                                \
    STATEMENT(BREAKDOWN_RAW, "breakdown_raw",                                            \
        .sql = "SELECT h.*, f.value, f.is_other, " FIGURES("f.") ", "                    \
               FIGURES("f.previous_") " FROM report_head($1) AS h LEFT JOIN "            \
               "raw_breakdown($1, $15, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "  \
               "$13, $14, $16, $17) AS f ON true ORDER BY f.place",                      \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE, ASK_PREVIOUS_FROM,              \
               ASK_PREVIOUS_TO, ASK_PREVIOUS_HOUR, ASK_PREVIOUS_SINCE, FILTERS,          \
               ASK_PROPERTY, ASK_LIMIT, ASK_OFFSET),                                     \
        .pool = POOL_RAW)                                                                \
    REPORT(REALTIME, "realtime", "/stats/realtime",                                      \
        .help = "Who is there now",                                                      \
        .is_shared = true,                                                               \
        .sql = "SELECT * FROM report_realtime($1)",                                      \
        .pool = POOL_RAW, VALUES(ASK_SITE_ID), .params = ASK_PARAM_SITE_ID,              \
        COLUMNS({"site_id", .type = REPORT_ASKED, .asked = ASK_SITE_ID},                 \
                {"as_of", .type = REPORT_TEXT, .format = "date-time"},                   \
                {"visitors", .type = REPORT_INT},                                        \
                {"minutes", .type = REPORT_JSON, .schema = LAST_MINUTES},                \
                {"pages", .type = REPORT_JSON, .schema = FIRST_TEN("page")},             \
                {"sources", .type = REPORT_JSON, .schema = FIRST_TEN("source")}))        \
    REPORT(BREAKDOWN, "breakdown", "/stats/breakdown",                                   \
        .help = "Figures of a range of days by the values of a property",                \
        .is_kept = true, .is_shared = true,                                              \
        .sql = "SELECT h.*, f.value, f.is_other, " FIGURES("f.") ", "                    \
               FIGURES("f.previous_") VERSION " FROM report_head($1) AS h LEFT JOIN "    \
               "report_breakdown($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "    \
               "$13) AS f ON true ORDER BY f.place",                                          \
        VALUES(ASK_SITE_ID, ASK_PROPERTY, ASK_FROM, ASK_TO, ASK_PREVIOUS_FROM,           \
               ASK_PREVIOUS_TO, ASK_SORT, ASK_CLAUSES, ASK_NEGATED, ASK_FILTER_VALUES,   \
               ASK_PATTERNS, ASK_LIMIT, ASK_OFFSET),                                     \
        .params = ASK_PARAMS_RANGE | ASK_PARAM_PROPERTY | ASK_PARAM_FILTERS |            \
                  ASK_PARAM_LIMIT | ASK_PARAM_PAGE,                                      \
        .has_range = true, .is_paged = true,                                             \
        COLUMNS(RANGE_COLUMNS, {"property", .type = REPORT_ASKED, .asked = ASK_PROPERTY}, \
                {"results", .type = REPORT_LIST}, {"", .type = REPORT_VALUE},            \
                {"other", .type = REPORT_OTHER}, {"", .type = REPORT_FIGURES}))          \
    REPORT(EXPORT, "export", "/export",                                                  \
        .help = "The raw events of a range of days",                                     \
        .sql = "COPY (SELECT * FROM report_export(current_setting('analytics.value1'), " \
               "current_setting('analytics.value2')::date, "                             \
               "current_setting('analytics.value3')::date, "                             \
               "nullif(current_setting('analytics.value4'), '')::timestamptz)) "         \
               "TO STDOUT",                                                              \
        VALUES(ASK_SITE_ID, ASK_FROM, ASK_TO, ASK_SINCE),                                \
        .params = ASK_PARAM_SITE_ID | ASK_PARAM_PERIOD | ASK_PARAM_DATE |                \
                  ASK_PARAM_FROM | ASK_PARAM_TO | ASK_PARAM_EXPORT_FORMAT,               \
        .has_range = true, .is_export = true)                                            \
    REPORT(SITES, "sites", "/sites",                                                     \
        .help = "The sites, and their time zones",                                       \
        .sql = "SELECT report_utc(r.finished_at), s.* FROM rollup_state r LEFT JOIN "    \
               "report_sites($1, $2) AS s ON true ORDER BY s.site_id",                   \
        VALUES(ASK_LIMIT, ASK_OFFSET),                                                   \
        .params = ASK_PARAM_LIMIT | ASK_PARAM_PAGE | ASK_PARAM_FORMAT, .is_paged = true, \
        COLUMNS({"as_of", .type = REPORT_TEXT, .format = "date-time"},                   \
                {"results", .type = REPORT_LIST}, {"site_id", .type = REPORT_TEXT},      \
                {"time_zone", .type = REPORT_TEXT},                                      \
                {"first_day", .type = REPORT_TEXT, .format = "date", .is_optional = true}, \
                {"last_day", .type = REPORT_TEXT, .format = "date", .is_optional = true}, \
                {"views_today", .type = REPORT_INT}))
/* clang-format on */

#endif
