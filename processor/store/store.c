/* store.c -- see store.h. */
#include "processor/store/store.h"

#include <stdio.h>

#include "processor/conf.h"
#include "processor/session.h"
#include "processor/store/batch.h"
#include "processor/store/careful.h"
#include "processor/store/copy.h"
#include "processor/store/dead.h"
#include "processor/store/steps.h"
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
    EVICT_TIMEOUT_MS = 5000, /* for one backend to end */
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

void store_release(struct store *store)
{
    store_disconnect(store);
    buf_release(&store->placed);
    buf_release(&store->sql);
}

/* --- the fast way -------------------------------------------------------------- */

/* The rows that are alive, as runs of bytes, with a place before and after for the
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

/* Ends backends that another owner of the batch, or we ourselves, left in it: they
 * may sleep in the middle of a COPY with its keys locked.  Anybody may name himself like one
 * of them, so only those of our own role are, and each is ended by itself. */
static enum err_code evict(struct store *store, const struct batch *batch,
                           struct err *err)
{
    char name[STORE_NAME_MAX];
    const char *values[] = {name};
    PGresult *result = NULL;
    enum err_code code;

    store_backend_name(batch, name);
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
