/* migrate.h -- brings the database's schema up to the version of this program.
 *
 * The files of sql/ are part of the program.  All that are missing are applied in one
 * transaction, under an advisory lock, so that of several processors one does it and the
 * others wait.  A database that is newer than the program, or whose migrations were other
 * ones, is refused.
 */
#ifndef PROCESSOR_MIGRATE_H
#define PROCESSOR_MIGRATE_H

#include <libpq-fe.h>
#include <stddef.h>

#include "shared/base/err.h"

struct migration {
    int version;
    const char *name;     /* 001_schema.sql */
    const char *checksum; /* SHA-256 of the file, in hex */
    const char *sql;
};

/* All migrations in order; static. */
const struct migration *migrations(size_t *ret_count);

/* The version of the newest. */
int migrate_version(void);

/* Applies what is missing.  *ret_applied is how many files that was.
 *
 * ERR_CONFIG  the database is newer, or was made by other migrations: nothing was done
 * ERR_DENIED  something is missing, and this login may not change the schema
 * others      as Postgres gave them: nothing was done, try again
 *
 * After a failure the transaction is open still: PQfinish() ends it. */
enum err_code migrate_run(PGconn *conn, int *ret_applied, struct err *err) MUST_CHECK;

#endif
