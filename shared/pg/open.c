/* open.c -- connections to Postgres, made; see conn.h.
 *
 * One attempt for each host, one after the other:
 *
 *   hosts in order -> connect -> settings -> done
 *                        |          |
 *                        +----------+--> the next host, until the last one has failed
 *
 * prefer-standby goes through the list twice: for a standby, then for any server.
 *
 * The settings are not sent as the startup parameter "options": PgBouncer refuses a login
 * that has it.  A statement sets them, and asks for the backend's process id.  If that is
 * not the one that libpq was told at the login, a pooler stands in between.  It may run the
 * next transaction in another backend, and would give a backend with our settings to other
 * clients; so each transaction then sets them for itself (conn.c). */
#include <assert.h>
#include <libpq-events.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/pg/conn.h"
#include "shared/pg/hosts.h"
#include "shared/pg/internal.h"

enum {
    SETTINGS_MAX_BYTES = 4096,
    KEYWORDS_EXTRA = 16, /* those that are added to the options of the URL */
};

static const char what[] = "could not connect to Postgres";

/* Reads nothing: notices of the server are for people at a terminal. */
static void on_notice(void *user, const PGresult *result)
{
    (void)user;
    (void)result;
}

/* --- the URL ------------------------------------------------------------------------ */

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

enum err_code pg_conn_check_url(const char *url, struct err *err)
{
    char *reason = NULL;
    PQconninfoOption *parts = PQconninfoParse(url, &reason);
    enum err_code code = ERR_OK;

    PQfreemem(reason); /* it may quote the password */
    if (!parts)
        return err_set(err, ERR_CONFIG,
                       "DATABASE_URL is not a connection string that libpq understands");
    for (PQconninfoOption *part = parts; part->keyword && !code; part++) {
        if (part->val && strcmp(part->keyword, "port") == 0 && !is_port_list(part->val))
            code = err_set(err, ERR_CONFIG, /* not shown: it may be a torn password */
                           "DATABASE_URL: the port is not a number from 1 to 65535");
    }
    PQconninfoFree(parts);
    return code;
}

/* --- settings ----------------------------------------------------------------------- */

enum {
    SETTINGS_COUNT_MAX = 8,
    /* How often the server checks, during a statement, that we still live. */
    CHECK_CLIENT_MS = 250
};

struct setting {
    const char *name;
    char value[24];
};

struct settings {
    struct setting list[SETTINGS_COUNT_MAX];
    size_t count;
};

static void add_setting(struct settings *settings, const char *name, const char *value)
{
    struct setting *setting = &settings->list[settings->count++];

    assert(settings->count <= SETTINGS_COUNT_MAX);
    setting->name = name;
    (void)snprintf(setting->value, sizeof(setting->value), "%s", value);
}

static void add_ms(struct settings *settings, const char *name, int64_t ms)
{
    char value[24];

    (void)snprintf(value, sizeof(value), "%lld", (long long)ms);
    add_setting(settings, name, value);
}

static void list_settings(const struct pg_conn_options *options, bool is_local,
                          struct settings *settings)
{
    *settings = (struct settings){.count = 0};
    add_setting(settings, "timezone", "UTC");
    add_setting(settings, "datestyle", "ISO");
    add_ms(settings, "statement_timeout", options->statement_timeout_ms);
    add_ms(settings, "lock_timeout", options->lock_timeout_ms);
    add_ms(settings, "idle_in_transaction_session_timeout",
           options->statement_timeout_ms);
    if (options->read_only)
        add_setting(settings,
                    is_local ? "transaction_read_only" : "default_transaction_read_only",
                    "on");
    if (options->is_quick)
        add_setting(settings, "jit", "off");
    if (options->ends_with_client)
        add_ms(settings, "client_connection_check_interval", CHECK_CLIENT_MS);
}

/* For the session, if the backend has the process id that libpq was told. */
static enum err_code print_for_session(const struct settings *settings, int pid,
                                       struct buf *out)
{
    enum err_code code = buf_add_text(
        out, "SELECT count(set_config(s.name, s.value, false)) FROM (VALUES ");

    for (size_t i = 0; i < settings->count && !code; i++)
        code = buf_printf(out, "%s('%s', '%s')", i > 0 ? ", " : "",
                          settings->list[i].name, settings->list[i].value);
    if (!code)
        code = buf_printf(
            out, ") AS s (name, value) WHERE pg_catalog.pg_backend_pid() = %d", pid);
    return code ? code : buf_add(out, "", 1);
}

static enum err_code print_for_transaction(const struct settings *settings,
                                           struct buf *out)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < settings->count && !code; i++)
        code = buf_printf(out, "%sset_config('%s', '%s', true)", i > 0 ? ", " : "SELECT ",
                          settings->list[i].name, settings->list[i].value);
    return code ? code : buf_add(out, "", 1);
}

/* --- through a pooler --------------------------------------------------------------- */

