/* migrate.h -- brings the database's schema up to the version of this program.
 *
 * The files of sql/ are part of the program.  Those of sql/tables are migrations: each is
 * applied once, in order.  Those of sql/functions are the functions in force: when one of
 * them has changed all are applied again, in order.  All that is missing is applied in one
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
    int readable_since;   /* the oldest version whose readers understand this one */
    const char *name;     /* 001_schema.sql */
    const char *checksum; /* SHA-256 of the file, in hex */
    const char *sql;
};

struct migration_function {
    const char *name; /* stats.sql */
    const char *sql;
};

/* All migrations, and all files of functions, in order; static. */
const struct migration *migrations(size_t *ret_count);
const struct migration_function *migration_functions(size_t *ret_count);

/* SHA-256 over the checksums of all files of functions, in hex. */
const char *migration_functions_checksum(void);

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
