/* internal.h -- what the files of shared/pg have in common. */
#ifndef SHARED_PG_INTERNAL_H
#define SHARED_PG_INTERNAL_H

#include <libpq-fe.h>
#include <stdint.h>

#include "shared/base/err.h"

/* Waits until the socket is ready for one of the events of poll(2).  ERR_TIMEOUT at the
 * deadline. */
enum err_code pg_wait_socket(PGconn *conn, short events, int64_t deadline_ms,
                             const char *what, struct err *err) MUST_CHECK;

#endif
