/* letters.c -- see letters.h. */
#include "processor/dead/letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

enum {
    NUMBER_MAX = 24,
    WANTED_COUNT = 6, /* parameters of WANTED; those of the statement come after them */
};

/* What the filter lets through.  Unset parameters are NULL, and gone before planning. */
#define WANTED                                                                           \
    "($1::text IS NULL OR site_id = $1) "                                                \
    "AND ($2::text IS NULL OR position(lower($2) IN lower(reason)) > 0) "                \
    "AND ($3::uuid IS NULL OR event_id = $3) "                                           \
    "AND ($4::timestamptz IS NULL OR created_at >= $4) "                                 \
    "AND ($5::timestamptz IS NULL OR created_at < $5) "                                  \
    "AND created_at <= $6::timestamptz "

#define ORDER "ORDER BY created_at, event_id, payload_sha256 "

/* The identity is made by Postgres and given back to it: nobody else has to understand it.
 * The key alone would not do: the same job failing again has the same key. */
#define IDENTITY                                                                         \
    "jsonb_build_array(created_at, event_id, encode(payload_sha256, 'hex'), batch_id)"

/* The length of a payload is known without reading it. */
static const char read_page[] =
    "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
    "event_id, site_id, sqlstate, reason, batch_id, batch_place, payload_bytes, "
    "encode(substring(payload FROM 1 FOR $7::integer), 'hex'), " IDENTITY " "
    "FROM (SELECT *, sum(least(octet_length(payload), $7::integer)) OVER (" ORDER ") "
    "AS bytes FROM (SELECT * FROM dead_letters WHERE " WANTED
    "AND ($9::jsonb IS NULL OR (created_at, event_id, payload_sha256) > "
    "(($9::jsonb->>0)::timestamptz, ($9::jsonb->>1)::uuid, decode($9::jsonb->>2, 'hex')))"
    " " ORDER "LIMIT $8::bigint) AS page) AS summed WHERE bytes <= $10::bigint " ORDER;

enum {
    COLUMN_CREATED_AT,
    COLUMN_EVENT_ID,
    COLUMN_SITE_ID,
    COLUMN_SQLSTATE,
    COLUMN_REASON,
    COLUMN_BATCH_ID,
    COLUMN_BATCH_PLACE,
    COLUMN_PAYLOAD_BYTES,
    COLUMN_PAYLOAD,
    COLUMN_IDENTITY,
};

static const char forget_these[] =
    "DELETE FROM dead_letters d USING jsonb_array_elements($1::jsonb) AS k "
    "WHERE d.event_id = (k->>1)::uuid AND d.payload_sha256 = decode(k->>2, 'hex') "
    "AND d.created_at = (k->>0)::timestamptz AND d.batch_id = k->>3";

static const char purge_page[] =
    "DELETE FROM dead_letters d USING (SELECT event_id, payload_sha256, created_at "
    "FROM dead_letters WHERE " WANTED ORDER "LIMIT $7::bigint) AS page "
    "WHERE d.event_id = page.event_id AND d.payload_sha256 = page.payload_sha256 "
    "AND d.created_at = page.created_at";

void dead_letters_init(struct dead_letters *letters, PGconn *conn, int64_t timeout_ms,
                       const struct dead_filter *filter, int64_t limit, int64_t preview)
{
    *letters = (struct dead_letters){
        .conn = conn,
        .timeout_ms = timeout_ms,
        .filter = *filter,
        .preview = preview,
        .left = limit,
    };
    buf_init(&letters->payload, DEAD_PAYLOAD_MAX);
}

void dead_letters_release(struct dead_letters *letters)
{
    PQclear(letters->page);
    mem_free(letters->cursor);
    mem_free(letters->began);
    buf_release(&letters->payload);
    *letters = (struct dead_letters){.left = 0};
}

static enum err_code keep_text(char **kept, const char *text, struct err *err)
{
    char *copy = mem_strdup(text);

    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    mem_free(*kept);
    *kept = copy;
    return ERR_OK;
}

static enum err_code begin(struct dead_letters *letters, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code;

    if (letters->began)
        return ERR_OK;
    code = pg_conn_exec(letters->conn, "SELECT clock_timestamp()", 0, NULL,
                        letters->timeout_ms, &result, err);
    if (code)
        return code;
    code = keep_text(&letters->began, PQgetvalue(result, 0, 0), err);
    PQclear(result);
    return code;
}

/* The parameters of WANTED. */
static void put_filter(const struct dead_letters *letters, const char **values)
{
    values[0] = letters->filter.site_id;
    values[1] = letters->filter.reason;
    values[2] = letters->filter.event_id;
    values[3] = letters->filter.since;
    values[4] = letters->filter.until;
    values[5] = letters->began;
}

static int64_t page_rows(const struct dead_letters *letters)
{
    return letters->left < DEAD_PAGE_ROWS ? letters->left : DEAD_PAGE_ROWS;
}

