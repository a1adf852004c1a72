/* export.c -- see export.h. */
#include "reporting/export/export.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "reporting/export/feed.h"
#include "reporting/export/source.h"
#include "reporting/metrics.h"
#include "reporting/report/render.h"
#include "reporting/report/resolve.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/http.h"
#include "shared/pg/conn.h"

enum {
    /* Rows are made until there are so many bytes, and one row may be so long. */
    ROWS_BYTES = 65536,
    ROWS_BYTES_MAX = 16777216,
    WATCH_MS = 100, /* between looks at the clock, and whether the client has gone */
    MARGIN_MS = 500 /* the server ends a query by itself this much earlier */
};

enum export_state {
    EXPORT_OPENING, /* a worker thread connects; the request waits */
    EXPORT_RUNNING, /* the query runs; the request waits */
    EXPORT_SENDING, /* the answer has begun */
    EXPORT_CLOSING  /* no request any more */
};

struct exports {
    struct exports_options options;
    uv_loop_t *loop;
    int64_t count; /* of those there are */
    bool is_stopping;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

struct export
{
    struct exports *exports; /* borrowed */
    enum export_state state;
    struct http_request *req; /* borrowed; NULL in CLOSING */
    enum statement_id source;
    int64_t began_us;
    int64_t deadline_ms;

    uv_work_t work; /* of OPENING: the worker's until on_opened() */
    enum err_code opened_code;
    struct err opened;
    PGconn *conn; /* owned; NULL in OPENING, and once closed */
    uv_poll_t poll;
    uv_timer_t timer;
    int open_handles;

    struct feed feed;
    struct buf rows; /* owned */
    size_t sent;     /* of their bytes */
    bool is_at_end;  /* no more rows come */
    bool has_failed; /* and some are missing */

    char bytes[]; /* of the texts of the feed's ask */
};

/* --- the end ---------------------------------------------------------------------- */

static void free_if_stopped(struct exports *exports)
{
    if (!exports->is_stopping || exports->count > 0)
        return;
    exports->on_stopped(exports->stopped_user);
    mem_free(exports);
}

static void on_closed(uv_handle_t *handle)
{
    struct export *export = handle->data;
    struct exports *exports = export->exports;

    if (--export->open_handles > 0)
        return;
    exports->count--;
    metric_set(&exports->options.metrics->exports_running, exports->count);
    buf_release(&export->rows);
    mem_free(export);
    free_if_stopped(exports);
}

/* The descriptor is closed after uv_close() has taken it out of the loop's epoll set, as libuv
 * asks.  The server ends the query when it sees that. */
static void close_export(struct export *export)
{
    export->state = EXPORT_CLOSING;
    export->req = NULL;
    uv_close((uv_handle_t *)&export->timer, on_closed);
    if (export->conn)
        uv_close((uv_handle_t *)&export->poll, on_closed);
    PQfinish(export->conn);
    export->conn = NULL;
}

/* Tells a client to which nothing has been sent. */
static void refuse(struct export *export, const struct err *err)
{
    const struct exports_options *options = &export->exports->options;
    struct http_request *req = export->req;

    export->req = NULL;
    options->on_failed(req, err, options->user);
}

static void count_end(const struct export *export, const struct err *err)
{
    struct reporting_metrics *metrics = export->exports->options.metrics;

    metric_observe(&metrics->query_us[export->source], &metric_times_us,
                   clock_mono_us() - export->began_us);
    metric_add(&metrics->query_failures[err ? err->code : ERR_OK], 1);
}

/* The query has ended badly.  What has been made of it so far is not sent. */
static void fail(struct export *export, const struct err *err)
{
    count_end(export, err);
    export->is_at_end = true;
    export->has_failed = true;
    if (export->state == EXPORT_SENDING) {
        metric_add(&export->exports->options.metrics->exports_cut, 1);
        return;
    }
    refuse(export, err);
    close_export(export);
}

/* --- rows ---------------------------------------------------------------------------- */

/* Makes rows of what libpq holds, until there are enough. */
static void make_rows(struct export *export)
{
    struct reporting_metrics *metrics = export->exports->options.metrics;
    enum feed_state state = FEED_ROW;
    struct err err;

    while (state == FEED_ROW && export->rows.len < ROWS_BYTES) {
        state = feed_next(&export->feed, export->conn, &export->rows, &err);
        if (state == FEED_ROW)
            metric_add(&metrics->exported_rows, 1);
    }
    if (state == FEED_FAILS) {
        fail(export, &err);
    } else if (state == FEED_ENDS) {
        export->is_at_end = true;
        count_end(export, NULL);
    }
}

/* Begins with empty rows.  Reads the socket once, where libpq has not a whole row. */
static void fill(struct export *export)
{
    buf_clear(&export->rows);
    export->sent = 0;
    make_rows(export);
    if (export->rows.len > 0 || export->is_at_end)
        return;
    if (PQconsumeInput(export->conn)) {
        make_rows(export);
    } else {
        struct err err;
        (void)pg_err_of_conn(export->conn, "lost the connection of an export", &err);
        fail(export, &err);
    }
}

/* --- the answer ------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

static void wait_for_rows(struct export *export)
{
    (void)uv_poll_start(&export->poll, UV_READABLE, on_poll); /* the descriptor is good */
}

