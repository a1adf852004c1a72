/* steps.c -- see steps.h. */
#include "processor/store/steps.h"

#include <stdio.h>
#include <string.h>

#include "processor/conf.h"
#include "processor/store/batch.h"
#include "processor/store/copy.h"
#include "shared/base/failpoint.h"
#include "shared/pg/conn.h"

enum {
    TAG_MAX = 32,
    BEGIN_TIMEOUT_MIN_MS = 1000,
};

void store_disconnect(struct store *store)
{
    PQfinish(store->conn); /* NULL is fine */
    store->conn = NULL;
}

enum err_code store_run(struct store *store, const char *sql, struct err *err)
{
    return pg_conn_run(store->conn, sql, store->patience_ms, NULL, 0, err);
}

void store_backend_name(const struct batch *batch, char out[STORE_NAME_MAX])
{
    char text[UUID_TEXT_LEN];

    uuid_format(&batch->uuid, text);
    (void)snprintf(out, STORE_NAME_MAX, "analytics-batch %.*s", UUID_TEXT_LEN, text);
}

/* BEGIN waits for nothing in a server that is well: one that hangs is found by it, so that
 * the next host is tried soon.  A pooler may have it wait for a backend. */
static int64_t begin_timeout_ms(const struct store *store)
{
    int64_t ms = store->conf->pg.connect_timeout_ms;

    if (pg_conn_settings(store->conn))
        return store->patience_ms;
    return ms > BEGIN_TIMEOUT_MIN_MS ? ms : BEGIN_TIMEOUT_MIN_MS;
}

enum err_code store_begin(struct store *store, const struct batch *batch, struct err *err)
{
    char name[STORE_NAME_MAX];
    char sql[160];
    enum err_code code;

    store_backend_name(batch, name);
    (void)snprintf(sql, sizeof(sql), "BEGIN; SET LOCAL application_name = '%s'", name);
    code = FAILPOINT("store.begin", err);
    if (!code)
        code = pg_conn_run(store->conn, sql, begin_timeout_ms(store), NULL, 0, err);
    if (code == ERR_TIMEOUT) /* nothing has begun, so nothing is unknown or too slow */
        code = err_set(err, ERR_UNAVAILABLE, "Postgres did not answer BEGIN in time");
    return code ? code : FAILPOINT("store.begun", err);
}

enum err_code store_commit(struct store *store, struct err *err)
{
    char tag[TAG_MAX] = "";
    enum err_code code = FAILPOINT("store.commit", err);

    if (!code)
        code =
            pg_conn_run(store->conn, "COMMIT", store->patience_ms, tag, sizeof(tag), err);
    /* COMMIT of a failed transaction is no error: it says ROLLBACK. */
    if (!code && strcmp(tag, "COMMIT") != 0)
        code =
            err_set(err, ERR_BUG, "the transaction ended with %s instead of COMMIT", tag);
    return code ? code : FAILPOINT("store.committed", err);
}

void store_abort(struct store *store, enum err_code code)
{
    struct err ignored;

    if (!store->conn)
        return;
    /* Still at work after our deadline, or gone: nobody knows how it ends over there. */
    if (PQstatus(store->conn) != CONNECTION_OK ||
        PQtransactionStatus(store->conn) == PQTRANS_ACTIVE) {
        store->must_evict = true;
        store_disconnect(store);
        return;
    }
    if (PQtransactionStatus(store->conn) != PQTRANS_IDLE &&
        store_run(store, "ROLLBACK", &ignored)) {
        store->must_evict = true;
        store_disconnect(store);
        return;
    }
    if (code == ERR_READ_ONLY || code == ERR_DENIED || code == ERR_SCHEMA)
        store_disconnect(store); /* the next may lead to another server */
}

static enum err_code write_copy(struct buf *sql, const char *into,
                                const struct copy_columns *columns)
{
    static const char end[] = ") FROM STDIN (FORMAT binary)";
    enum err_code code;

    buf_clear(sql);
    code = buf_printf(sql, "COPY %s", into);
    if (!code)
        code = copy_add_names(sql, columns);
    return code ? code : buf_add(sql, end, sizeof(end));
}

enum err_code store_copy(struct store *store, const char *into, const struct batch *batch,
                         struct pg_piece *pieces, size_t count,
                         struct pg_failure *ret_failure, struct err *err)
{
    size_t expected = batch_alive(batch);
    int64_t rows = 0;
    enum err_code code;

    if (write_copy(&store->sql, into, &batch->columns))
        return err_set(err, ERR_NOMEM, "out of memory");
    pieces[0] = (struct pg_piece){copy_header(), COPY_HEADER_LEN};
    pieces[count - 1] = (struct pg_piece){copy_trailer(), COPY_TRAILER_LEN};
    code = pg_conn_copy(store->conn, store->sql.data, pieces, count, store->patience_ms,
                        &rows, ret_failure, err);
    if (!code && rows != (int64_t)expected)
        code = err_set(err, ERR_BUG, "Postgres counted %lld rows of %zu", (long long)rows,
                       expected);
    return code;
}

enum err_code store_bury_line(struct batch *batch, const struct pg_failure *failure,
                              const struct err *why, bool *ret_buried, struct err *err)
{
    *ret_buried = false;
    if (failure->line < 1 || (size_t)failure->line > batch_alive(batch))
        return ERR_OK;
    *ret_buried = true;
    return batch_bury(batch, batch_alive_index(batch, (size_t)failure->line - 1),
                      failure->sqlstate, why->msg, err);
}
