/* err.c -- Postgres's errors in our vocabulary; see conn.h. */
#include "shared/pg/conn.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first row whose prefix fits decides, so a full code stands before its class. */
struct pg_err_row {
    const char *prefix;
    enum err_code code;
};

static const struct pg_err_row rows[] = {
    {"08", ERR_UNAVAILABLE},  /* connection */
    {"57014", ERR_TIMEOUT},   /* statement_timeout, or cancelled by a person */
    {"57P04", ERR_READ_ONLY}, /* database dropped: look for the server again */
    {"57", ERR_UNAVAILABLE},  /* shutting down, starting up, idle for too long */
    {"25006", ERR_READ_ONLY}, /* a standby, or a primary that no longer is one */
    {"25P03", ERR_UNAVAILABLE},
    {"40", ERR_BUSY},        /* serialization, deadlock */
    {"55P03", ERR_BUSY},     /* lock_timeout */
    {"55006", ERR_BUSY},     /* object in use */
    {"53", ERR_BUSY},        /* disk, memory, connections */
    {"58", ERR_UNAVAILABLE}, /* I/O below Postgres */
    {"28", ERR_DENIED},      /* login */
    {"42501", ERR_DENIED},   /* privilege */
    {"3D000", ERR_CONFIG},   /* no such database */
    {"3F000", ERR_SCHEMA},
    {"42", ERR_SCHEMA}, /* table, column, function */
    {"55", ERR_SCHEMA}, /* object not in the state it must be in */
    {"23505", ERR_DUPLICATE},
    {"22", ERR_INVALID},    /* the value itself: bytes, length, range, form */
    {"23", ERR_INVALID},    /* null, check, foreign key, exclusion */
    {"44", ERR_INVALID},    /* the check of a view */
    {"54000", ERR_INVALID}, /* index row too big */
    {"54001", ERR_INVALID}, /* nesting */
    {"P0001", ERR_INVALID}, /* a trigger of the operator's refuses the row */
    {"XX001", ERR_CORRUPT},
    {"XX002", ERR_CORRUPT},
};

/* A row that no partition takes, or that was routed to a partition which was just then
 * cut: both come as check violations, and neither is the row's fault. */
static enum err_code code_of_check(const char *message)
{
    if (message && strstr(message, "no partition of relation"))
        return ERR_SCHEMA;
    if (message && strstr(message, "violates partition constraint"))
        return ERR_BUSY;
    return ERR_INVALID;
}

enum err_code pg_err_code(const char *sqlstate, const char *message)
{
    if (!sqlstate || sqlstate[0] == '\0')
        return ERR_UNAVAILABLE;
    if (strcmp(sqlstate, "23514") == 0)
        return code_of_check(message);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].code;
    }
    return ERR_BUG;
}

/* Copies text up to its first LOCATION line as one line. */
static void one_line(const char *text, char *out, size_t size)
{
    const char *end = strstr(text, "\nLOCATION:");
    size_t len = end ? (size_t)(end - text) : strlen(text);
    size_t used = 0;

    for (size_t i = 0; i < len && used + 1 < size; i++) {
        bool is_space = isspace((unsigned char)text[i]) != 0;

        if (is_space && (used == 0 || out[used - 1] == ' '))
            continue;
        out[used++] = is_space ? ' ' : text[i];
    }
    while (used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
}

enum err_code pg_err_of_result(const PGresult *result, const PGconn *conn,
                               const char *what, struct err *err)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message =
        result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    enum err_code code;
    char line[ERR_MSG_MAX];

    if (!sqlstate || !message)
        return pg_err_of_conn(conn, what, err);
    code = pg_err_code(sqlstate, message);
    /* A check violation that names no constraint is the partitioning's, in a language in
     * which the texts above are not found. */
    if (code == ERR_INVALID && strcmp(sqlstate, "23514") == 0 &&
        !PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME))
        code = ERR_BUSY;
    one_line(message, line, sizeof(line));
    return err_set(err, code, "%s: %s (SQLSTATE %s)", what, line, sqlstate);
}

enum err_code pg_err_of_conn(const PGconn *conn, const char *what, struct err *err)
{
    const char *message = conn ? PQerrorMessage(conn) : "";
    char sqlstate[PG_SQLSTATE_LEN + 1];
    char line[ERR_MSG_MAX];

    pg_err_find_sqlstate(message, sqlstate);
    one_line(message[0] != '\0' ? message : "connection lost", line, sizeof(line));
    return err_set(err, pg_err_code(sqlstate, line), "%s: %s", what, line);
}

static bool is_sqlstate(const char *text)
{
    for (size_t i = 0; i < PG_SQLSTATE_LEN; i++) {
        if (!isdigit((unsigned char)text[i]) && !isupper((unsigned char)text[i]))
            return false;
    }
    return text[PG_SQLSTATE_LEN] == ':';
}

void pg_err_find_sqlstate(const char *message, char out[PG_SQLSTATE_LEN + 1])
{
    /* FATAL:  28P01: password authentication failed */
    for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
        if (is_sqlstate(at + 3)) {
            memcpy(out, at + 3, PG_SQLSTATE_LEN);
            out[PG_SQLSTATE_LEN] = '\0';
            return;
        }
    }
    out[0] = '\0';
}

int64_t pg_err_find_line(const char *context)
{
    const char *at = context ? strstr(context, "COPY ") : NULL;
    long long line;
    char *end;

    at = at ? strstr(at, ", ") : NULL;
    if (!at)
        return 0;
    while (*at != '\0' && *at != '\n' && !isdigit((unsigned char)*at))
        at++;
    if (!isdigit((unsigned char)*at))
        return 0;
    line = strtoll(at, &end, 10);
    return line > 0 && line < INT64_MAX ? (int64_t)line : 0;
}
