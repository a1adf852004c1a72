/* routes.c -- see routes.h.
 *
 * on_report -> params_read -> [of a range: pool_ask -> (Postgres) -> on_now -> ask_set_range]
 *           -> report_source -> pool_ask -> (Postgres) -> on_rows -> render -> http_answer
 */
#include "reporting/routes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reporting/export/export.h"
#include "reporting/failure.h"
#include "reporting/metrics.h"
#include "reporting/openapi/document.h"
#include "reporting/page/page.h"
#include "reporting/pool.h"
#include "reporting/replies.h"
#include "reporting/report/cells.h"
#include "reporting/report/now.h"
#include "reporting/report/params.h"
#include "reporting/report/render.h"
#include "reporting/report/report.h"
#include "reporting/report/resolve.h"
#include "reporting/session.h"
#include "reporting/share_key.h"
#include "shared/access/secret.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/guard.h"
#include "shared/http/health.h"
#include "shared/text/query.h"

enum {
    /* A thousand paths of 2,048 characters, each character at most six bytes in JSON; in CSV
     * all values of a property, which are much shorter. */
    ANSWER_BYTES_MAX = 67108864,
    ROUTES_VERSION_SIZE = 64, /* two numbers */
    UNAUTHORIZED = 401,
    FORBIDDEN = 403
};

/* A request for a report that waits for its rows. */
struct report_request {
    struct http_request *http;         /* borrowed until answered */
    const struct routes *routes;       /* borrowed */
    enum statement_id report;          /* the row of its route */
    const struct report *source;       /* the statement that is asked */
    int64_t deadline_ms;               /* of all its questions to the rollups together */
    bool is_export;                    /* it has come to be one */
    bool is_raw_denied;                /* raw events are not for who asks */
    char version[ROUTES_VERSION_SIZE]; /* of the rollups; "" is not known */
    struct ask ask;
    struct buf made; /* the bytes of the ask; data is `bytes` and does not move */
    char bytes[];
};

/* --- reports --------------------------------------------------------------------- */

/* Whether raw events are only for who has the token, and a share key is none. */
static bool is_raw_denied(const struct routes *routes, const struct http_request *req)
{
    return routes->raw_needs_token && !guard_is_keyed(routes->guard, req);
}

static struct report_request *report_request_new(const struct routes *routes,
                                                 struct http_request *req,
                                                 enum statement_id report,
                                                 const struct ask *ask)
{
    size_t size = ask_bytes(ask);
    struct report_request *request = mem_alloc(sizeof(struct report_request) + size);

    if (!request)
        return NULL;
    request->http = req;
    request->routes = routes;
    request->report = report;
    request->ask = *ask;
    request->is_export = false;
    request->version[0] = '\0';
    request->is_raw_denied = is_raw_denied(routes, req);
    request->deadline_ms = clock_mono_ms() + routes->query_timeout_ms;
    request->made = (struct buf){.data = request->bytes, .cap = size, .max_bytes = size};
    ask_move(&request->ask, &request->made);
    return request;
}

static const char *sentence_for(const struct report_request *request, enum err_code code)
{
    const struct report *source = request->source;

    if (source && source->pool == POOL_RAW && code == ERR_TIMEOUT)
        return "the question needs too many raw events; shorten the range";
    if (request->is_export && code == ERR_BUSY)
        return "too many exports";
    return failure_sentence(code);
}

/* Answers an error of its client's, or one of ours, and ends the request. */
static void end_with(struct report_request *request, const struct err *err)
{
    if (err->code == ERR_INVALID) {
        metric_add(&request->routes->metrics->failures[err->code], 1);
        http_answer_error(request->http, 400, err->msg);
    } else {
        failure_answer(request->routes->metrics, request->http, err,
                       sentence_for(request, err->code));
    }
    mem_free(request);
}

/* The version of rows that came from the server that the version was asked of, or from one
 * that had got as far; NULL: another, or none. */
