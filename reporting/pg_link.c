/* pg_link.c -- see pg_link.h for the states. */
#include "reporting/pg_link.h"

#include <assert.h>
#include <stdlib.h>

#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"

enum pg_link_state {
    PG_LINK_CLOSED,
    PG_LINK_OPENING,
    PG_LINK_READY,
    PG_LINK_BUSY,
    PG_LINK_CLOSING,
    PG_LINK_STOPPED
};

enum {
    /* The server's statement_timeout gets this head start: when it works the connection
     * is kept, and only a server that says nothing at all loses it. */
    PG_LINK_MARGIN_MS = 200,
    PG_LINK_PAUSE_FIRST_MS = 20,
    /* What a person has to put right is tried at this multiple of the longest pause. */
    PG_LINK_PAUSE_HALT_FACTOR = 5
};

struct pg_link {
    const struct pg_link_options *options; /* borrowed */
    enum pg_link_state state;
    bool is_stopping;
    PGconn *conn;     /* owned; NULL unless READY, BUSY or CLOSING */
    uv_poll_t poll;   /* in use unless CLOSED, OPENING or STOPPED */
    uv_timer_t timer; /* CLOSED: the pause; READY: the lifetime; BUSY: the deadline */
    int64_t opened_us;
    int64_t expires_ms; /* 0: never */
    int64_t pause_ms;   /* the longest the next pause may be */

    /* of OPENING: the worker's until on_opened() */
    uv_work_t work;
    enum err_code opened_code;
    struct err opened_err;
    PGconn *opened_conn;
    uint64_t last_host; /* the server that worked last; 0: any */

    /* of BUSY */
    pg_link_result_fn fn;
    void *user;
    bool is_sent; /* or the timer is about to end the connection */
    PGresult
        *result; /* owned; the rows or the first error, until the query is at its end */
};

static void pg_link_pause(struct pg_link *link, enum err_code code);
static void on_timer(uv_timer_t *timer);

/* --- the end ---------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct pg_link *link = handle->data;

    link->state = PG_LINK_STOPPED;
    link->options->on_stopped(link->options->user);
}

/* From CLOSED, where nothing but the timer is alive. */
static void pg_link_end(struct pg_link *link)
{
    assert(link->state == PG_LINK_CLOSED);
    uv_close((uv_handle_t *)&link->timer, on_timer_closed);
}

/* --- losing the connection --------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
    struct pg_link *link = handle->data;

    link->state = PG_LINK_CLOSED;
    pg_link_pause(link, ERR_UNAVAILABLE);
}

/* Ends the connection.  The descriptor is closed after uv_close() has taken it out of the
 * loop's epoll set, as libuv asks. */
static void pg_link_close(struct pg_link *link)
{
    link->state = PG_LINK_CLOSING;
    (void)uv_timer_stop(&link->timer); /* always 0 */
    uv_close((uv_handle_t *)&link->poll, on_poll_closed);
    PQclear(link->result);
    link->result = NULL;
    PQfinish(link->conn);
    link->conn = NULL;
}

static void pg_link_lose(struct pg_link *link, const struct err *err)
{
    pg_link_result_fn fn = link->state == PG_LINK_BUSY ? link->fn : NULL;

    pg_link_close(link);
    if (fn)
        fn(NULL, err, link->user);
    link->options->on_lost(err, link->options->user);
}

static void pg_link_lose_conn(struct pg_link *link, const char *what)
{
    struct err err;

    (void)pg_err_of_conn(link->conn, what, &err); /* the code is in err */
    pg_link_lose(link, &err);
}

/* --- the answer of a query --------------------------------------------------- */

/* The errors after which the connection is as good as before.  All others end it: what is
 * wrong with the server or the schema then comes out when the connection is made anew. */
static bool keeps_connection(enum err_code code)
{
    return code == ERR_OK || code == ERR_TIMEOUT || code == ERR_BUSY ||
           code == ERR_INVALID || code == ERR_TOO_BIG;
}

/* Waits for a query, until the connection is too old. */
static void pg_link_rest(struct pg_link *link)
{
    int64_t left_ms = link->expires_ms - clock_mono_ms();

    link->state = PG_LINK_READY;
    (void)uv_timer_stop(&link->timer); /* always 0 */
    if (link->expires_ms > 0)
        (void)uv_timer_start(&link->timer, on_timer, left_ms > 1 ? (uint64_t)left_ms : 1,
                             0);
}

static bool is_expired(const struct pg_link *link)
{
    return link->expires_ms > 0 && clock_mono_ms() >= link->expires_ms;
}

/* Ends a connection that is well; the next one may lead to another server. */
static void pg_link_renew(struct pg_link *link)
{
    link->last_host = 0;
    pg_link_close(link);
}

