/* session.h -- a connection to the Postgres that the processor needs.
 *
 * What a batch relies on is asserted once for each connection: that a commit is durable,
 * that texts are UTF-8, that the server takes writes, and that the schema is ours.
 */
#ifndef PROCESSOR_SESSION_H
#define PROCESSOR_SESSION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct processor_conf;

struct session_options {
    const struct processor_conf *conf;
    const char *application_name;
    int64_t statement_timeout_ms;
    bool is_before_migration; /* the schema is not looked at */
    uint64_t *last_host;      /* of struct pg_conn_options */
};

/* Connects and asserts; the caller owns *ret_conn: PQfinish().
 *
 * ERR_CONFIG  a setting of the server endangers what was committed, or its encoding is
 *             not UTF-8
 * ERR_SCHEMA  the database has another version of the schema, or none */
enum err_code session_open(const struct session_options *options, PGconn **ret_conn,
                           struct err *err) MUST_CHECK;

/* How long the client waits for a statement that the server ends by itself. */
int64_t session_patience_ms(int64_t statement_timeout_ms);

#endif
