/* rollup.h -- one chunk of the roll-up; pace.h says when.
 *
 * The SQL is in sql/functions/rollup.sql.  Each step is one statement, so that a processor that
 * stalls holds no lock.
 */
#ifndef PROCESSOR_ROLLUP_ROLLUP_H
#define PROCESSOR_ROLLUP_ROLLUP_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct rollup_state {
    int64_t waiting;   /* ids not rolled up yet; some may never become rows */
    int64_t rested_ms; /* since any processor's last chunk; < 0: its clock was ahead */
    int64_t took_ms;   /* that chunk */
    int64_t position;  /* the last id that is rolled up */
    int64_t aside;     /* events set aside, 1,000 at most */
    int64_t left_out;  /* events that are not counted, of more sites than there may be */
    int64_t capped;    /* values that went to (other) */
};

/* Up to where the rows are settled once the writers, if any, have ended. */
struct rollup_bound {
    int64_t id;
    char *writers; /* owned: an array of SQL, as text; NULL: settled */
};

enum {
    ROLLUP_REASON_MAX = 256
};

/* What a chunk may take. */
struct rollup_share {
    int64_t rows; /* 1: an event with which it fails may be set aside */
    int64_t bytes;
    int64_t tries; /* of a single row: how often it has failed before */
};

struct rollup_chunk {
    bool is_elsewhere;              /* another processor is at it */
    bool is_done;                   /* nothing up to the bound is left */
    int64_t taken;                  /* rows */
    int64_t aside_id;               /* of the event that was set aside; 0: none */
    char reason[ROLLUP_REASON_MAX]; /* why, cut at the end */
};

enum err_code rollup_poll(PGconn *conn, int64_t timeout_ms,
                          struct rollup_state *ret_state, struct err *err) MUST_CHECK;

/* Finds a new bound; rollup_clear_bound() ends it. */
enum err_code rollup_find_bound(PGconn *conn, int64_t timeout_ms,
                                struct rollup_bound *ret_bound,
                                struct err *err) MUST_CHECK;
void rollup_clear_bound(struct rollup_bound *bound);

/* Waits at most wait_ms for the bound's writers; when they have ended, writers is NULL. */
enum err_code rollup_await(PGconn *conn, int64_t wait_ms, int64_t timeout_ms,
                           struct rollup_bound *bound, struct err *err) MUST_CHECK;

/* Rolls up at most the share up to a settled bound.  After any failure: try with less. */
enum err_code rollup_chunk(PGconn *conn, const struct rollup_bound *bound,
                           const struct rollup_share *share, int64_t timeout_ms,
                           struct rollup_chunk *ret_chunk, struct err *err) MUST_CHECK;

/* Sets the event id aside if it is the next one: then the chunk's aside_id is id. */
enum err_code rollup_set_aside(PGconn *conn, int64_t id, const char *reason,
                               int64_t timeout_ms, struct rollup_chunk *ret_chunk,
                               struct err *err) MUST_CHECK;

#endif