static const char *version_of(const struct report_request *request, const PGresult *rows)
{
    int field = PQfnumber(rows, CELLS_VERSION);
    bool is_same = field >= 0 && request->version[0] &&
                   strcmp(PQgetvalue(rows, 0, field), request->version) == 0;

    return is_same ? request->version : NULL;
}

static enum err_code answer_rows(const struct report_request *request,
                                 const PGresult *rows, struct err *err)
{
    const struct report *report = report_get(request->report);
    struct buf body;
    enum err_code code;

    buf_init(&body, ANSWER_BYTES_MAX);
    if (request->ask.is_csv)
        code = render_csv(report, &request->ask, rows, &body, err);
    else
        code = render_json(report, &request->ask, rows, &body, err);
    if (!code)
        replies_send(request->routes->replies, request->http,
                     report_source(request->report, &request->ask), &request->ask,
                     version_of(request, rows), &body);
    buf_release(&body);
    return code;
}

/* The request is the export's from here on. */
static enum err_code begin_export(struct report_request *request,
                                  enum statement_id source, struct err *err)
{
    enum err_code code = exports_begin(request->routes->exports, request->report, source,
                                       &request->ask, request->http, err);

    if (code)
        request->is_export = true;
    else
        mem_free(request);
    return code;
}

/* All rows are asked, and there are more than may be held: they are sent as they come. */
static bool is_long(const struct report_request *request, const PGresult *rows)
{
    return request->ask.is_whole && PQntuples(rows) > ASK_ROWS_MAX;
}

static enum err_code answer_long(struct report_request *request, struct err *err)
{
    request->ask.texts[ASK_LIMIT] = (struct ask_text){0};
    return begin_export(request, report_source(request->report, &request->ask), err);
}

/* What Postgres says about itself is no fault of the client's, whatever its code. */
static void end_failed(struct report_request *request, const struct err *err)
{
    struct err ours = *err;

    if (ours.code == ERR_INVALID)
        ours.code = ERR_BUG;
    end_with(request, &ours);
}

static void on_rows(const PGresult *rows, const struct err *err, void *user)
{
    struct report_request *request = user;
    struct err own;

    if (!rows)
        end_failed(request, err);
    else if (cells_check_known(rows, &own))
        end_with(request, &own);
    else if (is_long(request, rows)) {
        if (answer_long(request, &own))
            end_with(request, &own);
    } else if (answer_rows(request, rows, &own))
        end_failed(request, &own);
    else
        mem_free(request);
}

/* A question of raw events is worth a look at the socket: who has closed it is gone. */
static bool is_asker_gone(const void *user)
{
    const struct report_request *request = user;

    return request->source->pool == POOL_RAW ? http_has_hung_up(request->http)
                                             : http_is_gone(request->http);
}

static enum err_code
ask_database(struct report_request *request, enum statement_id id,
             void (*fn)(const PGresult *, const struct err *, void *), struct err *err)
{
    struct question question = {.statement = id};
    const struct report *source = report_get(id);
    struct asker asker = {.fn = fn, .is_gone = is_asker_gone, .user = request};

    if (source->pool == POOL_ROLLUP)
        asker.deadline_ms = request->deadline_ms;

    request->source = source;
    for (size_t i = 0; i < source->value_count; i++)
        question.values[i] = request->ask.texts[source->values[i]];
    return pool_ask(request->routes->pools[source->pool], &question, &asker, err);
}

void routes_on_export_failed(struct http_request *req, const struct err *err, void *user)
{
    const struct routes *routes = user;

    failure_answer(routes->metrics, req, err, failure_sentence(err->code));
}

static void deny_raw(const struct routes *routes, struct http_request *req,
                     const char *sentence)
{
    metric_add(&routes->metrics->failures[ERR_DENIED], 1);
    http_answer_error(req, 403, sentence);
}

/* Whether the request was answered with what is known under a version. */
static bool answer_known(struct report_request *request, enum statement_id source,
                         const char *version)
{
    if (!report_get(source)->is_kept || strlen(version) >= sizeof(request->version))
        return false;
    (void)snprintf(request->version, sizeof(request->version), "%s", version);
    if (!replies_answer(request->routes->replies, request->http, source, &request->ask,
                        version))
        return false;
    mem_free(request);
    return true;
}

