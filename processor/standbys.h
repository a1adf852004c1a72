/* standbys.h -- whether a failover of Postgres would lose what was committed.
 *
 * A commit that waits for no standby is lost with the primary, and its jobs are gone from
 * Redis by then.  That may be wanted, so it is a warning and no error. */
#ifndef PROCESSOR_STANDBYS_H
#define PROCESSOR_STANDBYS_H

#include <libpq-fe.h>
#include <stdint.h>

#include "shared/base/err.h"

/* Logs a warning when the server has standbys and no commit waits for one.  Errors as they
 * come from Postgres. */
enum err_code standbys_check(PGconn *conn, int64_t timeout_ms,
                             struct err *err) MUST_CHECK;

#endif
