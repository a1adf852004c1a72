/* session.c -- see session.h. */
#include "processor/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/conf.h"
#include "processor/migrate.h"
#include "shared/pg/conn.h"

enum {
    PATIENCE_MS = 5000 /* for the answer to come after the server's own timeout */
};

int64_t session_patience_ms(int64_t statement_timeout_ms)
{
    return statement_timeout_ms + PATIENCE_MS;
}

/* A setting of the server, and what it must be or must not be. */
struct assertion {
    const char *setting;
    const char *wanted;
    const char *refused;
};

/* A commit outlives a crash of the server and of its machine; texts are read as the UTF-8 that
 * they are, since a COPY in binary form is not converted; and the server takes writes. */
static const struct assertion assertions[] = {
    {"fsync", "on", NULL},
    {"full_page_writes", "on", NULL},
    {"synchronous_commit", NULL, "off"},
    {"server_encoding", "UTF8", NULL},
    {"client_encoding", "UTF8", NULL},
    {"standard_conforming_strings", "on", NULL},
    {"transaction_read_only", "off", NULL},
};

static enum err_code check_setting(PGconn *conn, const struct assertion *assertion,
                                   int64_t timeout_ms, struct err *err)
{
    const char *values[] = {assertion->setting};
    PGresult *result = NULL;
    const char *found;
    enum err_code code = pg_conn_exec(conn, "SELECT current_setting($1)", 1, values,
                                      timeout_ms, &result, err);

    if (code)
        return code;
    found = PQgetvalue(result, 0, 0);
    if ((assertion->wanted && strcmp(found, assertion->wanted) != 0) ||
        (assertion->refused && strcmp(found, assertion->refused) == 0))
        code = err_set(
            err,
            strcmp(assertion->setting, "transaction_read_only") == 0 ? ERR_READ_ONLY
                                                                     : ERR_CONFIG,
            "Postgres runs with %s=%s, which %s", assertion->setting, found,
            assertion->wanted ? "must be otherwise" : "may lose what was committed");
    PQclear(result);
    return code;
}

static enum err_code check_version(PGconn *conn, int64_t timeout_ms, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(conn, "SELECT coalesce(max(version), 0) FROM schema_version", 0,
                     NULL, timeout_ms, &result, err);
    long found;

    if (code)
        return code;
    found = strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    if (found != migrate_version())
        return err_set(err, ERR_SCHEMA,
                       "the database has version %ld of the schema, this program %d: run "
                       "`processor --migrate` of the newer one",
                       found, migrate_version());
    return ERR_OK;
}

enum err_code session_open(const struct session_options *options, PGconn **ret_conn,
                           struct err *err)
{
    struct pg_conn_options conn_options = pg_conf_options(&options->conf->pg);
    int64_t timeout_ms = session_patience_ms(options->statement_timeout_ms);
    PGconn *conn = NULL;
    enum err_code code;

    conn_options.application_name = options->application_name;
    conn_options.statement_timeout_ms = options->statement_timeout_ms;
    conn_options.lock_timeout_ms = options->conf->lock_timeout_ms;
    conn_options.needs_primary = true;
    conn_options.last_host = options->last_host;
    code = pg_conn_open(&conn_options, &conn, err);
    if (code)
        return code;
    for (size_t i = 0; i < sizeof(assertions) / sizeof(assertions[0]) && !code; i++)
        code = check_setting(conn, &assertions[i], timeout_ms, err);
    if (!code && !options->is_before_migration)
        code = check_version(conn, timeout_ms, err);
    if (code) {
        PQfinish(conn);
        return code;
    }
    *ret_conn = conn;
    return ERR_OK;
}
