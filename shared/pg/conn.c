/* conn.c -- see conn.h; open.c makes the connections.  Only libpq's non-blocking calls are
 * used, with poll(2) between them: its blocking ones wait for the server without a limit. */
#include "shared/pg/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/pg/internal.h"

enum {
    TEXT_MAX_BYTES = 16 << 20, /* of a statement without parameters */
    ROLLBACK_MS = 1000,
    COPY_CHUNK_BYTES = 256 * 1024, /* what libpq buffers before it is flushed */
};

enum err_code pg_wait_socket(PGconn *conn, short events, int64_t deadline_ms,
                             const char *what, struct err *err)
{
    for (;;) {
        struct pollfd fd = {.fd = PQsocket(conn), .events = events};
        int64_t left_ms = deadline_ms - clock_mono_ms();
        int ready;

        if (fd.fd < 0)
            return pg_err_of_conn(conn, what, err);
        if (left_ms <= 0)
            return err_set(err, ERR_TIMEOUT, "%s: no answer from Postgres in time", what);
        ready = poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
        if (ready > 0)
            return ERR_OK;
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_UNAVAILABLE, "%s: %s", what, strerror(errno));
    }
}

/* Sends what libpq has buffered; reads meanwhile, or both sides could wait for ever. */
static enum err_code flush(PGconn *conn, int64_t deadline_ms, const char *what,
                           struct err *err)
{
    for (;;) {
        int rest = PQflush(conn);
        enum err_code code;

        if (rest == 0)
            return ERR_OK;
        if (rest < 0)
            return pg_err_of_conn(conn, what, err);
        code = pg_wait_socket(conn, POLLIN | POLLOUT, deadline_ms, what, err);
        if (code)
            return code;
        if (!PQconsumeInput(conn))
            return pg_err_of_conn(conn, what, err);
    }
}

/* The next result, which the caller owns; NULL in *ret_result after the last. */
static enum err_code next_result(PGconn *conn, int64_t deadline_ms, const char *what,
                                 PGresult **ret_result, struct err *err)
{
    while (PQisBusy(conn)) {
        enum err_code code = pg_wait_socket(conn, POLLIN, deadline_ms, what, err);

        if (code)
            return code;
        if (!PQconsumeInput(conn))
            return pg_err_of_conn(conn, what, err);
    }
    *ret_result = PQgetResult(conn);
    return ERR_OK;
}

