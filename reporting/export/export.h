/* export.h -- answers that are as long as a table: raw events, and CSV of more rows than are
 * held at once; sent while Postgres sends them.
 *
 *   exports_begin() --> OPENING --connected--> RUNNING --first row--> SENDING --+
 *                          |                      |                     |       |
 *                          +---- failed: 503 -----+        all is sent, |       | failed: an answer
 *                          |                      |  the client is gone |       | without an end
 *                          v                      v                     v       v
 *                       CLOSING <-----------------+---------------------+-------+
 *
 * Each has a connection of its own.  It is read only when the client has taken what came
 * before, so that a slow client holds back Postgres, and some ten kilobytes here; a client
 * that leaves ends the query.  Everything but the connecting belongs to the loop.
 */
#ifndef REPORTING_EXPORT_EXPORT_H
#define REPORTING_EXPORT_EXPORT_H

#include <stdint.h>
#include <uv.h>

#include "reporting/report/report.h"
#include "shared/base/err.h"

struct exports; /* opaque */
struct http_request;
struct pg_conf;
struct reporting_metrics;

struct exports_options {
    const struct pg_conf *pg;          /* must outlive the exports */
    int64_t most;                      /* at the same time */
    int64_t timeout_ms;                /* of one, from its first to its last byte */
    struct reporting_metrics *metrics; /* counted in; must outlive the exports */

    /* Answers a request of which nothing has been sent yet. */
    void (*on_failed)(struct http_request *req, const struct err *err, void *user);
    void *user;
};

/* NULL when out of memory. */
struct exports *exports_new(uv_loop_t *loop,
                            const struct exports_options *options) MUST_CHECK;

/* Begins to answer a request that waits: with events, or with the CSV of a report whose rows a
 * statement has.  The ask is copied.  On failure the request is still the caller's: ERR_BUSY
 * when there are as many as may be, ERR_NOMEM. */
enum err_code exports_begin(struct exports *exports, enum statement_id report,
                            enum statement_id source, const struct ask *ask,
                            struct http_request *req, struct err *err) MUST_CHECK;

/* After the server has stopped: waits for the connections to end, calls on_stopped once and
 * frees the exports. */
void exports_stop(struct exports *exports, void (*on_stopped)(void *user), void *user);

#endif
