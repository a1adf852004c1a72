/* conn.c -- see conn.h.  Only libpq's non-blocking calls are used, with poll(2)
 * between them: its blocking ones wait for the server without a limit. */
#include "shared/pg/conn.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"

enum {
    OPTIONS_MAX_BYTES = 16384,
    KEYWORDS_MAX = 16,
    COPY_CHUNK_BYTES = 256 * 1024, /* what libpq buffers before it is flushed */
};

/* Reads nothing: notices of the server are for people at a terminal. */
static void on_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

/* Writes the server settings of a connection behind those that the URL has itself. */
static enum err_code add_settings(const struct pg_conn_options *options,
                                  const char *from_url, struct buf *out)
{
    enum err_code code = ERR_OK;

    if (from_url)
        code = buf_printf(out, "%s ", from_url);
    if (!code)
        code = buf_printf(
            out,
            "-c timezone=UTC -c datestyle=ISO -c statement_timeout=%lld "
            "-c lock_timeout=%lld "
            "-c idle_in_transaction_session_timeout=%lld%s",
            (long long)options->statement_timeout_ms, (long long)options->lock_timeout_ms,
            (long long)options->statement_timeout_ms,
            options->read_only ? " -c default_transaction_read_only=on" : "");
    if (!code)
        code = buf_add(out, "", 1);
    return code;
}

