/* session.c -- see session.h. */
#include "reporting/session.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reporting/report/report.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/pg/conn.h"
#include "shared/settings/pg_conf.h"

enum {
    PREPARE_MAX_BYTES = 16384
};

/* What is on its way to be a session. */
struct opening {
    PGconn *conn; /* owned until session_open() succeeds */
    int64_t deadline_ms;
};

/* One statement within what is left of the time. */
static enum err_code run(const struct opening *opening, const char *sql,
                         PGresult **ret_result, struct err *err)
{
    int64_t left_ms = opening->deadline_ms - clock_mono_ms();

    if (left_ms <= 0)
        return err_set(err, ERR_TIMEOUT, "could not prepare the connection in time");
    return pg_conn_exec(opening->conn, sql, 0, NULL, left_ms, ret_result, err);
}

/* PREPARE name (type, ...) AS statement */
static enum err_code write_prepare(const struct report *statement, struct buf *out)
{
    enum err_code code = buf_printf(out, "PREPARE %s", statement->name);

    for (size_t i = 0; i < statement->value_count && !code; i++)
        code = buf_printf(out, "%s%s", i > 0 ? ", " : " (",
                          ask_sql_type(statement->values[i]));
    if (!code && statement->value_count > 0)
        code = buf_add_text(out, ")");
    if (!code)
        code = buf_printf(out, " AS %s", statement->sql);
    return code ? code : buf_add(out, "", 1); /* the NUL */
}

static enum err_code prepare(const struct opening *opening, enum statement_id id,
                             struct err *err)
{
    PGresult *result = NULL;
    struct buf command;
    enum err_code code;

    buf_init(&command, PREPARE_MAX_BYTES);
    code = write_prepare(report_get(id), &command);
    if (code)
        (void)err_set(err, code, "could not write a PREPARE");
    else
        code = run(opening, command.data, &result, err);
    PQclear(result);
    buf_release(&command);
    return code;
}

static enum err_code prepare_all(const struct opening *opening, struct err *err)
{
    enum err_code code = ERR_OK;

    for (int id = 0; id < STATEMENT_COUNT && !code; id++) {
        if (!report_get((enum statement_id)id)->is_export) /* COPY cannot be prepared */
            code = prepare(opening, (enum statement_id)id, err);
    }
    return code;
}

static long number_at(const PGresult *result, int column)
{
    return PQntuples(result) == 1 && !PQgetisnull(result, 0, column)
               ? strtol(PQgetvalue(result, 0, column), NULL, 10)
               : 0;
}

enum err_code session_check_version(const PGresult *result, struct err *err)
{
    long version = number_at(result, 0);
    long readable_since = number_at(result, 1);

    if (version >= SCHEMA_VERSION && readable_since <= SCHEMA_VERSION)
        return ERR_OK;
    if (version < SCHEMA_VERSION)
        return err_set(err, ERR_SCHEMA,
                       "the schema has version %ld, this program needs %d: run "
                       "`processor --migrate`",
                       version, SCHEMA_VERSION);
    return err_set(err, ERR_SCHEMA,
                   "the schema has version %ld, which programs of version %ld or newer "
                   "can read, not this one of version %d",
                   version, readable_since, SCHEMA_VERSION);
}

static enum err_code check_version(const struct opening *opening, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        run(opening, report_get(STATEMENT_SCHEMA_VERSION)->sql, &result, err);

    if (!code)
        code = session_check_version(result, err);
    PQclear(result);
    return code;
}

enum err_code session_open(const struct session_options *options, uint64_t *last_host,
                           PGconn **ret_conn, struct err *err)
{
    struct pg_conn_options conn_options = pg_conf_options(options->pg);
    struct opening opening = {0};
    enum err_code code;

    conn_options.application_name = "analytics-reporting";
    conn_options.statement_timeout_ms = options->query_timeout_ms;
    conn_options.read_only = true;
    conn_options.is_quick = true;
    conn_options.ends_with_client = true;
    conn_options.shuffles_hosts = true;
    conn_options.last_host = last_host;
    code = pg_conn_open(&conn_options, &opening.conn, err);
    if (code)
        return code;
    opening.deadline_ms = clock_mono_ms() + options->pg->connect_timeout_ms;
    code = check_version(&opening, err);
    if (!code && !pg_conn_settings(opening.conn))
        code = prepare_all(&opening, err);
    if (code)
        PQfinish(opening.conn);
    else
        *ret_conn = opening.conn;
    return code;
}
