/* session.h -- a Postgres connection made ready for the statements of reporting.
 *
 * Straight-line code that waits, run in a worker thread of libuv: resolving a host name
 * and hashing a password block for as long as they take, and the loop that serves HTTP
 * must not.  Uses nothing but its arguments.
 */
#ifndef REPORTING_SESSION_H
#define REPORTING_SESSION_H

#include <libpq-fe.h>
#include <stdint.h>

#include "shared/base/err.h"

struct pg_conf;

struct session_options {
    const struct pg_conf *pg; /* its time is for session_open() as a whole, names apart */
    int64_t query_timeout_ms; /* the server ends a statement then */
};

/* Connects read-only, checks the version of the schema and prepares every statement, unless
 * a pooler stands in between (pg_conn_settings()).  Begins with *last_host, the server that
 * worked last, and sets it; 0 is none.  The caller owns *ret_conn, which is in non-blocking
 * mode: PQfinish().
 * ERR_SCHEMA when the schema is missing or of another version. */
enum err_code session_open(const struct session_options *options, uint64_t *last_host,
                           PGconn **ret_conn, struct err *err) MUST_CHECK;

/* Checks the rows of STATEMENT_SCHEMA_VERSION.  ERR_SCHEMA. */
enum err_code session_check_version(const PGresult *result, struct err *err) MUST_CHECK;

#endif