/* The text of the settings lives as long as the connection, which has it. */
static int on_event(PGEventId id, void *info, void *user)
{
    (void)user;
    if (id == PGEVT_CONNDESTROY) {
        const PGEventConnDestroy *event = info;

        mem_free(PQinstanceData(event->conn, on_event));
    }
    return 1;
}

const char *pg_conn_settings(const PGconn *conn)
{
    return PQinstanceData(conn, on_event);
}

static enum err_code note_pooler(PGconn *conn, const struct pg_conn_options *options,
                                 struct err *err)
{
    struct settings settings;
    struct buf text;
    char *kept = NULL;
    enum err_code code;

    list_settings(options, true, &settings);
    buf_init(&text, SETTINGS_MAX_BYTES);
    code = print_for_transaction(&settings, &text);
    kept = code ? NULL : mem_strdup(text.data);
    buf_release(&text);
    if (kept && PQregisterEventProc(conn, on_event, "pooler", NULL) &&
        PQsetInstanceData(conn, on_event, kept))
        return ERR_OK;
    mem_free(kept);
    return err_set(err, ERR_NOMEM, "out of memory");
}

/* Sets what the options ask for, or notes that each transaction has to. */
static enum err_code set_up(PGconn *conn, const struct pg_conn_options *options,
                            int64_t deadline_ms, struct err *err)
{
    int64_t left_ms = deadline_ms - clock_mono_ms();
    PGresult *result = NULL;
    struct settings settings;
    struct buf sql;
    bool is_ours = false;
    enum err_code code;

    list_settings(options, false, &settings);
    buf_init(&sql, SETTINGS_MAX_BYTES);
    code = print_for_session(&settings, PQbackendPID(conn), &sql);
    if (code)
        (void)err_set(err, code, "could not write the settings of the connection");
    else
        code = pg_conn_exec(conn, sql.data, 0, NULL, left_ms, &result, err);
    buf_release(&sql);
    if (!code)
        is_ours = strcmp(PQgetvalue(result, 0, 0), "0") != 0;
    PQclear(result);
    if (code || is_ours)
        return code;
    return note_pooler(conn, options, err);
}

/* PgBouncer says 08P01, "protocol violation", whatever is wrong.  What a person has to mend
 * must not look like an outage; what has these words ends by itself. */
static bool is_outage_of_pooler(const char *message)
{
    static const char *const words[] = {
        "cannot connect", "timeout", "try again", "no more", "too many", "limit",
        "crashed",        "shut",    "closed",    "down",    "pause",    "suspend",
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(message, words[i]))
            return true;
    }
    return false;
}

static enum err_code login_err(const PGconn *conn, struct err *err)
{
    const char *message = PQerrorMessage(conn);
    char sqlstate[PG_SQLSTATE_LEN + 1];
    enum err_code code = pg_err_of_conn(conn, what, err);

    pg_err_find_sqlstate(message, sqlstate);
    if (strcmp(sqlstate, "08P01") != 0 || is_outage_of_pooler(message))
        return code;
    err->code = ERR_CONFIG;
    if (strstr(message, "startup parameter"))
        return err_wrap(err, "a connection pooler refuses a parameter of the login: take "
                             "it out of DATABASE_URL (and PGOPTIONS), or have the pooler "
                             "ignore it (ignore_startup_parameters of PgBouncer)");
    return err_wrap(err, "a connection pooler refuses the login");
}

/* --- one attempt --------------------------------------------------------------------- */

struct keywords {
    const char **names; /* owned, as values; the texts are borrowed */
    const char **values;
    size_t count;
    size_t max;
};

static void put(struct keywords *k, const char *name, const char *value)
{
    assert(k->count + 1 < k->max);
    k->names[k->count] = name;
    k->values[k->count++] = value;
}

/* Options that stand here are replaced below, or say how to choose among several hosts. */
static bool is_replaced(const char *keyword)
{
    static const char *const replaced[] = {
        "host",
        "hostaddr",
        "port",
        "target_session_attrs",
        "sslmode",
        "application_name",
        "load_balance_hosts",
        "client_encoding",
    };

    for (size_t i = 0; i < sizeof(replaced) / sizeof(replaced[0]); i++) {
        if (strcmp(keyword, replaced[i]) == 0)
            return true;
    }
    return false;
}

static size_t count_options(const struct pg_hosts *hosts)
{
    size_t count = 0;

    while (hosts->options[count].keyword)
        count++;
    return count;
}

static void put_all(struct keywords *k, const struct pg_hosts *hosts,
                    const struct pg_host *host, const char *attrs,
                    const struct pg_conn_options *options)
{
    for (const PQconninfoOption *option = hosts->options; option->keyword; option++) {
        if (option->val && option->val[0] != '\0' && !is_replaced(option->keyword))
            put(k, option->keyword, option->val);
    }
    put(k, "host", host->name); /* NULL is as if it was not there, as below */
    put(k, "hostaddr", host->address);
    put(k, "port", host->port);
    put(k, "sslmode", hosts->sslmode);
    put(k, "target_session_attrs", attrs);
    put(k, "application_name", options->application_name);
    put(k, "client_encoding", "UTF8");
}

