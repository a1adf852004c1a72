/* dead.c -- the dead of a batch into dead_letters, in the transaction of their batch.
 *
 * The key of the table makes a repetition harmless.  A job that fails in another batch than
 * before was replayed: it makes the letter a new one, so that whoever replays it does not
 * delete the letter of this failure as that of the last (dead_replay.h). */
#include <stdio.h>
#include <string.h>

#include "processor/batch.h"
#include "processor/copy.h"
#include "processor/store.h"
#include "processor/store_parts.h"
#include "shared/failpoint.h"
#include "shared/mem.h"
#include "shared/pg_conn.h"
#include "shared/utf8.h"

enum {
    PAYLOAD_MAX = 1048576, /* bytes of a job that are kept; sql/001_schema.sql says so */
    NUMBER_MAX = 24,
};

static const char insert_dead[] =
    "INSERT INTO dead_letters (event_id, site_id, payload, payload_bytes, reason, "
    "sqlstate, batch_id, batch_place) VALUES ($1, $2, decode($3, 'hex'), $4, $5, $6, $7, "
    "$8) "
    "ON CONFLICT (event_id, payload_sha256) DO UPDATE SET reason = excluded.reason, "
    "sqlstate = excluded.sqlstate, batch_id = excluded.batch_id, "
    "batch_place = excluded.batch_place, created_at = excluded.created_at "
    "WHERE dead_letters.batch_id <> excluded.batch_id";

/* The bytes in hex; NULL when out of memory.  The caller's: mem_free(). */
static char *to_hex(const char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    char *out = mem_alloc(2 * len + 1);

    if (!out)
        return NULL;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    out[2 * len] = '\0';
    return out;
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

/* The site_id of an item that became a row, as a copy; *ret_text is NULL for others. */
static enum err_code dup_site_id(const struct batch *batch, const struct batch_item *item,
                                 char **ret_text)
{
    const char *site_id;
    size_t len;
    char *text;

    *ret_text = NULL;
    if (item->row_len == 0)
        return ERR_OK;
    site_id = copy_row_site_id(batch->rows.data + item->row_at, &len);
    text = mem_alloc(len + 1);
    if (!text)
        return ERR_NOMEM;
    memcpy(text, site_id, len);
    text[len] = '\0';
    *ret_text = text;
    return ERR_OK;
}

static enum err_code insert_one(struct store *store, const struct batch *batch,
                                const struct batch_item *item, struct err *err)
{
    size_t kept = item->job_len < PAYLOAD_MAX ? item->job_len : PAYLOAD_MAX;
    char event_id[UUID_TEXT_LEN + 1] = "";
    char length[NUMBER_MAX];
    char place[NUMBER_MAX];
    char reason[ERR_MSG_MAX];
    char *site_id = NULL;
    char *payload = to_hex(item->job, kept);
    struct pg_failure ignored;
    enum err_code code = ERR_NOMEM;

    if (payload)
        code = dup_site_id(batch, item, &site_id);
    if (code) {
        (void)err_set(err, code, "out of memory");
    } else {
        const char *values[] = {
            event_id,  site_id, payload,
            length,    reason,  item->sqlstate[0] != '\0' ? item->sqlstate : NULL,
            batch->id, place};

        uuid_format(&item->event_id, event_id);
        (void)snprintf(length, sizeof(length), "%zu", item->job_len);
        (void)snprintf(place, sizeof(place), "%zu", item->place);
        clean_reason(item->reason, reason);
        code = pg_conn_try(store->conn, insert_dead, 8, values, store->patience_ms, NULL,
                           &ignored, err);
    }
    mem_free(site_id);
    mem_free(payload);
    return code;
}

enum err_code dead_insert(struct store *store, const struct batch *batch, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < batch->count && !code; i++) {
        if (!batch->items[i].is_dead)
            continue;
        code = FAILPOINT("dead.insert", err);
        if (!code)
            code = insert_one(store, batch, &batch->items[i], err);
        if (!code)
            code = FAILPOINT("dead.inserted", err);
    }
    /* A dead letter that is refused must not be mistaken for poison of the batch. */
    if (code && err_action(code) == ACTION_ISOLATE)
        code = err_set(err, ERR_BUG, "Postgres refused a dead letter");
    return code;
}
