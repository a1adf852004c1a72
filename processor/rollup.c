/* rollup.c -- see rollup.h. */
#include "processor/rollup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/failpoint.h"
#include "shared/pg_conn.h"

enum {
    NUMBER_MAX = 24
};

int64_t rollup_rest_ms(const struct rollup_pace *pace, const struct rollup_state *state)
{
    /* A row that just misses this bite waits for the rest and for the next bite. */
    int64_t longest_ms = pace->lag_max_ms - 2 * state->took_ms;
    int64_t rest_ms = pace->rest_times * state->took_ms;

    if (rest_ms > longest_ms)
        rest_ms = longest_ms;
    rest_ms -= state->rested_ms;
    return rest_ms > 0 ? rest_ms : 0;
}

static int64_t number_at(const PGresult *result, int column)
{
    return strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

enum err_code rollup_look(PGconn *conn, int64_t timeout_ms,
                          struct rollup_state *ret_state, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(conn, "SELECT waiting, rested_ms, took_ms FROM rollup_pending()", 0,
                     NULL, timeout_ms, &result, err);

    if (code)
        return code;
    if (PQntuples(result) != 1 || PQgetisnull(result, 0, 0))
        code = err_set(err, ERR_SCHEMA, "rollup_state has no row");
    else
        *ret_state = (struct rollup_state){.waiting = number_at(result, 0),
                                           .rested_ms = number_at(result, 1),
                                           .took_ms = number_at(result, 2)};
    PQclear(result);
    return code;
}

/* The settled bound as text; its own transaction, or its lock would last for the bite. */
static enum err_code find_bound(PGconn *conn, int64_t lock_wait_ms, int64_t timeout_ms,
                                char out[NUMBER_MAX], struct err *err)
{
    char wait[NUMBER_MAX];
    const char *values[] = {wait};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(wait, sizeof(wait), "%" PRId64, lock_wait_ms);
    code = pg_conn_exec(conn, "SELECT rollup_settled($1)", 1, values, timeout_ms, &result,
                        err);
    if (!code)
        (void)snprintf(out, NUMBER_MAX, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return code;
}

enum err_code rollup_bite(PGconn *conn, int64_t lock_wait_ms, int64_t max_rows,
                          int64_t timeout_ms, struct rollup_bite *ret_bite,
                          struct err *err)
{
    char bound[NUMBER_MAX];
    char max[NUMBER_MAX];
    const char *values[] = {bound, max};
    PGresult *result = NULL;
    enum err_code code = find_bound(conn, lock_wait_ms, timeout_ms, bound, err);

    if (!code)
        code = FAILPOINT("rollup.bound", err);
    if (code)
        return code;
    (void)snprintf(max, sizeof(max), "%" PRId64, max_rows);
    code = pg_conn_exec(conn, "SELECT taken, is_done FROM rollup_bite($1, $2)", 2, values,
                        timeout_ms, &result, err);
    if (!code)
        code = FAILPOINT("rollup.bitten", err);
    if (code) {
        PQclear(result);
        return code;
    }
    *ret_bite = (struct rollup_bite){
        .is_elsewhere = PQgetisnull(result, 0, 0) == 1,
        .is_done = PQgetvalue(result, 0, 1)[0] == 't',
        .taken = number_at(result, 0),
    };
    PQclear(result);
    return ERR_OK;
}
