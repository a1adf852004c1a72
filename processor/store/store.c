/* store.c -- see store.h. */
#include "processor/store/store.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "processor/conf.h"
#include "processor/session.h"
#include "processor/store/batch.h"
#include "processor/store/copy.h"
#include "processor/store/parts.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

enum {
    /* So many rows are taken out one COPY each; with more poison halving is cheaper. */
    LINES_MAX = 8,
    /* A COPY that fails costs its time, and dead rows in the indexes; a batch that goes the
     * careful way for nothing costs about as much. */
    CAREFUL_BATCHES = 3,
    PLACED_MAX_BYTES = 1 << 30,
    SQL_MAX_BYTES = 8192,
    TAG_MAX = 32,
    BEGIN_TIMEOUT_MIN_MS = 1000,
    EVICT_TIMEOUT_MS = 5000, /* for one backend to end */
    NAME_MAX_LEN = 64,
};

void store_init(struct store *store, const struct processor_conf *conf)
{
    *store = (struct store){
        .conf = conf,
        .patience_ms = session_patience_ms(conf->statement_timeout_ms),
    };
    buf_init(&store->placed, PLACED_MAX_BYTES);
    buf_init(&store->sql, SQL_MAX_BYTES);
}

static void disconnect(struct store *store)
{
    PQfinish(store->conn); /* NULL is fine */
    store->conn = NULL;
}

void store_release(struct store *store)
{
    disconnect(store);
    buf_release(&store->placed);
    buf_release(&store->sql);
}

/* --- steps -------------------------------------------------------------------- */

enum err_code store_run(struct store *store, const char *sql, struct err *err)
{
    return pg_conn_run(store->conn, sql, store->patience_ms, NULL, 0, err);
}

/* Only the characters of a UUID, so that it may stand in a statement's text. */
static void backend_name(const struct batch *batch, char out[NAME_MAX_LEN])
{
    char text[UUID_TEXT_LEN];

    uuid_format(&batch->uuid, text);
    (void)snprintf(out, NAME_MAX_LEN, "analytics-batch %.*s", UUID_TEXT_LEN, text);
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
    char name[NAME_MAX_LEN];
    char sql[160];
    enum err_code code;

    backend_name(batch, name);
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
        disconnect(store);
        return;
    }
    if (PQtransactionStatus(store->conn) != PQTRANS_IDLE &&
        store_run(store, "ROLLBACK", &ignored)) {
        store->must_evict = true;
        disconnect(store);
        return;
    }
    if (code == ERR_READ_ONLY || code == ERR_DENIED || code == ERR_SCHEMA)
        disconnect(
            store); /* the next connection may meet another server, or be asserted */
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

/* --- the fast way -------------------------------------------------------------- */

/* The rows that are alive, as runs of bytes, with a place in front and behind for the
 * header and the trailer.  NULL when out of memory. */
static struct pg_piece *make_pieces(const struct batch *batch, size_t *ret_count)
{
    struct pg_piece *pieces = mem_calloc(batch_alive(batch) + 2, sizeof(*pieces));
    size_t count = 1;

    if (!pieces)
        return NULL;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];
        const char *row = batch->rows.data + item->row_at;
        struct pg_piece *last = &pieces[count - 1];

        if (item->is_dead)
            continue;
        if (count > 1 && last->bytes + last->len == row)
            last->len += item->row_len;
        else
            pieces[count++] = (struct pg_piece){row, item->row_len};
    }
    *ret_count = count + 1;
    return pieces;
}

static enum err_code copy_alive(struct store *store, const struct batch *batch,
                                struct pg_failure *ret_failure, struct err *err)
{
    struct pg_piece *pieces;
    size_t count;
    enum err_code code;

    if (batch_alive(batch) == 0)
        return ERR_OK;
    pieces = make_pieces(batch, &count);
    if (!pieces)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = store_copy(store, "events (", batch, pieces, count, ret_failure, err);
    mem_free(pieces);
    return code;
}

/* What a failed COPY into events means for the next try. */
enum next_try {
    NEXT_NONE,  /* not ours to solve */
    NEXT_AGAIN, /* a row was buried */
    NEXT_CAREFUL,
};

