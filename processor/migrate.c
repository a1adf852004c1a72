/* migrate.c -- see migrate.h. */
#include "processor/migrate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/failpoint.h"
#include "shared/pg/conn.h"

/* A migration may rewrite tables: an hour.  The lock is waited for as long; a processor
 * that is paused between two statements loses it after 5 s, so that others can start. */
enum {
    MIGRATE_TIMEOUT_MS = 3600000
};

/* Any number will do, as long as all processors of a database agree on it. */
#define MIGRATE_LOCK "7236271843561000"

int migrate_version(void)
{
    size_t count;
    const struct migration *list = migrations(&count);

    assert(count > 0);
    return list[count - 1].version;
}

/* Whether the database has a schema of ours at all.  Read from the catalog: to_regclass()
 * would go on saying no from its cache while another processor makes it. */
static enum err_code has_schema(PGconn *conn, bool *ret_has, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code = pg_conn_exec(
        conn,
        "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'schema_version' "
        "AND pg_table_is_visible(oid))",
        0, NULL, MIGRATE_TIMEOUT_MS, &result, err);

    if (code)
        return code;
    *ret_has = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return ERR_OK;
}

static enum err_code compare(const PGresult *result, int *ret_version, struct err *err)
{
    size_t count;
    const struct migration *list = migrations(&count);

    for (int row = 0; row < PQntuples(result); row++) {
        int version = (int)strtol(PQgetvalue(result, row, 0), NULL, 10);

        if (version > migrate_version())
            return err_set(
                err, ERR_CONFIG,
                "the database has version %d of the schema, this program knows "
                "%d: it is too old for it. Use the newer program, of which "
                "`processor --migrate` has been run",
                version, migrate_version());
        if (version != row + 1 ||
            strcmp(PQgetvalue(result, row, 1), list[row].checksum) != 0)
            return err_set(
                err, ERR_CONFIG,
                "migration %d of the database is not the one of this program "
                "(%s): it was made by another release, or by a commit that was "
                "never released, whose databases are not carried over. Use the "
                "program that made it, or make the database anew: an empty "
                "one in DATABASE_URL (of scripts/up: stop it and remove var/)",
                version, list[row].name);
        *ret_version = version;
    }
    return ERR_OK;
}

/* Whether the functions of the database are those of this program, or of a newer one: two
 * processors of different versions would otherwise replace each other's in turn. */
static enum err_code find_functions(PGconn *conn, bool *ret_are_there, struct err *err)
{
    const char *values[] = {migration_functions_checksum(), ANALYTICS_VERSION};
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(conn,
                     "SELECT EXISTS (SELECT FROM schema_functions WHERE checksum = $1 "
                     "OR string_to_array(program, '.')::integer[] > "
                     "string_to_array($2, '.')::integer[])",
                     2, values, MIGRATE_TIMEOUT_MS, &result, err);

    if (!code)
        *ret_are_there = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return code;
}

/* The version that the database has; 0 for none. */
static enum err_code find_version(PGconn *conn, int *ret_version, struct err *err)
{
    PGresult *result = NULL;
    bool has = false;
    enum err_code code = has_schema(conn, &has, err);

    *ret_version = 0;
    if (code || !has)
        return code;
    code = pg_conn_exec(conn,
                        "SELECT version, checksum FROM schema_version ORDER BY version",
                        0, NULL, MIGRATE_TIMEOUT_MS, &result, err);
    if (code)
        return code;
    code = compare(result, ret_version, err);
    PQclear(result);
    return code;
}

static enum err_code apply(PGconn *conn, const struct migration *migration,
                           struct err *err)
{
    char version[16];
    char since[16];
    const char *values[] = {version, migration->name, migration->checksum, since};
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_run(conn, migration->sql, MIGRATE_TIMEOUT_MS, NULL, 0, err);

    if (code)
        return err_wrap(err, "could not apply %s", migration->name);
    (void)snprintf(version, sizeof(version), "%d", migration->version);
    (void)snprintf(since, sizeof(since), "%d", migration->readable_since);
    code = pg_conn_exec(conn,
                        "INSERT INTO schema_version (version, name, checksum, "
                        "readable_since) VALUES ($1, $2, $3, $4)",
                        4, values, MIGRATE_TIMEOUT_MS, &result, err);
    PQclear(result);
    return code;
}

static enum err_code apply_missing(PGconn *conn, int version, int *ret_applied,
                                   struct err *err)
{
    size_t count;
    const struct migration *list = migrations(&count);
    enum err_code code = ERR_OK;

