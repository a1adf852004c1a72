/* careful.c -- the careful way of storing a batch; see store.h.
 *
 * Rows go to a temporary table first and from there into events, those whose key is there
 * already excepted.  A savepoint around each insert lets poison be found by halving: k
 * poisonous rows of n cost about k * log2(n) statements, all in one transaction. */
#include "processor/store/careful.h"

#include <stdio.h>

#include "processor/store/batch.h"
#include "processor/store/copy.h"
#include "processor/store/dead.h"
#include "processor/store/steps.h"
#include "shared/base/failpoint.h"
#include "shared/pg/conn.h"

static const char insert_end[] =
    " FROM pg_temp.events_incoming WHERE place >= $1 AND place < $2"
    " ORDER BY place ON CONFLICT DO NOTHING";

/* In the order of the batch, which batch_sort() explains: place is the index of the item. */
static enum err_code write_insert(struct buf *sql, const struct copy_columns *columns)
{
    enum err_code code = buf_add_text(sql, "INSERT INTO events (");

    if (!code)
        code = copy_add_names(sql, columns);
    if (!code)
        code = buf_add_text(sql, ") SELECT ");
    if (!code)
        code = copy_add_names(sql, columns);
    if (!code)
        code = buf_add(sql, insert_end, sizeof(insert_end));
    return code;
}

static enum err_code copy_placed(struct store *store, struct batch *batch,
                                 struct pg_failure *ret_failure, struct err *err)
{
    struct pg_piece pieces[3];

    buf_clear(&store->placed);
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_item *item = &batch->items[i];

        if (!item->is_dead &&
            copy_add_complete(&store->placed, batch->rows.data + item->row_at,
                              item->row_len, (int32_t)i, &batch->columns))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    pieces[1] = (struct pg_piece){store->placed.data, store->placed.len};
    return store_copy(store, "pg_temp.events_incoming (place, ", batch, pieces, 3,
                      ret_failure, err);
}

static enum err_code try_range(struct store *store, size_t first, size_t end,
                               struct pg_failure *ret_failure, struct err *err)
{
    char from[24];
    char to[24];
    const char *values[] = {from, to};
    int64_t rows = 0;
    enum err_code code;

    (void)snprintf(from, sizeof(from), "%zu", first);
    (void)snprintf(to, sizeof(to), "%zu", end);
    code = pg_conn_try(store->conn, store->sql.data, 2, values, store->patience_ms, &rows,
                       ret_failure, err);
    store->inserted += (size_t)rows;
    return code;
}

/* Inserts items[first..end); buries those that Postgres will not have. */
static enum err_code insert_halving(struct store *store, struct batch *batch,
                                    size_t first, size_t end, struct err *err)
{
    struct pg_failure failure = {.line = 0};
    size_t middle = first + (end - first) / 2;
    struct err why;
    enum err_code code = store_run(store, "SAVEPOINT careful", err);

    if (code)
        return code;
    code = try_range(store, first, end, &failure, &why);
    if (!code)
        return store_run(store, "RELEASE SAVEPOINT careful", err);
    if (err_action(code) != ACTION_ISOLATE) {
        *err = why;
        return code;
    }
    code =
        store_run(store, "ROLLBACK TO SAVEPOINT careful; RELEASE SAVEPOINT careful", err);
    if (!code)
        code = FAILPOINT("careful.halving", err);
    if (code)
        return code;
    if (end - first == 1)
        return batch_bury(batch, first, failure.sqlstate, why.msg, err);
    code = insert_halving(store, batch, first, middle, err);
    return code ? code : insert_halving(store, batch, middle, end, err);
}

enum err_code store_carefully(struct store *store, struct batch *batch, bool *ret_again,
                              struct err *err)
{
    struct pg_failure failure = {.line = 0};
    enum err_code code = store_begin(store, batch, err);
    struct err why;

    *ret_again = false;
    store->inserted = 0;
    if (!code)
        code = store_run(store, "SELECT events_prepare_incoming()", err);
    if (!code)
        code = FAILPOINT("careful.begun", err);
    if (code)
        return code;
    code = copy_placed(store, batch, &failure, err);
    if (code && err_action(code) == ACTION_ISOLATE && failure.line > 0) {
        why = *err;
        store_abort(store, code);
        return store_bury_line(batch, &failure, &why, ret_again, err);
    }
    if (!code)
        code = FAILPOINT("careful.copied", err);
    buf_clear(&store->sql);
    if (!code && write_insert(&store->sql, &batch->columns))
        code = err_set(err, ERR_NOMEM, "out of memory");
    if (!code)
        code = insert_halving(store, batch, 0, batch->count, err);
    if (!code)
        code = FAILPOINT("careful.inserted", err);
    /* The next transaction of this backend may be another client's, with an older schema. */
    if (!code && pg_conn_settings(store->conn))
        code = store_run(store, "DROP TABLE pg_temp.events_incoming", err);
    if (!code && batch->dead > 0)
        code = dead_insert(store, batch, err);
    return code ? code : store_commit(store, err);
}
