/* dead.c -- see dead.h.
 *
 * They are inserted in one order for all batches: event_id, payload, place.  Two batches with
 * the same dead then wait for one another in turn and never in a circle.
 *
 * The key of the table makes a repetition harmless.  A job that fails in another batch than
 * before was replayed: it makes the letter a new one, so that whoever replays it does not
 * delete the letter of this failure as that of the last (dead/replay.h). */
#include "processor/store/dead.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/store/batch.h"
#include "processor/store/copy.h"
#include "processor/store/steps.h"
#include "shared/base/buf.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"
#include "shared/text/utf8.h"

enum {
    PAYLOAD_MAX =
        1048576, /* bytes of a job that are kept; sql/tables/001_schema.sql says so */
    NUMBER_MAX = 24,
    /* Of one statement: a batch of nothing but poison takes few, and little memory. */
    LETTERS_MAX = 1000,
    LETTERS_MAX_BYTES = 1048576,
    COLUMN_MAX_BYTES = 1 << 26, /* far above both */
};

/* Columns that go to Postgres as arrays, in the order of the statement's parameters. */
enum column {
    EVENT_ID,
    SITE_ID,
    PAYLOAD,
    BYTES,
    REASON,
    SQLSTATE,
    PLACE,
    COLUMNS
};

struct letters {
    struct buf columns[COLUMNS]; /* array literals, "}" still missing */
    size_t count;
};

/* In the order of compare_dead().  The payloads stand for their hashes, which are the key:
 * any order of these is one of those.  Of equal keys the first one wins. */
static const char insert_dead[] =
    "INSERT INTO dead_letters (event_id, site_id, payload, payload_bytes, reason, "
    "sqlstate, batch_place, batch_id) "
    "SELECT DISTINCT ON (event_id, payload) d.*, $8 "
    "FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], "
    "$6::text[], $7::integer[]) "
    "AS d (event_id, site_id, payload, bytes, reason, sqlstate, place) "
    "ORDER BY event_id, payload, place "
    "ON CONFLICT (event_id, payload_sha256) DO UPDATE SET reason = excluded.reason, "
    "sqlstate = excluded.sqlstate, batch_id = excluded.batch_id, "
    "batch_place = excluded.batch_place, created_at = excluded.created_at "
    "WHERE dead_letters.batch_id <> excluded.batch_id";

/* --- elements of array literals ---------------------------------------------------- */

static enum err_code add_hex(struct buf *out, const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    enum err_code code = buf_add_text(out, "\"\\\\x"); /* a backslash, escaped */

    if (!code)
        code = buf_reserve(out, 2 * len + 1);
    if (code)
        return code;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        out->data[out->len++] = digits[byte >> 4];
        out->data[out->len++] = digits[byte & 15];
    }
    out->data[out->len++] = '"';
    return ERR_OK;
}

static enum err_code add_quoted(struct buf *out, const char *text, size_t len)
{
    enum err_code code = buf_reserve(out, 2 * len + 2);

    if (code)
        return code;
    out->data[out->len++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            out->data[out->len++] = '\\';
        out->data[out->len++] = text[i];
    }
    out->data[out->len++] = '"';
    return ERR_OK;
}

static enum err_code add_number(struct buf *out, size_t number)
{
    char text[NUMBER_MAX];

    (void)snprintf(text, sizeof(text), "%zu", number);
    return buf_add_text(out, text);
}

/* A sentence may quote bytes of the job and may have been cut inside a character: what is
 * not UTF-8 becomes '?', or Postgres would refuse the dead letter too. */
static void clean_reason(const char *reason, char out[ERR_MSG_MAX])
{
    size_t len = strlen(reason);
    size_t at = 0;

    if (len >= ERR_MSG_MAX)
        len = ERR_MSG_MAX - 1;
    memcpy(out, reason, len);
    out[len] = '\0';
    while (at < len) {
        size_t step = utf8_char_len(out + at, len - at);

        if (step == 0)
            out[at] = '?';
        at += step ? step : 1;
    }
}

/* --- letters ----------------------------------------------------------------------- */

/* How many bytes of the job go into its letter. */
static size_t kept_len(const struct batch_item *item)
{
    return item->job_len < PAYLOAD_MAX ? item->job_len : PAYLOAD_MAX;
}

/* The site_id of an item that became a row; NULL for others. */
static enum err_code add_site_id(struct buf *out, const struct batch *batch,
                                 const struct batch_item *item)
{
    if (item->row_len == 0)
        return buf_add_text(out, "NULL");
    return add_quoted(out, batch->sites.data + item->site_at, item->site_len);
}

