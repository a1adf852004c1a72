/* fuzz_copy.c -- jobs through the processor's own code into a real Postgres and back.
 *
 * The input is jobs, one a line; a line that begins with a tab has the fields of an event,
 * parted by tabs, of which a job is made, so that any text gets that far.  A first line "!"
 * is a batch that somebody else had before.
 *
 * Whatever is in the jobs: what the parser accepts Postgres takes, none of it is poison;
 * every column reads as the event says, in text; and of the rest every byte is in
 * dead_letters, with the reason.  FUZZ_DATABASE_URL names a database with our schema; its
 * events are deleted (tests/fuzz/servers.py makes one). */
#include <inttypes.h>
#include <libpq-fe.h>
#include <string.h>

#include "processor/conf.h"
#include "processor/store/batch.h"
#include "processor/store/store.h"
#include "shared/base/log.h"
#include "shared/event/event.h"
#include "shared/text/json.h"
#include "tests/fuzz/fuzz.h"

enum {
    JOBS_MAX = 64,
    FIELDS = 6,
    MADE_MAX = 1 << 20,
    NUMBER_MAX = 32
};

#define BATCH_ID "0194c0de-0000-7000-8000-00000000000a"

static const char read_events[] =
    "DELETE FROM events RETURNING event_id::text, site_id, event_type, path, user_id,"
    " trim_scale(extract(epoch FROM \"timestamp\") * 1000)::text";
static const char read_dead[] = "DELETE FROM dead_letters RETURNING batch_place::text,"
                                " payload, reason, sqlstate, event_id::text";

enum {
    COLUMN_SITE_ID = 1,
    COLUMN_EVENT_TYPE,
    COLUMN_PATH,
    COLUMN_USER_ID,
    COLUMN_TIMESTAMP
};

static struct processor_conf conf;
static struct store store;
static struct batch batch;
static struct event_parser *parser; /* the batch's */
static struct event_parser *judge;
static struct event_parser *other; /* a second event for comparison */
static struct buf made;            /* jobs made of fields */

static void start(void)
{
    static char name[] = "fuzz_copy";
    char *argv[] = {name, NULL};
    const char *url = getenv("FUZZ_DATABASE_URL");
    enum conf_next next;
    struct err err;

    if (parser)
        return;
    MUST(url && setenv("DATABASE_URL", url, 1) == 0);
    log_init(name, LOG_ERROR);
    MUST(conf_load(&processor_program, 1, argv, &conf, &next, &err) == ERR_OK);
    parser = event_parser_new();
    judge = event_parser_new();
    other = event_parser_new();
    MUST(parser && judge && other);
    store_init(&store, &conf);
    batch_init(&batch);
    buf_init(&made, MADE_MAX);
}

/* --- the jobs ---------------------------------------------------------------- */

/* Makes the fields of the line a job at the end of `made`; one that is not there is null. */
static void make_job(const char *line, size_t len)
{
    static const char *const keys[FIELDS] = {
        "{\"site_id\":",   ",\"event_type\":", ",\"path\":",
        ",\"timestamp\":", ",\"user_id\":",    ",\"event_id\":"};
    const char *end = line + len;

    for (size_t i = 0; i < FIELDS; i++) {
        const char *tab = line ? memchr(line, '\t', (size_t)(end - line)) : NULL;
        const char *field_end = tab ? tab : end;
        MUST(buf_add_text(&made, keys[i]) == ERR_OK);
        if (line)
            MUST(json_add_string(&made, line, (size_t)(field_end - line)) == ERR_OK);
        else
            MUST(buf_add_text(&made, "null") == ERR_OK);
        line = tab ? tab + 1 : NULL;
    }
    MUST(buf_add_text(&made, "}") == ERR_OK);
}

static void add_job(const char *line, size_t len)
{
    struct err err;

    if (len > 0 && line[0] == '\t') {
        size_t start_at = made.len;
        make_job(line + 1, len - 1);
        line = made.data + start_at;
        len = made.len - start_at;
    }
    MUST(batch_add(&batch, parser, batch.count, line, len, &err) == ERR_OK);
}

static void add_jobs(const char *text, size_t size)
{
    const char *end = text + size;

    buf_clear(&made);
    MUST(buf_reserve(&made, size * 8 + 128 * JOBS_MAX) ==
         ERR_OK); /* jobs point into it */
    batch_begin(&batch, BATCH_ID);
    for (size_t i = 0; i < JOBS_MAX && text < end; i++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop ? stop : end) - text);
        add_job(text, len);
        text += len + 1;
    }
}

/* --- the judgement ------------------------------------------------------------- */

static PGresult *read_back(const char *sql)
{
    PGresult *result = PQexec(store.conn, sql);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        (void)fprintf(stderr, "%s", PQerrorMessage(store.conn));
    MUST(PQresultStatus(result) == PGRES_TUPLES_OK);
    return result;
}