/* version: of the rollups, or NULL. */
static enum err_code ask_source(struct report_request *request, const char *version,
                                struct err *err)
{
    enum statement_id source = report_source(request->report, &request->ask);

    if (report_get(request->report)->is_export)
        return begin_export(request, source, err);
    if (version && answer_known(request, source, version))
        return ERR_OK;
    request->ask.is_raw = report_get(source)->pool == POOL_RAW;
    return ask_database(request, source, on_rows, err);
}

static void on_version(const PGresult *rows, const struct err *err, void *user)
{
    struct report_request *request = user;
    struct err own;

    if (!rows)
        end_failed(request, err);
    else if (ask_source(request, PQgetvalue(rows, 0, 0), &own))
        end_with(request, &own);
}

/* The range of a report is known; now it can be asked. */
static void on_now(const PGresult *rows, const struct err *err, void *user)
{
    struct report_request *request = user;
    const struct routes *routes = request->routes;
    enum report_pool pool;
    struct ask_now now;
    struct err own;
    enum err_code code;

    if (!rows) {
        end_failed(request, err);
        return;
    }
    now = now_read(rows);
    code = ask_set_range(&request->ask, &now, &request->made, &own);
    if (code) {
        end_with(request, &own);
        return;
    }
    pool = report_get(report_source(request->report, &request->ask))->pool;
    if (pool == POOL_RAW && request->is_raw_denied) {
        deny_raw(routes, request->http, "raw events need a token");
        mem_free(request);
        return;
    }
    code = ask_source(request, PQgetvalue(rows, 0, NOW_VERSION),
                      &own); /* ends the request of an export */
    if (code)
        end_with(request, &own);
    else if (pool == POOL_RAW)
        pool_dispatch(routes->pools[POOL_RAW]);
}

static enum err_code begin(struct report_request *request, struct err *err)
{
    const struct report *report = report_get(request->report);
    enum err_code code = ERR_OK;

    if (report->is_paged)
        code = ask_set_page(&request->ask, &request->made, err);
    if (code)
        return code;
    if (report->has_range)
        return ask_database(request, STATEMENT_NOW, on_now, err);
    if (report_get(report_source(request->report, &request->ask))->is_kept)
        return ask_database(request, STATEMENT_VERSION, on_version, err);
    return ask_source(request, NULL, err);
}

/* Who has not the token may have a share key.  Returns 0, or the status to refuse with. */
static unsigned check_share_key(const struct routes *routes,
                                const struct http_request *req, struct err *err)
{
    const char *key = secret_in_bearer(http_request_header(req, "Authorization"));
    enum statement_id report = (enum statement_id)http_request_route(req)->id;
    char site_id[SHARE_SITE_MAX + 1];
    struct query query;

    if (!key || !share_key_read(guard_key(routes->guard), key, site_id))
        return UNAUTHORIZED;
    if (report == STATEMENT_COUNT || !report_get(report)->is_shared) {
        (void)err_set(err, ERR_DENIED, "the key reads the dashboard of a site alone");
        return FORBIDDEN;
    }
    if (query_parse(http_request_query(req), &query, err))
        return 0; /* the handler says what is wrong */
    return share_check_query(site_id, &query, err) ? FORBIDDEN : 0;
}

unsigned routes_authorize(const struct http_request *req, void *user, struct err *err)
{
    const struct routes *routes = user;
    unsigned status = guard_check(routes->guard, req, err);

    if (status == UNAUTHORIZED)
        status = check_share_key(routes, req, err);
    if (status == UNAUTHORIZED)
        guard_note_wrong(routes->guard, req);
    if (status)
        metric_add(&routes->metrics->failures[status == 429 ? ERR_BUSY : ERR_DENIED], 1);
    return status;
}

