/* feed.c -- see feed.h. */
#include "reporting/export/feed.h"

#include "reporting/report/render.h"
#include "shared/base/buf.h"
#include "shared/pg/conn.h"

static enum feed_state fail(const PGresult *result, PGconn *conn, struct err *err)
{
    (void)pg_err_of_result(result, conn, "could not export", err);
    return FEED_FAILS;
}

bool feed_send(const struct feed *feed, PGconn *conn)
{
    const struct report *source = feed->source;
    const char *values[REPORT_VALUES_MAX];

    if (source->is_export)
        return PQsendQuery(conn, source->sql) != 0;
    for (size_t i = 0; i < source->value_count; i++)
        values[i] = feed->ask.texts[source->values[i]].bytes;
    return PQsendQueryParams(conn, source->sql, (int)source->value_count, NULL, values,
                             NULL, NULL, 0) &&
           PQsetSingleRowMode(conn);
}

/* Of a COPY a result says that it has begun, or the error; PQgetCopyData() sees neither until
 * PQgetResult() has taken it. */
enum feed_state feed_begin(const struct feed *feed, PGconn *conn, struct err *err)
{
    enum feed_state state = FEED_ROW;
    PGresult *result;

    if (!feed->source->is_export)
        return state;
    result = PQgetResult(conn);
    if (PQresultStatus(result) != PGRES_COPY_OUT)
        state = fail(result, conn, err);
    PQclear(result);
    return state;
}

enum err_code feed_add_header(const struct feed *feed, struct buf *out)
{
    return feed->source->is_export ? row_add_header(&feed->columns, out)
                                   : render_csv_header(feed->report, &feed->ask, out);
}

static enum feed_state next_of_copy(const struct feed *feed, PGconn *conn,
                                    struct buf *out, struct err *err)
{
    enum feed_state state = FEED_ENDS;
    enum err_code code;
    char *row = NULL;
    PGresult *result;
    int len = PQgetCopyData(conn, &row, true);

    if (len > 0) {
        code = row_add(&feed->columns, row, (size_t)len, out);
        PQfreemem(row);
        if (code)
            (void)err_set(err, code, "could not write a row of an export");
        return code ? FEED_FAILS : FEED_ROW;
    }
    if (len == 0)
        return FEED_WAITS;
    result = PQgetResult(conn);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        state = fail(result, conn, err);
    PQclear(result);
    return state;
}

static enum feed_state next_of_rows(const struct feed *feed, PGconn *conn,
                                    struct buf *out, struct err *err)
{
    enum feed_state state = FEED_ROW;
    ExecStatusType status;
    PGresult *result;

    if (PQisBusy(conn))
        return FEED_WAITS;
    result = PQgetResult(conn);
    status = PQresultStatus(result);
    if (status == PGRES_SINGLE_TUPLE) {
        if (render_csv_lines(feed->report, &feed->ask, result, out, err))
            state = FEED_FAILS;
    } else {
        /* After the last row comes a result without any. */
        state = status == PGRES_TUPLES_OK ? FEED_ENDS : fail(result, conn, err);
    }
    PQclear(result);
    return state;
}

enum feed_state feed_next(const struct feed *feed, PGconn *conn, struct buf *out,
                          struct err *err)
{
    return feed->source->is_export ? next_of_copy(feed, conn, out, err)
                                   : next_of_rows(feed, conn, out, err);
}
