/* pool.h -- a few connections to Postgres, and the queries that wait for one.
 *
 *   pool_ask() --> [WAITING run] --pool_dispatch()--> [SENT on a link] --> answers
 *
 * Who asks what a WAITING run asks joins it, so that a crowd costs one execution.  A run
 * once SENT takes nobody on: its snapshot may be older than the newcomer's question.
 * A run whose connection is lost goes back to the front, and is sent once more as soon as
 * there is a newer connection.
 *
 * Every asker is answered within the query timeout, whatever Postgres does, and at once
 * while Postgres is known to be down for longer than a restart takes.  Everything belongs
 * to the loop's thread.
 */
#ifndef REPORTING_POOL_H
#define REPORTING_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "reporting/question.h"
#include "shared/base/err.h"

struct pool; /* opaque */
struct pg_conf;
struct pool_gauges;
struct reporting_metrics;

struct pool_options {
    const struct pg_conf *pg; /* must outlive the pool */
    size_t connections;
    size_t waiting_max; /* runs WAITING */
    int64_t query_timeout_ms;
    int64_t reconnect_max_ms;
    int64_t lifetime_ms; /* of a connection; 0: for ever */
    bool is_main;        /* its troubles are logged and shown */
    bool cancels;        /* a query is ended when its last asker is gone or answered */
    struct reporting_metrics *metrics; /* counted in; must outlive the pool */
    struct pool_gauges *gauges;        /* of metrics; NULL: none */
};

/* Starts to connect.  NULL when out of memory. */
struct pool *pool_start(uv_loop_t *loop, const struct pool_options *options) MUST_CHECK;

/* Answers who still waits with ERR_UNAVAILABLE, closes the connections, calls on_stopped
 * once and is freed then. */
void pool_stop(struct pool *pool, void (*on_stopped)(void *user), void *user);

/* Asks; the query is copied.  It is sent at the next pool_dispatch().  On failure fn is not
 * called: ERR_BUSY when waiting_max runs wait, ERR_NOMEM, or the reason why Postgres is
 * down. */
enum err_code pool_ask(struct pool *pool, const struct question *query,
                       const struct asker *asker, struct err *err) MUST_CHECK;

/* ERR_OK unless it is known that Postgres is down: then the reason. */
enum err_code pool_check(const struct pool *pool, struct err *err) MUST_CHECK;

/* Sends waiting runs on the connections that are free.  To be called at the end of a turn
 * of requests; the pool itself calls it when a connection becomes free. */
void pool_dispatch(struct pool *pool);

/* Brings the gauges of the metrics up to date. */
void pool_show(const struct pool *pool);

#endif