    for (size_t i = (size_t)version; i < count && !code; i++) {
        code = apply(conn, &list[i], err);
        if (!code)
            code = FAILPOINT("migrate.applied", err);
        if (!code)
            (*ret_applied)++;
    }
    return code;
}

static enum err_code apply_functions(PGconn *conn, struct err *err)
{
    const char *values[] = {migration_functions_checksum(), ANALYTICS_VERSION};
    PGresult *result = NULL;
    size_t count;
    const struct migration_function *list = migration_functions(&count);
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < count && !code; i++) {
        code = pg_conn_run(conn, list[i].sql, MIGRATE_TIMEOUT_MS, NULL, 0, err);
        if (code)
            return err_wrap(err, "could not apply %s", list[i].name);
    }
    code =
        pg_conn_exec(conn,
                     "INSERT INTO schema_functions (checksum, program) VALUES ($1, $2) "
                     "ON CONFLICT (only_one) DO UPDATE SET checksum = excluded.checksum, "
                     "program = excluded.program, applied_at = excluded.applied_at",
                     2, values, MIGRATE_TIMEOUT_MS, &result, err);
    PQclear(result);
    if (!code)
        code = FAILPOINT("migrate.functions", err);
    return code;
}

static enum err_code find_hll(PGconn *conn, bool *ret_has, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code = pg_conn_exec(
        conn, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'hll')", 0, NULL,
        MIGRATE_TIMEOUT_MS, &result, err);

    if (code)
        return code;
    *ret_has = PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    return ERR_OK;
}

/* What to do when a migration failed and the extension was missing before it.  The words may
 * be in any language, so it is told by the name in them and by the code. */
static enum err_code explain_hll(struct err *err)
{
    if (err->code == ERR_DENIED)
        return err_wrap(err,
                        "the extension hll is missing and this login may not make it: "
                        "a superuser runs CREATE EXTENSION hll in this database first, "
                        "once");
    if (strstr(err->msg, "58P01") || strstr(err->msg, "0A000")) {
        err->code = ERR_CONFIG;
        return err_wrap(err,
                        "the extension hll is not installed on the server of Postgres: "
                        "install it (Debian's package postgresql-<version>-hll), then a "
                        "superuser runs CREATE EXTENSION hll in this database");
    }
    return err->code;
}

/* What the database has.  Not looked for: the functions of a database without tables. */
struct present {
    int version; /* 0: nothing */
    bool has_functions;
};

static enum err_code find_present(PGconn *conn, struct present *present, struct err *err)
{
    enum err_code code = find_version(conn, &present->version, err);

    present->has_functions = false;
    if (!code && present->version == migrate_version())
        code = find_functions(conn, &present->has_functions, err);
    return code;
}

static enum err_code begin(PGconn *conn, struct err *err)
{
    return pg_conn_run(
        conn,
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
        "SET LOCAL idle_in_transaction_session_timeout = '5s';"
        "SELECT pg_advisory_xact_lock(" MIGRATE_LOCK ")",
        MIGRATE_TIMEOUT_MS, NULL, 0, err);
}

static enum err_code commit(PGconn *conn, struct err *err)
{
    char tag[32] = "";
    enum err_code code =
        pg_conn_run(conn, "COMMIT", MIGRATE_TIMEOUT_MS, tag, sizeof(tag), err);

    if (!code)
        code = FAILPOINT("migrate.committed", err);
    if (!code && strcmp(tag, "COMMIT") != 0)
        code = err_set(err, ERR_BUG, "the migrations were rolled back");
    return code;
}

enum err_code migrate_run(PGconn *conn, int *ret_applied, struct err *err)
{
    struct present present;
    int applied = 0;
    bool has_hll = true;
    enum err_code code = find_present(conn, &present, err);

    if (code || present.has_functions) {
        *ret_applied = 0;
        return code;
    }
    code = begin(conn, err);
    if (!code) /* again: another one may have done it */
        code = find_present(conn, &present, err);
    if (!code)
        code = find_hll(conn, &has_hll, err);
    if (!code)
        code = apply_missing(conn, present.version, &applied, err);
    if (!code && !present.has_functions)
        code = apply_functions(conn, err);
    if (code && !has_hll && strstr(err->msg, "hll"))
        return explain_hll(err);
    if (code == ERR_DENIED)
        return err_wrap(err,
                        "the database has version %d of the schema, this program %d, and "
                        "this login may not change it: migrate as the schema's owner",
                        present.version, migrate_version());
    if (!code)
        code = commit(conn, err);
    if (!code)
        *ret_applied = applied + !present.has_functions;
    return code;
}