static int64_t on_read(void *user, char *out, size_t size)
{
    struct export *export = user;
    size_t left = export->rows.len - export->sent;

    if (left == 0 && !export->is_at_end) {
        fill(export);
        left = export->rows.len;
    }
    if (export->has_failed)
        return HTTP_STREAM_FAILS;
    if (left == 0 && export->is_at_end)
        return HTTP_STREAM_ENDS;
    if (left == 0) {
        wait_for_rows(export);
        return HTTP_STREAM_WAITS;
    }
    if (left < size)
        size = left;
    memcpy(out, export->rows.data + export->sent, size);
    export->sent += size;
    return (int64_t)size;
}

static void on_stream_end(void *user)
{
    close_export(user);
}

static void begin_answer(struct export *export)
{
    const struct http_stream stream = {
        .read = on_read, .end = on_stream_end, .user = export};
    bool is_csv = export->feed.ask.is_csv;
    const struct http_header headers[] = {
        {export->feed.source->is_export ? "Content-Disposition" : NULL,
         is_csv ? "attachment; filename=\"events.csv\""
                : "attachment; filename=\"events.ndjson\""},
        {0}};

    export->state = EXPORT_SENDING;
    http_answer_stream(export->req, is_csv ? RENDER_CSV_TYPE : "application/x-ndjson",
                       headers, &stream);
}

/* The first rows are there, or it is known that there are none. */
static void on_first(struct export *export)
{
    struct buf *rows = &export->rows;
    struct buf after = *rows;
    enum err_code code;
    struct err err;

    buf_init(rows, ROWS_BYTES_MAX);
    code = feed_add_header(&export->feed, rows);
    if (!code)
        code = buf_add(rows, after.data, after.len);
    buf_release(&after);
    if (code) {
        (void)err_set(&err, code, "could not begin an export");
        fail(export, &err);
    } else {
        begin_answer(export);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct export *export = poll->data;

    (void)status; /* libpq finds out by itself */
    (void)events;
    (void)uv_poll_stop(poll); /* always 0 */
    fill(export);
    if (export->state == EXPORT_CLOSING)
        return;
    if (export->rows.len == 0 && !export->is_at_end)
        wait_for_rows(export);
    else if (export->state == EXPORT_RUNNING)
        on_first(export);
    else
        http_stream_wake(export->req);
}

/* --- the query --------------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct export *export = work->data;
    const struct exports_options *options = &export->exports->options;

    export->opened_code = source_open(
        options->pg, options->timeout_ms, export->feed.source, export->feed.ask.texts,
        &export->feed.columns, &export->conn, &export->opened);
}

static void on_start(uv_poll_t *poll, int status, int events)
{
    struct export *export = poll->data;
    struct err err;

    (void)status;
    (void)events;
    if (!PQconsumeInput(export->conn)) {
        (void)pg_err_of_conn(export->conn, "lost the connection of an export", &err);
        fail(export, &err);
        return;
    }
    if (PQisBusy(export->conn))
        return;
    if (feed_begin(&export->feed, export->conn, &err) == FEED_FAILS)
        fail(export, &err);
    else
        on_poll(poll, 0, 0);
}

static void start_query(struct export *export)
{
    uv_loop_t *loop = export->exports->loop;
    struct err err;

    if (uv_poll_init(loop, &export->poll, PQsocket(export->conn))) {
        (void)err_set(&err, ERR_NOMEM, "could not watch the connection of an export");
        PQfinish(export->conn);
        export->conn = NULL;
        fail(export, &err);
        return;
    }
    export->poll.data = export;
    export->open_handles++;
    export->state = EXPORT_RUNNING;
    if (!feed_send(&export->feed, export->conn) ||
        PQflush(export->conn) != 0 || /* a short text, and nothing before it */
        uv_poll_start(&export->poll, UV_READABLE, on_start)) {
        (void)pg_err_of_conn(export->conn, "could not send an export", &err);
        fail(export, &err);
    }
}