static void finish_query(struct pg_link *link)
{
    PGresult *result = link->result;
    struct err err = {0};

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        (void)pg_err_of_result(result, link->conn, "could not run a query", &err);
    if (!keeps_connection(err.code)) {
        pg_link_lose(link, &err);
        return;
    }
    link->result = NULL;
    if (is_expired(link))
        pg_link_renew(link);
    else
        pg_link_rest(link);
    link->fn(err.code ? NULL : result, &err, link->user);
    PQclear(result);
}

/* Keeps the first error, or the last rows: those before them are of the settings. */
static void keep_result(struct pg_link *link, PGresult *result)
{
    if (link->state != PG_LINK_BUSY ||
        (link->result && PQresultStatus(link->result) != PGRES_TUPLES_OK)) {
        PQclear(result);
        return;
    }
    PQclear(link->result);
    link->result = result;
}

/* Whether libpq has no further result; in a pipeline a NULL ends each of its statements. */
static bool is_end(const struct pg_link *link, const PGresult *result)
{
    if (PQpipelineStatus(link->conn) == PQ_PIPELINE_OFF ||
        PQstatus(link->conn) != CONNECTION_OK || link->state != PG_LINK_BUSY)
        return !result;
    return result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
}

/* Takes what has arrived, until the query is at its end. */
static void take_results(struct pg_link *link)
{
    while (!PQisBusy(link->conn)) {
        PGresult *result = PQgetResult(link->conn);
        if (is_end(link, result)) {
            PQclear(result);
            if (link->state == PG_LINK_BUSY)
                finish_query(link);
            return;
        }
        if (result)
            keep_result(link, result);
    }
}

/* --- the socket ---------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

/* Sends what libpq still holds, and waits for what comes next.  False when the connection
 * is lost. */
static bool pg_link_watch(struct pg_link *link)
{
    int unsent = PQflush(link->conn);
    int events = unsent > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE;

    return unsent >= 0 && uv_poll_start(&link->poll, events, on_poll) == 0;
}

/* A READY link gets here too: that is how a server that has ended is noticed at once. */
static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct pg_link *link = poll->data;

    (void)events; /* libpq finds out by itself */
    if (status < 0 || !PQconsumeInput(link->conn) || !pg_link_watch(link))
        pg_link_lose_conn(link, "lost the connection to Postgres");
    else
        take_results(link);
}

/* --- opening --------------------------------------------------------------------- */

static void on_work(uv_work_t *work)
{
    struct pg_link *link = work->data;

    link->opened_code = session_open(&link->options->session, &link->last_host,
                                     &link->opened_conn, &link->opened_err);
}

/* When a connection that opens now is too old, so that those of all links and daemons are
 * not made anew at the same moment. */
static int64_t expires_ms(const struct pg_link *link)
{
    int64_t lifetime_ms = link->options->lifetime_ms;
    unsigned random_bits = 0;

    if (lifetime_ms == 0)
        return 0;
    (void)uv_random(NULL, NULL, &random_bits, sizeof(random_bits), 0, NULL);
    return clock_mono_ms() + lifetime_ms * (800 + random_bits % 401) / 1000;
}

static void pg_link_adopt(struct pg_link *link)
{
    link->conn = link->opened_conn;
    link->opened_conn = NULL;
    link->pause_ms = 0;
    link->expires_ms = expires_ms(link);
    pg_link_rest(link);
    /* Behind a pooler a query brings its settings along.  Fails only on a lost connection,
     * and then sending does. */
    if (pg_conn_settings(link->conn))
        (void)PQenterPipelineMode(link->conn);
    link->poll.data = link;
    /* fails only for a descriptor that no epoll set takes: not a socket's */
    (void)uv_poll_init(link->options->loop, &link->poll, PQsocket(link->conn));
    if (pg_link_watch(link))
        link->options->on_ready(link->options->user);
    else
        pg_link_lose_conn(link, "lost the connection to Postgres");
}

static void on_opened(uv_work_t *work, int status)
{
    struct pg_link *link = work->data;
    bool is_stopping = link->is_stopping;

    if (status == 0 && !link->opened_code && !is_stopping) {
        pg_link_adopt(link);
        return;
    }
    PQfinish(link->opened_conn);
    link->opened_conn = NULL;
    link->state = PG_LINK_CLOSED;
    pg_link_pause(link, link->opened_code);
    if (!is_stopping)
        link->options->on_lost(&link->opened_err, link->options->user);
}

static void pg_link_open(struct pg_link *link)
{
    link->state = PG_LINK_OPENING;
    link->opened_us = clock_mono_us();
    link->work.data = link;
    /* fails only without a callback */
    (void)uv_queue_work(link->options->loop, &link->work, on_work, on_opened);
}

static void on_timer(uv_timer_t *timer)
{
    struct pg_link *link = timer->data;
    struct err err;

    if (link->state == PG_LINK_CLOSED) {
        pg_link_open(link);
        return;
    }
    if (link->state == PG_LINK_READY) {
        pg_link_renew(link);
        return;
    }
    assert(link->state == PG_LINK_BUSY);
    if (!link->is_sent) {
        pg_link_lose_conn(link, "could not send a query");
        return;
    }
    (void)err_set(&err, ERR_TIMEOUT, "Postgres did not answer in time");
    pg_link_lose(link, &err);
}

