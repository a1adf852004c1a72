/* pg_conn.h -- opening a Postgres connection, and Postgres's errors in our vocabulary.
 *
 * DATABASE_URL is anything libpq takes: a URL, or keyword=value words.  What this adds
 * are timeouts, keepalives, UTF-8, the UTC time zone and an application_name.
 */
#ifndef SHARED_PG_CONN_H
#define SHARED_PG_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"

struct pg_conn_options {
    const char *url;
    const char *application_name;
    int64_t connect_timeout_ms;
    int64_t
        statement_timeout_ms; /* also the wall clock of pg_conn_exec() plus a margin */
    int64_t lock_timeout_ms;  /* 0: none */
    bool read_only;           /* default_transaction_read_only=on */
    bool needs_primary;       /* target_session_attrs=read-write */
};

/* Starts a connection without waiting: PQconnectStartParams().  The caller drives it with
 * PQconnectPoll() and owns it: PQfinish().  ERR_NOMEM; ERR_CONFIG when the URL cannot be
 * understood (the sentence has no password in it). */
enum err_code pg_conn_start(const struct pg_conn_options *options, PGconn **ret_conn,
                            struct err *err) MUST_CHECK;

/* Connects, waiting at most connect_timeout_ms whatever the server does. */
enum err_code pg_conn_open(const struct pg_conn_options *options, PGconn **ret_conn,
                           struct err *err) MUST_CHECK;

/* Runs one statement with bound parameters (text form, NULL for SQL null), waiting at most
 * timeout_ms; on ERR_TIMEOUT the connection is of no further use.  The caller owns
 * *ret_result: PQclear(). */
enum err_code pg_conn_exec(PGconn *conn, const char *sql, int count,
                           const char *const *values, int64_t timeout_ms,
                           PGresult **ret_result, struct err *err) MUST_CHECK;

/* Translates a SQLSTATE (NULL: none) with the message text; see docs/design.md, "Errors of
 * Postgres", for the table. */
enum err_code pg_err_code(const char *sqlstate, const char *message);

/* Translates a failed result or connection into *err, one line, without the password. */
enum err_code pg_err_of_result(const PGresult *result, const PGconn *conn,
                               const char *what, struct err *err);
enum err_code pg_err_of_conn(const PGconn *conn, const char *what, struct err *err);

#endif