static bool is_text(const PGresult *rows, int row, int column,
                    const struct event_text *text)
{
    if (PQgetisnull(rows, row, column))
        return !text->bytes;
    return text->bytes && (size_t)PQgetlength(rows, row, column) == text->len &&
           (text->len == 0 ||
            memcmp(PQgetvalue(rows, row, column), text->bytes, text->len) == 0);
}

static bool is_id(const PGresult *rows, int row, int column, const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN + 1] = "";

    uuid_format(uuid, text);
    return strcmp(PQgetvalue(rows, row, column), text) == 0;
}

static bool is_row_of(const PGresult *rows, int row, const struct uuid *event_id,
                      const struct event *event)
{
    char ms[NUMBER_MAX];

    (void)snprintf(ms, sizeof(ms), "%" PRId64, event->timestamp_ms);
    return is_id(rows, row, 0, event_id) &&
           is_text(rows, row, COLUMN_SITE_ID, &event->site_id) &&
           is_text(rows, row, COLUMN_EVENT_TYPE, &event->event_type) &&
           is_text(rows, row, COLUMN_PATH, &event->path) &&
           is_text(rows, row, COLUMN_USER_ID, &event->user_id) &&
           strcmp(PQgetvalue(rows, row, COLUMN_TIMESTAMP), ms) == 0;
}

static bool has_row(const PGresult *rows, const struct uuid *event_id,
                    const struct event *event)
{
    for (int row = 0; row < PQntuples(rows); row++)
        if (is_row_of(rows, row, event_id, event))
            return true;
    return false;
}

/* Of equal keys in a batch the first one is stored. */
static bool is_repeated(size_t index, const struct event *event)
{
    const struct batch_item *item = &batch.items[index];
    struct event before;
    struct err err;

    for (size_t i = 0; i < index; i++) {
        const struct batch_item *earlier = &batch.items[i];
        if (earlier->is_dead ||
            memcmp(&earlier->event_id, &item->event_id, sizeof(item->event_id)) != 0)
            continue;
        MUST(event_parse_job(other, earlier->job, earlier->job_len, &before, &err) ==
             ERR_OK);
        if (before.timestamp_ms == event->timestamp_ms &&
            before.site_id.len == event->site_id.len &&
            memcmp(before.site_id.bytes, event->site_id.bytes, event->site_id.len) == 0)
            return true;
    }
    return false;
}

static void check_events(void)
{
    PGresult *rows = read_back(read_events);
    int count = 0;

    for (size_t i = 0; i < batch.count; i++) {
        const struct batch_item *item = &batch.items[i];
        struct event event;
        struct err err;

        if (item->is_dead)
            continue;
        MUST(event_parse_job(judge, item->job, item->job_len, &event, &err) == ERR_OK);
        if (is_repeated(i, &event))
            continue;
        MUST(has_row(rows, &item->event_id, &event));
        count++;
    }
    MUST(PQntuples(rows) == count);
    MUST(store.inserted == (size_t)count);
    PQclear(rows);
}

static void check_dead_letter(const PGresult *rows, int row)
{
    size_t place = strtoul(PQgetvalue(rows, row, 0), NULL, 10);
    const struct batch_item *item = &batch.items[place];
    unsigned char *payload;
    size_t len;

    MUST(place < batch.count && item->is_dead && item->row_len == 0);
    payload = PQunescapeBytea((const unsigned char *)PQgetvalue(rows, row, 1), &len);
    MUST(payload && len == item->job_len);
    MUST(len == 0 || memcmp(payload, item->job, len) == 0);
    PQfreemem(payload);
    MUST(strcmp(PQgetvalue(rows, row, 2), item->reason) == 0);
    MUST(PQgetisnull(rows, row, 3));
    MUST(is_id(rows, row, 4, &item->event_id));
}

static void check_dead_letters(void)
{
    PGresult *rows = read_back(read_dead);

    MUST((size_t)PQntuples(rows) == batch.dead);
    for (int row = 0; row < PQntuples(rows); row++)
        check_dead_letter(rows, row);
    PQclear(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    bool is_adopted = size >= 2 && memcmp(text, "!\n", 2) == 0;
    enum err_code code;
    struct err err;
    size_t dead;

    start();
    add_jobs(text + (is_adopted ? 2 : 0), size - (is_adopted ? 2 : 0));
    if (batch.count == 0)
        return 0;
    dead = batch.dead;
    store.careful_left = 0; /* the same input goes the same way each time */
    code = store_batch(&store, &batch, is_adopted, &err);
    if (code)
        (void)fprintf(stderr, "%s\n", err.msg);
    MUST(code == ERR_OK && batch.dead == dead);
    check_events();
    check_dead_letters();
    return 0;
}