/* Waits before the next attempt: a random part ("full jitter") of a pause that doubles, so
 * that many daemons do not come back to a restarted server in step. */
static void pg_link_pause(struct pg_link *link, enum err_code code)
{
    int64_t max_ms = link->options->reconnect_max_ms;
    unsigned random_bits = 0;

    if (link->is_stopping) {
        pg_link_end(link);
        return;
    }
    if (err_action(code) == ACTION_HALT && code != ERR_SCHEMA)
        link->pause_ms = max_ms * PG_LINK_PAUSE_HALT_FACTOR;
    else if (link->pause_ms == 0)
        link->pause_ms = PG_LINK_PAUSE_FIRST_MS;
    else
        link->pause_ms = link->pause_ms < max_ms / 2 ? link->pause_ms * 2 : max_ms;
    /* without random bytes the pause is merely short */
    (void)uv_random(NULL, NULL, &random_bits, sizeof(random_bits), 0, NULL);
    (void)uv_timer_start(&link->timer, on_timer,
                         1 + random_bits % (uint64_t)link->pause_ms, 0);
}

/* --- what the pool calls ------------------------------------------------------------ */

struct pg_link *pg_link_new(const struct pg_link_options *options)
{
    struct pg_link *link = mem_calloc(1, sizeof(*link));

    if (!link)
        return NULL;
    link->options = options;
    link->state = PG_LINK_STOPPED;
    return link;
}

void pg_link_start(struct pg_link *link)
{
    assert(link->state == PG_LINK_STOPPED && !link->is_stopping);
    link->state = PG_LINK_CLOSED;
    (void)uv_timer_init(link->options->loop, &link->timer); /* always 0 */
    link->timer.data = link;
    (void)uv_timer_start(&link->timer, on_timer, 0, 0);
}

void pg_link_stop(struct pg_link *link)
{
    const struct err err = {.code = ERR_UNAVAILABLE, .msg = "the daemon is stopping"};

    link->is_stopping = true;
    switch (link->state) {
    case PG_LINK_CLOSED:
        pg_link_end(link);
        return;
    case PG_LINK_OPENING:
        (void)uv_cancel((uv_req_t *)&link->work); /* else on_opened() comes by itself */
        return;
    case PG_LINK_READY:
        pg_link_close(link);
        return;
    case PG_LINK_BUSY:
        pg_link_close(link);
        link->fn(NULL, &err, link->user);
        return;
    case PG_LINK_CLOSING:
    case PG_LINK_STOPPED:
        return;
    }
}

void pg_link_free(struct pg_link *link)
{
    assert(!link || link->state == PG_LINK_STOPPED);
    mem_free(link);
}

void pg_link_abandon(struct pg_link *link)
{
    assert(link->state == PG_LINK_BUSY);
    pg_link_close(link);
}

bool pg_link_is_ready(const struct pg_link *link)
{
    return link->state == PG_LINK_READY;
}

int64_t pg_link_opened_us(const struct pg_link *link)
{
    return link->opened_us;
}

bool pg_link_is_open(const struct pg_link *link)
{
    return link->state == PG_LINK_READY || link->state == PG_LINK_BUSY;
}

/* Behind a pooler the settings and the statement are one transaction. */
static bool pg_link_send(struct pg_link *link, const struct report *statement,
                         const struct ask_text *texts)
{
    const char *settings = pg_conn_settings(link->conn);
    const char *values[REPORT_VALUES_MAX];
    int count = (int)statement->value_count;

    for (int i = 0; i < count; i++)
        values[i] = texts[i].bytes;

    if (!settings)
        return PQsendQueryPrepared(link->conn, statement->name, count, values, NULL, NULL,
                                   0) != 0;
    return PQsendQueryParams(link->conn, settings, 0, NULL, NULL, NULL, NULL, 0) &&
           PQsendQueryParams(link->conn, statement->sql, count, NULL, values, NULL, NULL,
                             0) &&
           PQpipelineSync(link->conn);
}

void pg_link_run(struct pg_link *link, enum statement_id id,
                 const struct ask_text *values, pg_link_result_fn fn, void *user)
{
    const struct report *statement = report_get(id);
    uint64_t timeout_ms =
        (uint64_t)link->options->session.query_timeout_ms + PG_LINK_MARGIN_MS;

    assert(link->state == PG_LINK_READY);
    link->state = PG_LINK_BUSY;
    link->fn = fn;
    link->user = user;
    link->is_sent = pg_link_send(link, statement, values) && pg_link_watch(link);
    if (!link->is_sent)
        timeout_ms = 0;
    (void)uv_timer_start(&link->timer, on_timer, timeout_ms, 0);
}