static bool is_success(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void fill_failure(const PGresult *failed, struct pg_failure *failure)
{
    const char *sqlstate = failed ? PQresultErrorField(failed, PG_DIAG_SQLSTATE) : NULL;

    *failure = (struct pg_failure){.line = 0};
    if (!sqlstate)
        return;
    (void)snprintf(failure->sqlstate, sizeof(failure->sqlstate), "%s", sqlstate);
    failure->line = pg_err_find_line(PQresultErrorField(failed, PG_DIAG_CONTEXT));
}

/* Reads all results of a query: the last one, or the first that failed. */
static enum err_code read_results(PGconn *conn, int64_t deadline_ms, const char *what,
                                  PGresult **ret_result, struct pg_failure *ret_failure,
                                  struct err *err)
{
    PGresult *kept = NULL;
    enum err_code code;

    for (;;) {
        PGresult *result = NULL;

        code = next_result(conn, deadline_ms, what, &result, err);
        if (code || !result)
            break;
        if (PQresultStatus(result) == PGRES_COPY_IN ||
            PQresultStatus(result) == PGRES_COPY_OUT) {
            PQclear(result); /* a COPY here would never end */
            code = err_set(err, ERR_BUG, "%s: a COPY where none belongs", what);
            break;
        }
        if (kept && !is_success(kept)) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = result;
    }
    if (!code && (!kept || !is_success(kept)))
        code = pg_err_of_result(kept, conn, what, err);
    if (code) {
        fill_failure(kept, ret_failure);
        PQclear(kept);
        return code;
    }
    *ret_result = kept;
    return ERR_OK;
}

/* --- one transaction a statement ---------------------------------------------------- */

/* The settings that have to be sent with a statement.  A pooler may run each transaction in
 * another backend, so each sets them; within an open transaction they are set already. */
static const char *settings_wanted(const PGconn *conn)
{
    const char *settings = pg_conn_settings(conn);

    return settings && PQtransactionStatus(conn) == PQTRANS_IDLE ? settings : NULL;
}

/* Leaves a transaction in which something has failed.  What cannot be left so ends with
 * the connection. */
static void roll_back(PGconn *conn)
{
    struct err ignored;

    if (PQtransactionStatus(conn) == PQTRANS_INERROR &&
        pg_conn_run(conn, "ROLLBACK", ROLLBACK_MS, NULL, 0, &ignored))
        return;
}

static enum err_code run_params(PGconn *conn, const char *sql, int count,
                                const char *const *values, int64_t timeout_ms,
                                PGresult **ret_result, struct pg_failure *ret_failure,
                                struct err *err)
{
    static const char what[] = "could not run a statement";
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    enum err_code code;

    *ret_failure = (struct pg_failure){.line = 0};
    if (!PQsendQueryParams(conn, sql, count, NULL, values, NULL, NULL, 0))
        return pg_err_of_conn(conn, what, err);
    code = flush(conn, deadline_ms, what, err);
    if (code)
        return code;
    return read_results(conn, deadline_ms, what, ret_result, ret_failure, err);
}

/* As run_params(), with the settings. */
static enum err_code run_set(PGconn *conn, const char *sql, int count,
                             const char *const *values, int64_t timeout_ms,
                             PGresult **ret_result, struct pg_failure *ret_failure,
                             struct err *err)
{
    enum err_code code;

    if (!settings_wanted(conn))
        return run_params(conn, sql, count, values, timeout_ms, ret_result, ret_failure,
                          err);
    *ret_failure = (struct pg_failure){.line = 0};
    code = pg_conn_run(conn, "BEGIN", timeout_ms, NULL, 0, err);
    if (code)
        return code;
    code = run_params(conn, sql, count, values, timeout_ms, ret_result, ret_failure, err);
    if (code) {
        roll_back(conn);
        return code;
    }
    code = pg_conn_run(conn, "COMMIT", timeout_ms, NULL, 0, err);
    if (code)
        PQclear(*ret_result);
    return code;
}

enum err_code pg_conn_exec(PGconn *conn, const char *sql, int count,
                           const char *const *values, int64_t timeout_ms,
                           PGresult **ret_result, struct err *err)
{
    struct pg_failure ignored;
    PGresult *result = NULL;
    enum err_code code =
        run_set(conn, sql, count, values, timeout_ms, &result, &ignored, err);

    if (!code)
        *ret_result = result;
    return code;
}

enum err_code pg_conn_try(PGconn *conn, const char *sql, int count,
                          const char *const *values, int64_t timeout_ms,
                          int64_t *ret_rows, struct pg_failure *ret_failure,
                          struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        run_set(conn, sql, count, values, timeout_ms, &result, ret_failure, err);

    if (code)
        return code;
    if (ret_rows)
        *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return ERR_OK;
}

/* Sends the text; all of it is one transaction, and a BEGIN in it keeps what was set. */
static enum err_code send_text(PGconn *conn, const char *sql, const char *what,
                               struct err *err)
{
    const char *settings = settings_wanted(conn);
    struct buf text;
    enum err_code code;

    if (!settings)
        return PQsendQuery(conn, sql) ? ERR_OK : pg_err_of_conn(conn, what, err);
    buf_init(&text, TEXT_MAX_BYTES);
    code = buf_printf(&text, "%s;%s", settings, sql);
    if (!code)
        code = buf_add(&text, "", 1);
    if (code)
        (void)err_set(err, code, "%s: the text is too long", what);
    else if (!PQsendQuery(conn, text.data))
        code = pg_err_of_conn(conn, what, err);
    buf_release(&text);
    return code;
}

int64_t pg_int_at(const PGresult *result, int row, int column)
{
    return strtoll(PQgetvalue(result, row, column), NULL, 10);
}

enum err_code pg_conn_run(PGconn *conn, const char *sql, int64_t timeout_ms,
                          char *ret_tag, size_t size, struct err *err)
{
    static const char what[] = "could not run a statement";
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct pg_failure ignored;
    PGresult *result = NULL;
    enum err_code code = send_text(conn, sql, what, err);

    if (!code)
        code = flush(conn, deadline_ms, what, err);
    if (!code)
        code = read_results(conn, deadline_ms, what, &result, &ignored, err);
    if (!code && ret_tag)
        (void)snprintf(ret_tag, size, "%s", PQcmdStatus(result));
    PQclear(result);
    return code;
}

/* Hands the pieces to libpq, a chunk at a time, so that its buffer stays small; many small
 * pieces go out together. */
static enum err_code send_pieces(PGconn *conn, const struct pg_piece *pieces,
                                 size_t count, int64_t deadline_ms, const char *what,
                                 struct err *err)
{
    size_t waiting = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t sent = 0; sent < pieces[i].len;) {
            size_t len = pieces[i].len - sent;
            enum err_code code;

            if (len > COPY_CHUNK_BYTES)
                len = COPY_CHUNK_BYTES;
            if (PQputCopyData(conn, pieces[i].bytes + sent, (int)len) != 1)
                return pg_err_of_conn(conn, what, err);
            sent += len;
            waiting += len;
            /* The header at once, and all of the rows before the trailer. */
            if (waiting < COPY_CHUNK_BYTES && i > 0 && i + 2 < count)
                continue;
            waiting = 0;
            code = flush(conn, deadline_ms, what, err);
            if (!code)
                code = FAILPOINT("copy.sending", err);
            if (code)
                return code;
        }
    }
    if (PQputCopyEnd(conn, NULL) != 1)
        return pg_err_of_conn(conn, what, err);
    return flush(conn, deadline_ms, what, err);
}