/* One row more than is wanted tells whether there are more. */
static enum err_code fetch(struct dead_letters *letters, struct err *err)
{
    char preview[NUMBER_MAX];
    char limit[NUMBER_MAX];
    char bytes[NUMBER_MAX];
    const char *values[WANTED_COUNT + 4];

    put_filter(letters, values);
    (void)snprintf(preview, sizeof(preview), "%" PRId64, letters->preview);
    (void)snprintf(limit, sizeof(limit), "%" PRId64, page_rows(letters) + 1);
    (void)snprintf(bytes, sizeof(bytes), "%d", DEAD_PAGE_BYTES);
    values[WANTED_COUNT] = preview;
    values[WANTED_COUNT + 1] = limit;
    values[WANTED_COUNT + 2] = letters->cursor;
    values[WANTED_COUNT + 3] = bytes;
    PQclear(letters->page);
    letters->page = NULL;
    return pg_conn_exec(letters->conn, read_page, WANTED_COUNT + 4, values,
                        letters->timeout_ms, &letters->page, err);
}

enum err_code dead_letters_read(struct dead_letters *letters, size_t *ret_count,
                                struct err *err)
{
    int64_t wanted = page_rows(letters);
    int64_t count;
    enum err_code code;

    *ret_count = 0;
    if (letters->left == 0)
        return ERR_OK;
    code = begin(letters, err);
    if (!code)
        code = fetch(letters, err);
    if (code)
        return code;
    count = PQntuples(letters->page);
    if (count > wanted) {
        letters->has_more = true;
        count = wanted;
    } else {
        letters->has_more = false;
    }
    letters->left -= count;
    *ret_count = (size_t)count;
    if (count == 0)
        return ERR_OK;
    return keep_text(&letters->cursor,
                     PQgetvalue(letters->page, (int)count - 1, COLUMN_IDENTITY), err);
}

static const char *text_at(const PGresult *page, int row, int column)
{
    return PQgetisnull(page, row, column) ? NULL : PQgetvalue(page, row, column);
}

static enum err_code decode_hex(const char *hex, struct buf *out, struct err *err)
{
    size_t len = strlen(hex) / 2;
    enum err_code code;

    buf_clear(out);
    code = buf_reserve(out, len);
    if (code)
        return err_set(err, code, "could not keep a payload of %zu bytes", len);
    for (size_t i = 0; i < len; i++) {
        unsigned high = (unsigned)hex_value(hex[2 * i]); /* Postgres wrote it */
        unsigned low = (unsigned)hex_value(hex[2 * i + 1]);
        out->data[i] = (char)(high << 4 | low);
    }
    out->len = len;
    return ERR_OK;
}

enum err_code dead_letters_get(struct dead_letters *letters, size_t index,
                               struct letter *ret_letter, struct err *err)
{
    const PGresult *page = letters->page;
    int row = (int)index;
    enum err_code code =
        decode_hex(PQgetvalue(page, row, COLUMN_PAYLOAD), &letters->payload, err);

    if (code)
        return code;
    *ret_letter = (struct letter){
        .created_at = text_at(page, row, COLUMN_CREATED_AT),
        .event_id = text_at(page, row, COLUMN_EVENT_ID),
        .site_id = text_at(page, row, COLUMN_SITE_ID),
        .sqlstate = text_at(page, row, COLUMN_SQLSTATE),
        .reason = text_at(page, row, COLUMN_REASON),
        .batch_id = text_at(page, row, COLUMN_BATCH_ID),
        .batch_place = text_at(page, row, COLUMN_BATCH_PLACE),
        .payload_bytes = pg_int_at(page, row, COLUMN_PAYLOAD_BYTES),
        .payload = letters->payload.data,
        .payload_len = letters->payload.len,
        .identity = text_at(page, row, COLUMN_IDENTITY),
    };
    return ERR_OK;
}

/* Runs a DELETE; *ret_count is what it deleted. */
static enum err_code run_delete(struct dead_letters *letters, const char *sql, int count,
                                const char *const *values, int64_t *ret_count,
                                struct err *err)
{
    struct pg_failure ignored;

    return pg_conn_try(letters->conn, sql, count, values, letters->timeout_ms, ret_count,
                       &ignored, err);
}

enum err_code dead_letters_forget(struct dead_letters *letters, const char *identities,
                                  int64_t *ret_count, struct err *err)
{
    return run_delete(letters, forget_these, 1, &identities, ret_count, err);
}

enum err_code dead_letters_purge(struct dead_letters *letters, int64_t *ret_count,
                                 struct err *err)
{
    char limit[NUMBER_MAX];
    const char *values[WANTED_COUNT + 1];
    enum err_code code;

    *ret_count = 0;
    if (letters->left == 0)
        return ERR_OK;
    code = begin(letters, err);
    if (code)
        return code;
    put_filter(letters, values);
    (void)snprintf(limit, sizeof(limit), "%" PRId64, page_rows(letters));
    values[WANTED_COUNT] = limit;
    code = run_delete(letters, purge_page, WANTED_COUNT + 1, values, ret_count, err);
    if (!code)
        letters->left -= *ret_count;
    return code;
}
