/* standbys.c -- see standbys.h. */
#include "processor/standbys.h"

#include <stdlib.h>

#include "shared/base/log.h"
#include "shared/pg/conn.h"

/* Everybody sees how many there are.  A base backup is one for a while: its name is seen by
 * those who may read all statistics. */
static const char unprotected[] =
    "SELECT count(*), current_setting('synchronous_commit') FROM pg_stat_replication "
    "WHERE application_name IS DISTINCT FROM 'pg_basebackup' "
    "AND (current_setting('synchronous_standby_names') = '' "
    "OR current_setting('synchronous_commit') IN ('off', 'local'))";

enum err_code standbys_check(PGconn *conn, int64_t timeout_ms, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(conn, unprotected, 0, NULL, timeout_ms, &result, err);
    int64_t count;

    if (code)
        return code;
    count = pg_int_at(result, 0, 0);
    if (count > 0)
        log_line(
            LOG_WARN,
            "Postgres has standbys but no commit waits for one: a failover loses the "
            "last events (synchronous_standby_names; docs/reliability.md)",
            LOG_FIELDS(log_int("standbys", count),
                       log_text("synchronous_commit", PQgetvalue(result, 0, 1))));
    PQclear(result);
    return ERR_OK;
}
