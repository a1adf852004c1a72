/* rollup.c -- see rollup.h. */
#include "processor/rollup/rollup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/failpoint.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

enum {
    NUMBER_MAX = 24
};

enum err_code rollup_poll(PGconn *conn, int64_t timeout_ms,
                          struct rollup_state *ret_state, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(conn,
                     "SELECT waiting, rested_ms, took_ms, rolled_up, aside,"
                     " left_out, capped FROM rollup_pending()",
                     0, NULL, timeout_ms, &result, err);

    if (code)
        return code;
    if (PQntuples(result) != 1 || PQgetisnull(result, 0, 0))
        code = err_set(err, ERR_SCHEMA, "rollup_state has no row");
    else
        *ret_state = (struct rollup_state){.waiting = pg_int_at(result, 0, 0),
                                           .rested_ms = pg_int_at(result, 0, 1),
                                           .took_ms = pg_int_at(result, 0, 2),
                                           .position = pg_int_at(result, 0, 3),
                                           .aside = pg_int_at(result, 0, 4),
                                           .left_out = pg_int_at(result, 0, 5),
                                           .capped = pg_int_at(result, 0, 6)};
    PQclear(result);
    return code;
}

enum err_code rollup_find_bound(PGconn *conn, int64_t timeout_ms,
                                struct rollup_bound *ret_bound, struct err *err)
{
    PGresult *result = NULL;
    char *writers = NULL;
    enum err_code code = pg_conn_exec(conn, "SELECT bound, writers FROM rollup_writers()",
                                      0, NULL, timeout_ms, &result, err);

    if (code)
        return code;
    if (!PQgetisnull(result, 0, 1)) {
        writers = mem_strdup(PQgetvalue(result, 0, 1));
        if (!writers)
            code = err_set(err, ERR_NOMEM, "out of memory");
    }
    if (!code)
        *ret_bound = (struct rollup_bound){pg_int_at(result, 0, 0), writers};
    PQclear(result);
    return code;
}

void rollup_clear_bound(struct rollup_bound *bound)
{
    mem_free(bound->writers);
    *bound = (struct rollup_bound){.id = 0};
}

enum err_code rollup_await(PGconn *conn, int64_t wait_ms, int64_t timeout_ms,
                           struct rollup_bound *bound, struct err *err)
{
    char wait[NUMBER_MAX];
    const char *values[] = {bound->writers, wait};
    PGresult *result = NULL;
    enum err_code code;

    if (!bound->writers)
        return ERR_OK;
    (void)snprintf(wait, sizeof(wait), "%" PRId64, wait_ms);
    code = pg_conn_exec(conn, "SELECT rollup_await($1, $2)", 2, values, timeout_ms,
                        &result, err);
    if (code)
        return code;
    if (PQgetvalue(result, 0, 0)[0] == 't') {
        mem_free(bound->writers);
        bound->writers = NULL;
    }
    PQclear(result);
    return ERR_OK;
}

/* The parameters of a chunk.  One of a single row is another statement, for it alone may set
 * its event aside: of more rows nobody knows which one is to blame. */
static enum err_code run_chunk(PGconn *conn, const struct rollup_bound *bound,
                               const struct rollup_share *share, int64_t timeout_ms,
                               PGresult **ret_result, struct err *err)
{
    char id[NUMBER_MAX];
    char rows[NUMBER_MAX];
    char limit[NUMBER_MAX];
    const char *values[] = {id, limit, rows};
    bool is_alone = share->rows == 1;

    (void)snprintf(id, sizeof(id), "%" PRId64, bound->id);
    (void)snprintf(rows, sizeof(rows), "%" PRId64, share->rows);
    (void)snprintf(limit, sizeof(limit), "%" PRId64,
                   is_alone ? share->tries : share->bytes);
    return pg_conn_exec(
        conn,
        is_alone
            ? "SELECT taken, is_done, aside_id, reason FROM rollup_chunk_alone($1, $2)"
            : "SELECT taken, is_done, NULL, NULL FROM rollup_chunk($1, $3, $2)",
        is_alone ? 2 : 3, values, timeout_ms, ret_result, err);
}

enum err_code rollup_chunk(PGconn *conn, const struct rollup_bound *bound,
                           const struct rollup_share *share, int64_t timeout_ms,
                           struct rollup_chunk *ret_chunk, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code = FAILPOINT("rollup.bound", err);

    assert(!bound->writers);
    if (!code)
        code = run_chunk(conn, bound, share, timeout_ms, &result, err);
    if (!code)
        code = FAILPOINT("rollup.chunked", err);
    if (code) {
        PQclear(result);
        return code;
    }
    *ret_chunk = (struct rollup_chunk){
        .is_elsewhere = PQgetisnull(result, 0, 0) == 1, /* somebody else has the lock */
        .is_done = PQgetvalue(result, 0, 1)[0] == 't',
        .taken = pg_int_at(result, 0, 0),
        .aside_id = pg_int_at(result, 0, 2),
    };
    (void)snprintf(ret_chunk->reason, sizeof(ret_chunk->reason), "%s",
                   PQgetvalue(result, 0, 3));
    PQclear(result);
    return ERR_OK;
}

enum err_code rollup_set_aside(PGconn *conn, int64_t id, const char *reason,
                               int64_t timeout_ms, struct rollup_chunk *ret_chunk,
                               struct err *err)
{
    char number[NUMBER_MAX];
    const char *values[] = {number, reason};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(number, sizeof(number), "%" PRId64, id);
    code = pg_conn_exec(conn, "SELECT rollup_set_aside($1, $2)", 2, values, timeout_ms,
                        &result, err);
    if (code)
        return code;
    *ret_chunk = (struct rollup_chunk){.is_elsewhere = true};
    if (PQgetvalue(result, 0, 0)[0] == 't') {
        ret_chunk->is_elsewhere = false;
        ret_chunk->aside_id = id;
        (void)snprintf(ret_chunk->reason, sizeof(ret_chunk->reason), "%s", reason);
    }
    PQclear(result);
    return ERR_OK;
}