static void on_report(struct http_request *req, void *user)
{
    const struct routes *routes = user;
    enum statement_id report = (enum statement_id)http_request_route(req)->id;
    struct report_request *request;
    struct query query;
    struct ask ask;
    struct err err;

    if (query_parse(http_request_query(req), &query, &err) ||
        params_read(report_get(report)->params, &query, &ask, &err)) {
        metric_add(&routes->metrics->failures[err.code], 1);
        http_answer_error(req, 400, err.msg);
        return;
    }
    if ((report_get(report)->params & ASK_PARAM_FORMAT) && !query_get(&query, "format"))
        ask.is_csv = replies_wants_csv(req);
    if ((ask.is_exact || report_get(report)->is_export) && is_raw_denied(routes, req)) {
        deny_raw(routes, req,
                 ask.is_exact ? "exact=true needs a token" : "an export needs a token");
        return;
    }
    request = report_request_new(routes, req, report, &ask);
    if (!request)
        (void)err_set(&err, ERR_NOMEM, "out of memory");
    if (!request || begin(request, &err)) {
        failure_answer(routes->metrics, req, &err, failure_sentence(err.code));
        mem_free(request);
    } else {
        http_wait(req);
    }
}

/* --- the dashboard ------------------------------------------------------------------ */

static void on_root(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    page_answer_root(routes->page, req);
}

static void on_site(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    page_answer_site(routes->page, req);
}

static void on_page_file(struct http_request *req, void *user)
{
    (void)user;
    page_answer_file(req);
}

/* --- the OpenAPI document ------------------------------------------------------------ */

static void on_document(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    document_answer(routes->document, req);
}

/* --- health ---------------------------------------------------------------------- */

/* Asks Postgres each time: that a connection is open does not show that the server answers.
 * It has a connection of its own, so that it waits for no other question. */
static void on_version_rows(const PGresult *rows, const struct err *err, void *user)
{
    struct http_request *req = user;
    struct err version_err;

    if (rows)
        err = session_check_version(rows, &version_err) ? &version_err : NULL;
    http_health_answer(req, err ? failure_sentence(err->code) : NULL);
}

static bool is_readyz_gone(const void *user)
{
    return http_is_gone(user);
}

static void on_readyz(struct http_request *req, void *user)
{
    const struct routes *routes = user;
    const struct question query = {.statement = STATEMENT_SCHEMA_VERSION};
    const struct asker asker = {
        .fn = on_version_rows, .is_gone = is_readyz_gone, .user = req};
    struct err err;

    if (pool_check(routes->pools[POOL_ROLLUP], &err) ||
        pool_ask(routes->pools[POOL_HEALTH], &query, &asker, &err))
        http_answer_error(req, 503, failure_sentence(err.code));
    else
        http_wait(req);
}

static void on_metrics(struct http_request *req, void *user)
{
    const struct routes *routes = user;

    pool_show(routes->pools[POOL_ROLLUP]);
    pool_show(routes->pools[POOL_RAW]);
    metrics_answer(routes->metrics, req);
}

/* Figures are for nobody but who is let in: every report is guarded. */
#define REPORT_ROUTE(id_, name, path, ...)                                               \
    {"GET", path, on_report, HTTP_GUARDED, HTTP_CORS_READ, .id = STATEMENT_##id_},
#define NO_ROUTE(id, name, ...)

/* clang-format off */
const struct http_route routes_table[] = {
    REPORTS(REPORT_ROUTE, NO_ROUTE)
    {"GET", "/openapi.json", on_document, HTTP_GUARDED, HTTP_CORS_READ,
     .id = STATEMENT_COUNT}, /* no report */
    {"GET", "/", on_root, HTTP_OPEN, HTTP_CORS_NONE, .reads_body = false},
    {"GET", "/site/*", on_site, HTTP_OPEN, HTTP_CORS_NONE, .reads_body = false},
    {"GET", "/page/*", on_page_file, HTTP_OPEN, HTTP_CORS_NONE, .reads_body = false},
    {"GET", "/healthz", http_health_alive, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/readyz", on_readyz, HTTP_OPEN, .kind = HTTP_ROUTE_HEALTH},
    {"GET", "/metrics", on_metrics, HTTP_OPEN, .kind = HTTP_ROUTE_METRICS},
    {0},
};
/* clang-format on */
