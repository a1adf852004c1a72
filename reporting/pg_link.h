/* pg_link.h -- one connection of the pool: it opens by itself and runs one query at a time.
 *
 *              pg_link_start()
 *                   v
 *      +-------> CLOSED --on_timer: pause over--> OPENING --on_opened: failed--+
 *      |                                             |                         |
 *      |                                        on_opened: ready               |
 *      |                                             v                         |
 *      |                    +--on_result---------- READY                       |
 *      |                    |                      |   |                       |
 *      |                  BUSY <---pg_link_run()------+   | connection lost       |
 *      |                    | connection lost,         |                       |
 *      |                    | no answer in time,       |                       |
 *      |                    | pg_link_abandon()           |                       |
 *      |                    v                          v                       |
 *      +--on_poll_closed-- CLOSING <-------------------+                       |
 *      +-----------------------------------------------------------------------+
 *
 * After its lifetime, more or less a fifth, a connection goes the way of a lost one at the
 * next moment without a query: so readers come back to a standby that was away, and spread
 * over servers that were added.
 *
 * pg_link_stop() leads from each state to STOPPED, waiting for OPENING and CLOSING to end.
 *
 * A link belongs to the loop.  Only session_open() runs in a worker thread, on fields that
 * the loop leaves alone meanwhile.
 */
#ifndef REPORTING_PG_LINK_H
#define REPORTING_PG_LINK_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "reporting/report/report.h"
#include "reporting/session.h"
#include "shared/base/err.h"

struct pg_link; /* opaque */

/* The rows, or NULL and the reason in *err.  result is freed after the call. */
typedef void (*pg_link_result_fn)(const PGresult *result, const struct err *err,
                                  void *user);

struct pg_link_options {
    uv_loop_t *loop;
    struct session_options session;
    int64_t reconnect_max_ms; /* the pause between attempts ends growing there */
    int64_t lifetime_ms;      /* then a connection is made anew; 0: never */

    /* A link has opened and is READY. */
    void (*on_ready)(void *user);
    /* It could not be opened, or was lost; the callback of a query under way comes first. */
    void (*on_lost)(const struct err *err, void *user);
    /* It is STOPPED: pg_link_free() may follow. */
    void (*on_stopped)(void *user);
    void *user;
};

/* The options must outlive the link.  NULL when out of memory. */
struct pg_link *pg_link_new(const struct pg_link_options *options) MUST_CHECK;

/* Starts to connect, once; callbacks come from the loop only. */
void pg_link_start(struct pg_link *link);

/* Gives up whatever it does; a query under way gets ERR_UNAVAILABLE at once. */
void pg_link_stop(struct pg_link *link);

/* Only before it was started or once it is stopped.  NULL is fine. */
void pg_link_free(struct pg_link *link);

/* Ends the connection of a BUSY link, whose fn is not called then, and opens it anew.  The
 * server ends the query when it sees that. */
void pg_link_abandon(struct pg_link *link);

/* A query may be run. */
bool pg_link_is_ready(const struct pg_link *link);

/* When it began to open its connection, by clock_mono_us(). */
int64_t pg_link_opened_us(const struct pg_link *link);

/* There is a connection: READY or BUSY. */
bool pg_link_is_open(const struct pg_link *link);

/* Sends a prepared statement on a READY link; fn is called exactly once, never from
 * within, with the rows, or with ERR_UNAVAILABLE when the connection was lost. */
void pg_link_run(struct pg_link *link, enum statement_id id,
                 const struct ask_text *values, pg_link_result_fn fn, void *user);

#endif