static enum err_code add_letter(struct letters *letters, const struct batch *batch,
                                const struct batch_item *item)
{
    struct buf *columns = letters->columns;
    size_t kept = kept_len(item);
    char event_id[UUID_TEXT_LEN + 1] = "";
    char reason[ERR_MSG_MAX];
    enum err_code code = ERR_OK;

    uuid_format(&item->event_id, event_id);
    clean_reason(item->reason, reason);
    for (size_t i = 0; i < COLUMNS && !code; i++)
        code = buf_add_text(&columns[i], letters->count == 0 ? "{" : ",");
    if (!code)
        code = add_quoted(&columns[EVENT_ID], event_id, strlen(event_id));
    if (!code)
        code = add_site_id(&columns[SITE_ID], batch, item);
    if (!code)
        code = add_hex(&columns[PAYLOAD], item->job, kept);
    if (!code)
        code = add_number(&columns[BYTES], item->job_len);
    if (!code)
        code = add_quoted(&columns[REASON], reason, strlen(reason));
    if (!code)
        code = buf_add_text(&columns[SQLSTATE],
                            item->sqlstate[0] != '\0' ? item->sqlstate : "NULL");
    if (!code)
        code = add_number(&columns[PLACE], item->place);
    letters->count++;
    return code;
}

static bool is_full(const struct letters *letters)
{
    return letters->count >= LETTERS_MAX ||
           letters->columns[PAYLOAD].len >= LETTERS_MAX_BYTES;
}

/* Sends what was added, if anything, and empties it. */
static enum err_code send_letters(struct store *store, const struct batch *batch,
                                  struct letters *letters, struct err *err)
{
    const char *values[COLUMNS + 1];
    struct pg_failure ignored;
    enum err_code code = letters->count > 0 ? FAILPOINT("dead.insert", err) : ERR_OK;

    if (code || letters->count == 0)
        return code;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (buf_add(&letters->columns[i], "}", sizeof("}")))
            return err_set(err, ERR_NOMEM, "out of memory");
        values[i] = letters->columns[i].data;
    }
    values[COLUMNS] = batch->id;
    code = pg_conn_try(store->conn, insert_dead, COLUMNS + 1, values, store->patience_ms,
                       NULL, &ignored, err);
    for (size_t i = 0; i < COLUMNS; i++)
        buf_clear(&letters->columns[i]);
    letters->count = 0;
    return code ? code : FAILPOINT("dead.inserted", err);
}

/* As Postgres compares uuid and bytea. */
static int compare_dead(const void *left, const void *right)
{
    const struct batch_item *a = *(const struct batch_item *const *)left;
    const struct batch_item *b = *(const struct batch_item *const *)right;
    size_t a_len = kept_len(a);
    size_t b_len = kept_len(b);
    int order = memcmp(a->event_id.bytes, b->event_id.bytes, sizeof(a->event_id.bytes));

    if (order == 0)
        order = memcmp(a->job, b->job, a_len < b_len ? a_len : b_len);
    if (order != 0)
        return order;
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* The dead of the batch, borrowed from it, in their order; batch->dead of them.  NULL when
 * out of memory. */
static const struct batch_item **sort_dead(const struct batch *batch)
{
    const struct batch_item **dead = mem_calloc(batch->dead, sizeof(void *));
    size_t count = 0;

    if (!dead)
        return NULL;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].is_dead)
            dead[count++] = &batch->items[i];
    assert(count == batch->dead);
    qsort(dead, count, sizeof(void *), compare_dead);
    return dead;
}

static enum err_code insert_all(struct store *store, const struct batch *batch,
                                const struct batch_item *const *dead,
                                struct letters *letters, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < batch->dead && !code; i++) {
        if (add_letter(letters, batch, dead[i]))
            return err_set(err, ERR_NOMEM, "out of memory");
        if (is_full(letters))
            code = send_letters(store, batch, letters, err);
    }
    return code ? code : send_letters(store, batch, letters, err);
}

enum err_code dead_insert(struct store *store, const struct batch *batch, struct err *err)
{
    const struct batch_item **dead = sort_dead(batch);
    struct letters letters = {.count = 0};
    enum err_code code;

    if (!dead)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < COLUMNS; i++)
        buf_init(&letters.columns[i], COLUMN_MAX_BYTES);
    code = insert_all(store, batch, dead, &letters, err);
    for (size_t i = 0; i < COLUMNS; i++)
        buf_release(&letters.columns[i]);
    mem_free(dead);
    /* A dead letter that is refused must not be mistaken for poison of the batch. */
    if (code && err_action(code) == ACTION_ISOLATE)
        code = err_set(err, ERR_BUG, "Postgres refused a dead letter");
    return code;
}