/* Ports, one for each host; libpq itself looks at them only when it connects. */
static bool is_port_list(const char *text)
{
    while (*text != '\0') {
        char *end;
        long port = strtol(text, &end, 10);

        if (end != text && (port < 1 || port > 65535))
            return false;
        if (*end != '\0' && *end != ',')
            return false;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

/* The value of "options" in the URL, as a copy (NULL when there is none). */
static enum err_code find_options(const char *url, char **ret_value, struct err *err)
{
    char *reason = NULL;
    PQconninfoOption *parts = PQconninfoParse(url, &reason);
    char *value = NULL;
    enum err_code code = ERR_OK;

    PQfreemem(reason); /* it may quote the password */
    if (!parts)
        return err_set(err, ERR_CONFIG,
                       "DATABASE_URL is not a connection string that libpq understands");
    for (PQconninfoOption *part = parts; part->keyword && !code; part++) {
        if (!part->val)
            continue;
        if (strcmp(part->keyword, "port") == 0 && !is_port_list(part->val))
            code = err_set(err, ERR_CONFIG, /* not shown: it may be a torn password */
                           "DATABASE_URL: the port is not a number from 1 to 65535");
        if (strcmp(part->keyword, "options") == 0) {
            value = mem_strdup(part->val);
            if (!value)
                code = err_set(err, ERR_NOMEM, "out of memory");
        }
    }
    PQconninfoFree(parts);
    if (code)
        mem_free(value);
    else
        *ret_value = value;
    return code;
}

enum err_code pg_conn_check_url(const char *url, struct err *err)
{
    char *ignored = NULL;
    enum err_code code = find_options(url, &ignored, err);

    mem_free(ignored);
    return code;
}

struct keywords {
    const char *names[KEYWORDS_MAX];
    const char *values[KEYWORDS_MAX];
    size_t count;
};

static void keywords_add(struct keywords *k, const char *name, const char *value)
{
    assert(k->count + 1 < KEYWORDS_MAX);
    k->names[k->count] = name;
    k->values[k->count++] = value;
}

/* What stands before the URL is a default, what stands behind it is settled. */
static PGconn *start_with(const struct pg_conn_options *options, const char *settings)
{
    struct keywords k = {.count = 0};
    char seconds[24];

    (void)snprintf(seconds, sizeof(seconds), "%lld",
                   (long long)(options->connect_timeout_ms + 999) / 1000);
    keywords_add(&k, "keepalives_idle", "10");
    keywords_add(&k, "keepalives_interval", "5");
    keywords_add(&k, "keepalives_count", "3");
    keywords_add(&k, "tcp_user_timeout", "10000");
    keywords_add(&k, "connect_timeout", seconds);
    /* Else libpq looks for Kerberos credentials first, and MIT's library follows a NULL there
     * when memory runs out. */
    if (!getenv("PGGSSENCMODE"))
        keywords_add(&k, "gssencmode", "disable");
    keywords_add(&k, "dbname", options->url);
    keywords_add(&k, "application_name", options->application_name);
    keywords_add(&k, "client_encoding", "UTF8");
    keywords_add(&k, "options", settings);
    if (options->needs_primary)
        keywords_add(&k, "target_session_attrs", "read-write");
    return PQconnectStartParams(k.names, k.values, 1);
}

enum err_code pg_conn_start(const struct pg_conn_options *options, PGconn **ret_conn,
                            struct err *err)
{
    char *from_url = NULL;
    PGconn *conn = NULL;
    struct buf settings;
    enum err_code code;

    buf_init(&settings, OPTIONS_MAX_BYTES);
    code = find_options(options->url, &from_url, err);
    if (code)
        goto out;
    code = add_settings(options, from_url, &settings);
    if (code) {
        (void)err_set(err, code, "could not write the settings of the connection");
        goto out;
    }
    conn = start_with(options, settings.data);
    if (!conn) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    /* Verbose, because nothing else tells the SQLSTATE of a refused login. */
    (void)PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    (void)PQsetNoticeReceiver(conn, on_notice, NULL);
    *ret_conn = conn;
out:
    buf_release(&settings);
    mem_free(from_url);
    return code;
}

/* Waits until the socket is ready for one of the events.  ERR_TIMEOUT at the deadline. */
static enum err_code wait_socket(PGconn *conn, short events, int64_t deadline_ms,
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

enum err_code pg_conn_open(const struct pg_conn_options *options, PGconn **ret_conn,
                           struct err *err)
{
    static const char what[] = "could not connect to Postgres";
    int64_t deadline_ms = clock_mono_ms() + options->connect_timeout_ms;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    PGconn *conn = NULL;
    enum err_code code = pg_conn_start(options, &conn, err);

    if (code)
        return code;
    if (PQstatus(conn) == CONNECTION_BAD)
        status = PGRES_POLLING_FAILED;
    while (!code && status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            code = pg_err_of_conn(conn, what, err);
        else
            code = wait_socket(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                               deadline_ms, what, err);
        if (!code)
            status = PQconnectPoll(conn);
    }
    if (!code && PQsetnonblocking(conn, 1))
        code = pg_err_of_conn(conn, what, err);
    if (code) {
        PQfinish(conn);
        return code;
    }
    *ret_conn = conn;
    return ERR_OK;
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
        code = wait_socket(conn, POLLIN | POLLOUT, deadline_ms, what, err);
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
        enum err_code code = wait_socket(conn, POLLIN, deadline_ms, what, err);

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

enum err_code pg_conn_exec(PGconn *conn, const char *sql, int count,
                           const char *const *values, int64_t timeout_ms,
                           PGresult **ret_result, struct err *err)
{
    struct pg_failure ignored;

    return run_params(conn, sql, count, values, timeout_ms, ret_result, &ignored, err);
}

enum err_code pg_conn_try(PGconn *conn, const char *sql, int count,
                          const char *const *values, int64_t timeout_ms,
                          int64_t *ret_rows, struct pg_failure *ret_failure,
                          struct err *err)
{
    PGresult *result = NULL;
    enum err_code code =
        run_params(conn, sql, count, values, timeout_ms, &result, ret_failure, err);

    if (!code && ret_rows)
        *ret_rows = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return code;
}

enum err_code pg_conn_run(PGconn *conn, const char *sql, int64_t timeout_ms,
                          char *ret_tag, size_t size, struct err *err)
{
    static const char what[] = "could not run a statement";
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct pg_failure ignored;
    PGresult *result = NULL;
    enum err_code code;

    if (!PQsendQuery(conn, sql))
        return pg_err_of_conn(conn, what, err);
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
