/* conn.h -- a Postgres connection with a wall clock, and Postgres's errors in our
 * vocabulary.
 *
 * DATABASE_URL is anything libpq takes: a URL, or keyword=value words.  What this adds
 * are timeouts, keepalives, UTF-8, the UTC time zone and an application_name.
 *
 * Connections are in libpq's non-blocking mode, and every function that waits gives up at
 * its deadline whatever the server does: a stopped server hangs nobody.  After ERR_TIMEOUT
 * or when PQstatus() is bad the connection is of no further use: PQfinish() it.
 *
 * Behind a pooler that gives each transaction another backend they work as well: see
 * pg_conn_settings().
 */
#ifndef SHARED_PG_CONN_H
#define SHARED_PG_CONN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum {
    PG_SQLSTATE_LEN = 5
};

struct pg_conn_options {
    const char *url;
    const char *application_name;
    int64_t connect_timeout_ms;
    int64_t statement_timeout_ms; /* of the server; 0: none */
    int64_t lock_timeout_ms;      /* 0: none */
    bool read_only;               /* default_transaction_read_only=on */
    bool needs_primary;           /* target_session_attrs=read-write */
    bool ends_with_client; /* a statement ends soon after the connection is closed */
    bool is_quick; /* no statement takes long enough for compiling to pay: jit=off */
    bool shuffles_hosts; /* of several hosts any may come first */
    uint64_t *last_host; /* the one that worked last comes first; NULL: not remembered */
};

/* ERR_CONFIG when libpq cannot understand the URL. */
enum err_code pg_conn_check_url(const char *url, struct err *err) MUST_CHECK;

/* Connects to one of the servers that the URL names, by one attempt for each: each gets an
 * equal part of connect_timeout_ms, but at least 300 ms when there are several.  Names are
 * resolved first, for as long as the resolver takes.  The caller owns *ret_conn, which is in
 * non-blocking mode: PQfinish().
 *
 * ERR_CONFIG  the URL cannot be understood (the sentence has no password in it), or a
 *             connection pooler refuses something of the login
 * others      as the last server gave them, or the first that a person has to mend */
enum err_code pg_conn_open(const struct pg_conn_options *options, PGconn **ret_conn,
                           struct err *err) MUST_CHECK;

/* The statement that makes the settings of the options for one transaction, when a pooler
 * stands in between: the functions below then run it in front of each transaction.  NULL
 * when the session is ours alone; then it is set for good. */
const char *pg_conn_settings(const PGconn *conn);

/* Runs one statement with bound parameters (text form, NULL for SQL null), waiting at most
 * timeout_ms.  The caller owns *ret_result: PQclear(). */
enum err_code pg_conn_exec(PGconn *conn, const char *sql, int count,
                           const char *const *values, int64_t timeout_ms,
                           PGresult **ret_result, struct err *err) MUST_CHECK;

/* What a failed statement says about its reason. */
struct pg_failure {
    char sqlstate[PG_SQLSTATE_LEN + 1]; /* "" for none */
    int64_t line; /* of a COPY: the row, from 1; 0 when the error names none */
};

/* The same for a statement that returns no rows.  *ret_rows, unless NULL, is the number of
 * rows that it changed.  On failure *ret_failure is filled in. */
enum err_code pg_conn_try(PGconn *conn, const char *sql, int count,
                          const char *const *values, int64_t timeout_ms,
                          int64_t *ret_rows, struct pg_failure *ret_failure,
                          struct err *err) MUST_CHECK;

/* The whole number in a field; 0 where it is null. */
int64_t pg_int_at(const PGresult *result, int row, int column);

/* Runs a text of one or more statements and throws their rows away.  ret_tag, unless NULL,
 * takes the command tag of the last one, cut at size. */
enum err_code pg_conn_run(PGconn *conn, const char *sql, int64_t timeout_ms,
                          char *ret_tag, size_t size, struct err *err) MUST_CHECK;

/* One piece of the bytes of a COPY. */
struct pg_piece {
    const char *bytes; /* borrowed */
    size_t len;
};

/* Runs `COPY ... FROM STDIN` with the pieces as its bytes: the one function that knows the
 * steps of a COPY.  *ret_rows is the number of rows that the server counted.  On failure
 * *ret_failure is filled in; unless the connection is lost, it is ready for ROLLBACK. */
enum err_code pg_conn_copy(PGconn *conn, const char *sql, const struct pg_piece *pieces,
                           size_t count, int64_t timeout_ms, int64_t *ret_rows,
                           struct pg_failure *ret_failure, struct err *err) MUST_CHECK;

/* --- errors (err.c) -------------------------------------------------------- */

/* Translates a SQLSTATE (NULL or "": none) with the message text; see docs/design.md,
 * "Errors of Postgres", for the table. */
enum err_code pg_err_code(const char *sqlstate, const char *message);

/* Translates a failed result or connection into *err, one line, without the password. */
enum err_code pg_err_of_result(const PGresult *result, const PGconn *conn,
                               const char *what, struct err *err);
enum err_code pg_err_of_conn(const PGconn *conn, const char *what, struct err *err);

/* The SQLSTATE in the verbose message of a failed connection; "" when there is none. */
void pg_err_find_sqlstate(const char *message, char out[PG_SQLSTATE_LEN + 1]);

/* The row that the context of a COPY's error names ("COPY events, line 17, ..."), from 1;
 * 0 when it names none.  The words may be in any language. */
int64_t pg_err_find_line(const char *context);

#endif