/* Starts to connect to the host.  The caller owns the connection. */
static enum err_code start(const struct pg_hosts *hosts, const struct pg_host *host,
                           const char *attrs, const struct pg_conn_options *options,
                           PGconn **ret_conn, struct err *err)
{
    struct keywords k = {.max = count_options(hosts) + KEYWORDS_EXTRA};
    PGconn *conn = NULL;

    k.names = mem_calloc(k.max, sizeof(*k.names));
    k.values = mem_calloc(k.max, sizeof(*k.values));
    if (k.names && k.values) {
        put_all(&k, hosts, host, attrs, options);
        conn = PQconnectStartParams(k.names, k.values, 0);
    }
    mem_free(k.names);
    mem_free(k.values);
    if (!conn)
        return err_set(err, ERR_NOMEM, "out of memory");
    /* Verbose, because nothing else tells the SQLSTATE of a refused login. */
    (void)PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
    (void)PQsetNoticeReceiver(conn, on_notice, NULL);
    *ret_conn = conn;
    return ERR_OK;
}

static enum err_code drive(PGconn *conn, int64_t deadline_ms, struct err *err)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    enum err_code code = ERR_OK;

    if (PQstatus(conn) == CONNECTION_BAD)
        status = PGRES_POLLING_FAILED;
    while (!code && status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED)
            code = login_err(conn, err);
        else
            code =
                pg_wait_socket(conn, status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                               deadline_ms, what, err);
        if (!code)
            status = PQconnectPoll(conn);
    }
    if (!code && PQsetnonblocking(conn, 1))
        code = pg_err_of_conn(conn, what, err);
    return code;
}

/* --- all attempts --------------------------------------------------------------------- */

struct search {
    const struct pg_conn_options *options;
    struct pg_hosts hosts;
    int64_t deadline_ms;
    size_t attempts; /* that are still to be made, at most */
    PGconn *conn;    /* found */
    struct err err;  /* of the last one, or of the first that a person has to mend */
    bool is_halted;
};

static enum err_code try_host(struct search *search, struct pg_host *host,
                              const char *attrs, struct err *err)
{
    int64_t left_ms = search->deadline_ms - clock_mono_ms();
    int64_t time_ms =
        search->hosts.count > 1 ? pg_host_time_ms(left_ms, search->attempts) : left_ms;
    int64_t deadline_ms = clock_mono_ms() + time_ms;
    PGconn *conn = NULL;
    enum err_code code = start(&search->hosts, host, attrs, search->options, &conn, err);

    if (!code)
        code = drive(conn, deadline_ms, err);
    if (!code)
        code = set_up(conn, search->options, deadline_ms, err);
    if (code)
        PQfinish(conn);
    else
        search->conn = conn;
    return code;
}

static void keep_err(struct search *search, const struct err *err)
{
    bool is_halt = err_action(err->code) == ACTION_HALT;

    if (search->is_halted && !is_halt)
        return;
    search->err = *err;
    search->is_halted = is_halt;
}

/* Goes through the hosts until one is found. */
static void try_hosts(struct search *search, const char *attrs)
{
    for (size_t i = 0; i < search->hosts.count && !search->conn; i++) {
        struct pg_host *host = &search->hosts.list[i];
        struct err err;
        enum err_code code;

        if (host->is_silent)
            continue;
        code = try_host(search, host, attrs, &err);
        if (search->attempts > 1)
            search->attempts--;
        host->is_silent = code == ERR_TIMEOUT;
        if (code)
            keep_err(search, &err);
        else if (search->options->last_host)
            *search->options->last_host = host->id;
    }
}

enum err_code pg_conn_open(const struct pg_conn_options *options, PGconn **ret_conn,
                           struct err *err)
{
    struct search search = {.options = options};
    const char *attrs;
    bool prefers_standby;
    enum err_code code = pg_conn_check_url(options->url, err);

    if (code)
        return code;
    code = pg_hosts_load(&search.hosts, options->url, err);
    if (code)
        goto out;
    pg_hosts_order(&search.hosts, options->last_host ? *options->last_host : 0,
                   options->shuffles_hosts);
    attrs = options->needs_primary
                ? "read-write"
                : pg_hosts_option(&search.hosts, "target_session_attrs");
    prefers_standby = attrs && strcmp(attrs, "prefer-standby") == 0;
    /* The second time only those are tried that have answered. */
    search.attempts = search.hosts.count + (prefers_standby ? 1 : 0);
    search.deadline_ms = clock_mono_ms() + options->connect_timeout_ms;
    try_hosts(&search, prefers_standby ? "standby" : attrs);
    if (prefers_standby && !search.conn)
        try_hosts(&search, "any");
    if (search.conn)
        *ret_conn = search.conn;
    else
        *err = search.err;
    code = search.conn ? ERR_OK : err->code;
out:
    pg_hosts_release(&search.hosts);
    return code;
}
