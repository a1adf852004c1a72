/* stats_rows.c -- see stats_rows.h. */
#include "reporting/report/stats_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "reporting/report/stats.h"

enum column {
    COLUMN_TOTAL_VIEWS,
    COLUMN_UNIQUE_USERS,
    COLUMN_PATH,
    COLUMN_VIEWS,
    COLUMN_COUNT
};

static bool read_number(const PGresult *rows, int row, enum column column,
                        int64_t *ret_number)
{
    const char *text = PQgetvalue(rows, row, (int)column);
    char *end;

    errno = 0;
    *ret_number = strtoll(text, &end, 10);
    return end != text && *end == '\0' && errno == 0;
}

static bool read_path(const PGresult *rows, int row, struct stats_path *ret_path)
{
    ret_path->path = PQgetvalue(rows, row, COLUMN_PATH);
    ret_path->len = (size_t)PQgetlength(rows, row, COLUMN_PATH);
    return read_number(rows, row, COLUMN_VIEWS, &ret_path->views);
}

static bool read_rows(const PGresult *rows, struct stats *stats)
{
    int count = PQntuples(rows);

    if (count < 1 || count > STATS_PATHS_MAX || PQnfields(rows) != COLUMN_COUNT)
        return false;
    if (!read_number(rows, 0, COLUMN_TOTAL_VIEWS, &stats->total_views) ||
        !read_number(rows, 0, COLUMN_UNIQUE_USERS, &stats->unique_users))
        return false;
    if (PQgetisnull(rows, 0, COLUMN_PATH))
        return count == 1; /* a site without events */
    for (int row = 0; row < count; row++) {
        if (!read_path(rows, row, &stats->paths[stats->path_count++]))
            return false;
    }
    return true;
}

enum err_code stats_rows_read(const PGresult *rows, struct stats *ret_stats,
                              struct err *err)
{
    struct stats stats = {0};

    if (!read_rows(rows, &stats))
        return err_set(err, ERR_BUG, "the rows of a stats query have another form");
    *ret_stats = stats;
    return ERR_OK;
}