static enum err_code judge(struct batch *batch, const struct pg_failure *failure,
                           unsigned tries, enum next_try *ret_next, struct err *err)
{
    enum err_action action = err_action(err->code);
    struct err why = *err;
    bool buried = false;
    enum err_code code;

    *ret_next = NEXT_NONE;
    if (failure->sqlstate[0] == '\0')
        return err->code;
    if (action == ACTION_SKIP || (action == ACTION_ISOLATE && tries >= LINES_MAX)) {
        *ret_next = NEXT_CAREFUL;
        return ERR_OK;
    }
    if (action != ACTION_ISOLATE)
        return err->code;
    code = store_bury_line(batch, failure, &why, &buried, err);
    if (!code)
        *ret_next = buried ? NEXT_AGAIN : NEXT_CAREFUL;
    return code;
}

static enum err_code store_fast(struct store *store, struct batch *batch, unsigned tries,
                                enum next_try *ret_next, struct err *err)
{
    struct pg_failure failure = {.line = 0};
    enum err_code code = store_begin(store, batch, err);

    *ret_next = NEXT_NONE;
    if (code)
        return code;
    code = copy_alive(store, batch, &failure, err);
    if (code) {
        code = judge(batch, &failure, tries, ret_next, err);
        store_abort(store, code);
        return code;
    }
    store->inserted = batch_alive(batch);
    if (batch->dead > 0)
        code = dead_insert(store, batch, err);
    return code ? code : store_commit(store, err);
}

/* --- the whole ----------------------------------------------------------------- */

/* Ends one backend.  One that is not ours to end is left: its locks end by a timeout. */
static enum err_code end_backend(struct store *store, const char *pid, struct err *err)
{
    char timeout[24];
    const char *values[] = {pid, timeout};
    PGresult *result = NULL;
    enum err_code code;

    (void)snprintf(timeout, sizeof(timeout), "%d", EVICT_TIMEOUT_MS);
    code = pg_conn_exec(store->conn, "SELECT pg_terminate_backend($1, $2)", 2, values,
                        store->patience_ms, &result, err);
    PQclear(result);
    return code == ERR_DENIED ? ERR_OK : code;
}

/* Ends backends that another owner of the batch, or we ourselves, left behind in it: they
 * may sleep in the middle of a COPY with its keys locked.  Anybody may name himself like one
 * of them, so only those of our own role are, and each is ended by itself. */
static enum err_code evict(struct store *store, const struct batch *batch,
                           struct err *err)
{
    char name[NAME_MAX_LEN];
    const char *values[] = {name};
    PGresult *result = NULL;
    enum err_code code;

    backend_name(batch, name);
    code = pg_conn_exec(store->conn,
                        "SELECT pid FROM pg_stat_activity "
                        "WHERE application_name = $1 AND pid <> pg_backend_pid() "
                        "AND datname = current_database() AND usename = current_user",
                        1, values, store->patience_ms, &result, err);
    for (int row = 0; !code && row < PQntuples(result); row++)
        code = end_backend(store, PQgetvalue(result, row, 0), err);
    PQclear(result);
    return code;
}

static enum err_code prepare(struct store *store, const struct batch *batch,
                             bool is_adopted, struct err *err)
{
    struct session_options options = {
        .conf = store->conf,
        .application_name = "analytics-processor",
        .statement_timeout_ms = store->conf->statement_timeout_ms,
        .last_host = &store->last_host,
    };
    enum err_code code = ERR_OK;

    if (!store->conn)
        code = session_open(&options, &store->conn, err);
    if (!code && (is_adopted || store->must_evict)) {
        code = evict(store, batch, err);
        if (!code)
            code = FAILPOINT("store.evicted", err);
        if (!code)
            store->must_evict = false;
    }
    return code;
}

static enum err_code go_carefully(struct store *store, struct batch *batch,
                                  struct err *err)
{
    bool again = false;
    enum err_code code;

    do
        code = store_carefully(store, batch, &again, err);
    while (!code && again);
    if (code)
        return code;
    if (store->inserted < batch_alive(batch))
        store->careful_left = CAREFUL_BATCHES;
    else if (store->careful_left > 0)
        store->careful_left--;
    return ERR_OK;
}

enum err_code store_batch(struct store *store, struct batch *batch, bool is_adopted,
                          struct err *err)
{
    enum next_try next = store->careful_left > 0 ? NEXT_CAREFUL : NEXT_AGAIN;
    enum err_code code = prepare(store, batch, is_adopted, err);

    for (unsigned tries = 0; !code && next == NEXT_AGAIN; tries++)
        code = store_fast(store, batch, tries, &next, err);
    if (!code && next == NEXT_CAREFUL)
        code = go_carefully(store, batch, err);
    if (code)
        store_abort(store, code);
    return code;
}