/* Begins the COPY: reads results until the server is ready for data, or the error. */
static enum err_code begin_copy(PGconn *conn, const char *sql, int64_t deadline_ms,
                                const char *what, PGresult **ret_failed, struct err *err)
{
    PGresult *result = NULL;
    enum err_code code;

    if (!PQsendQuery(conn, sql))
        return pg_err_of_conn(conn, what, err);
    code = flush(conn, deadline_ms, what, err);
    if (!code)
        code = next_result(conn, deadline_ms, what, &result, err);
    if (code)
        return code;
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        return ERR_OK;
    }
    code = pg_err_of_result(result, conn, what, err);
    *ret_failed = result;
    return code;
}

/* Reads the end of a COPY; *ret_failed is the result that tells why it failed. */
static enum err_code end_copy(PGconn *conn, int64_t deadline_ms, const char *what,
                              int64_t *ret_rows, PGresult **ret_failed, struct err *err)
{
    enum err_code outcome = ERR_UNAVAILABLE;
    bool is_told = false;

    for (;;) {
        PGresult *result = NULL;
        enum err_code code = next_result(conn, deadline_ms, what, &result, err);

        if (code)
            return code;
        if (!result)
            break;
        if (is_told) {
            PQclear(result);
            continue;
        }
        is_told = true;
        if (PQresultStatus(result) == PGRES_COMMAND_OK) {
            *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
            PQclear(result);
            outcome = ERR_OK;
        } else {
            outcome = pg_err_of_result(result, conn, what, err);
            *ret_failed = result;
        }
    }
    if (!is_told)
        outcome = pg_err_of_conn(conn, what, err);
    return outcome;
}

enum err_code pg_conn_copy(PGconn *conn, const char *sql, const struct pg_piece *pieces,
                           size_t count, int64_t timeout_ms, int64_t *ret_rows,
                           struct pg_failure *ret_failure, struct err *err)
{
    static const char what[] = "could not copy rows";
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    PGresult *failed = NULL;
    enum err_code code = begin_copy(conn, sql, deadline_ms, what, &failed, err);

    if (!code) {
        code = send_pieces(conn, pieces, count, deadline_ms, what, err);
        if (!code)
            code = FAILPOINT("copy.sent", err);
        if (!code)
            code = end_copy(conn, deadline_ms, what, ret_rows, &failed, err);
    }
    if (code)
        fill_failure(failed, ret_failure);
    PQclear(failed);
    return code;
}
