/* source.c -- see source.h. */
#include "reporting/export/source.h"

#include <stdio.h>
#include <string.h>

#include "shared/event/event.h"
#include "shared/pg/conn.h"
#include "shared/settings/pg_conf.h"

enum {
    NAME_MAX_BYTES = 32, /* of a setting */

    /* The numbers of Postgres's types; catalog/pg_type.dat has them. */
    OID_INT8 = 20,
    OID_INT4 = 23,
    OID_TIMESTAMPTZ = 1184,
    OID_JSONB = 3802
};

/* Whether a bigint is 64 bits without a sign: only the table of fields knows. */
static bool is_id64(const char *name)
{
    static const struct {
        const char *key;
        enum event_type type;
    } fields[] = {
#define FIELD_TYPE(NAME, key, TYPE, ...) {key, EVENT_##TYPE},
        EVENT_MORE_FIELDS(FIELD_TYPE)
#undef FIELD_TYPE
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].type == EVENT_ID64 && strcmp(fields[i].key, name) == 0)
            return true;
    }
    return false;
}

static enum row_kind kind_of(Oid type, const char *name)
{
    switch (type) {
    case OID_INT8:
        return is_id64(name) ? ROW_ID64 : ROW_NUMBER;
    case OID_INT4:
        return ROW_NUMBER;
    case OID_TIMESTAMPTZ:
        return ROW_TIME;
    case OID_JSONB:
        return ROW_JSON;
    default:
        return ROW_TEXT;
    }
}

static enum err_code read_columns(PGconn *conn, int64_t timeout_ms,
                                  struct row_columns *columns, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code = pg_conn_exec(conn, "SELECT * FROM events LIMIT 0", 0, NULL,
                                      timeout_ms, &result, err);

    if (!code && PQnfields(result) > ROW_COLUMNS_MAX)
        code = err_set(err, ERR_BUG, "events has too many columns");
    columns->count = code ? 0 : (size_t)PQnfields(result);
    for (size_t i = 0; i < columns->count; i++) {
        const char *name = PQfname(result, (int)i);
        (void)snprintf(columns->at[i].name, ROW_NAME_SIZE, "%s", name);
        columns->at[i].kind = kind_of(PQftype(result, (int)i), name);
    }
    PQclear(result);
    return code;
}

static enum err_code set_value(PGconn *conn, size_t number, const struct ask_text *text,
                               int64_t timeout_ms, struct err *err)
{
    char name[NAME_MAX_BYTES];
    const char *values[] = {name, text->bytes};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(name, sizeof(name), "analytics.value%zu", number);
    code = pg_conn_exec(conn, "SELECT set_config($1, $2, true)", 2, values, timeout_ms,
                        &result, err);
    PQclear(result);
    return code;
}

enum err_code source_open(const struct pg_conf *pg, int64_t timeout_ms,
                          const struct report *report,
                          const struct ask_text texts[ASK_TEXT_COUNT],
                          struct row_columns *ret_columns, PGconn **ret_conn,
                          struct err *err)
{
    struct pg_conn_options options = pg_conf_options(pg);
    int64_t step_ms = pg->connect_timeout_ms;
    PGconn *conn = NULL;
    enum err_code code;

    options.application_name = "analytics-reporting-export";
    options.statement_timeout_ms = timeout_ms;
    options.read_only = true;
    options.is_quick = true;
    options.ends_with_client = true;
    options.shuffles_hosts = true;
    code = pg_conn_open(&options, &conn, err);
    if (code)
        return code;
    if (report->is_export)
        code = read_columns(conn, step_ms, ret_columns, err);
    if (!code)
        code = pg_conn_run(conn, "BEGIN", step_ms, NULL, 0, err);
    for (size_t i = 0; report->is_export && i < report->value_count && !code; i++)
        code = set_value(conn, i + 1, &texts[report->values[i]], step_ms, err);
    if (code)
        PQfinish(conn);
    else
        *ret_conn = conn;
    return code;
}