static void on_opened(uv_work_t *work, int status)
{
    struct export *export = work->data;

    if (status || export->exports->is_stopping) { /* perhaps it has not begun */
        export->opened_code =
            err_set(&export->opened, ERR_UNAVAILABLE, "the daemon is stopping");
        PQfinish(export->conn);
        export->conn = NULL;
    }
    if (export->opened_code)
        fail(export, &export->opened);
    else
        start_query(export);
}

/* --- deadline and departure ------------------------------------------------------------- */

/* A client is not watched by anybody while its request waits. */
static enum err_code check_time(const struct export *export, struct err *err)
{
    if (http_is_gone(export->req) || http_has_hung_up(export->req))
        return err_set(err, ERR_UNAVAILABLE, "the client has gone");
    if (clock_mono_ms() >= export->deadline_ms)
        return err_set(err, ERR_TIMEOUT, "an export took too long");
    return ERR_OK;
}

static void on_watch(uv_timer_t *timer)
{
    struct export *export = timer->data;
    struct err err;

    if (export->state == EXPORT_OPENING || export->is_at_end || !check_time(export, &err))
        return;
    fail(export, &err);
    if (export->state == EXPORT_SENDING)
        http_stream_wake(export->req);
}

/* --- life ----------------------------------------------------------------------------------- */

static struct export *export_new(struct exports *exports, const struct ask *ask)
{
    size_t size = ask_bytes(ask);
    struct export *export = mem_calloc(1, sizeof(*export) + size);
    struct buf made;

    if (!export)
        return NULL;
    made = (struct buf){.data = export->bytes, .cap = size, .max_bytes = size};
    export->feed.ask = *ask;
    ask_move(&export->feed.ask, &made);
    export->exports = exports;
    buf_init(&export->rows, ROWS_BYTES_MAX);
    export->feed.columns.is_csv = ask->is_csv;
    return export;
}

enum err_code exports_begin(struct exports *exports, enum statement_id report,
                            enum statement_id source, const struct ask *ask,
                            struct http_request *req, struct err *err)
{
    const struct exports_options *options = &exports->options;
    struct export *export;

    if (exports->count >= options->most)
        return err_set(err, ERR_BUSY, "too many exports");
    export = export_new(exports, ask);
    if (!export)
        return err_set(err, ERR_NOMEM, "out of memory");
    export->source = source;
    export->feed.report = report_get(report);
    export->feed.source = report_get(source);
    export->req = req;
    export->began_us = clock_mono_us();
    export->deadline_ms = clock_mono_ms() + options->timeout_ms + MARGIN_MS;
    exports->count++;
    metric_set(&options->metrics->exports_running, exports->count);
    (void)uv_timer_init(exports->loop, &export->timer); /* always 0 */
    export->timer.data = export;
    export->open_handles = 1;
    (void)uv_timer_start(&export->timer, on_watch, WATCH_MS, WATCH_MS);
    export->work.data = export;
    /* fails only without a callback */
    (void)uv_queue_work(exports->loop, &export->work, on_work, on_opened);
    return ERR_OK;
}

struct exports *exports_new(uv_loop_t *loop, const struct exports_options *options)
{
    struct exports *exports = mem_calloc(1, sizeof(*exports));

    if (exports)
        *exports = (struct exports){.options = *options, .loop = loop};
    return exports;
}

void exports_stop(struct exports *exports, void (*on_stopped)(void *user), void *user)
{
    assert(!exports->is_stopping);
    exports->is_stopping = true;
    exports->on_stopped = on_stopped;
    exports->stopped_user = user;
    free_if_stopped(exports);
}
