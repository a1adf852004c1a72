/* rollup.h -- one bite of the roll-up, and the pace of the bites.
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

enum {
    ROLLUP_SAVED_MAX_MS = 30000
};

struct rollup_state {
    int64_t waiting; /* ids not rolled up yet; some may never become rows */
    int64_t
        rested_ms;    /* since the last bite of any processor; < 0: its clock was ahead */
    int64_t took_ms;  /* that bite */
    int64_t position; /* the last id that is rolled up */
    int64_t aside;    /* events set aside, 1,000 at most */
};

struct rollup_pace {
    int64_t rest_times; /* rest so many times as long as a bite took */
    int64_t lag_max_ms; /* but not so long that /stats falls behind by more */
};

/* What successive looks have seen. */
struct rollup_quiet {
    int64_t waiting; /* the same since then: nobody begins a row */
    int64_t since_ms;
};

/* Rest in advance.  Who sends events one by one and looks at each waits for none, and yet the
 * roll-up rests as much as it should in the long run. */
struct rollup_savings {
    int64_t saved_ms;
    int64_t now_ms; /* counted up to then */
};

/* Up to where the rows are settled once the writers, if any, have ended. */
struct rollup_bound {
    int64_t id;
    char *writers; /* owned: an array of SQL, as text; NULL: settled */
};

enum {
    ROLLUP_REASON_MAX = 256
};

/* What a bite may take. */
struct rollup_share {
    int64_t rows; /* 1: an event with which it fails may be set aside */
    int64_t bytes;
    int64_t tries; /* of a single row: how often it has failed before */
};

struct rollup_bite {
    bool is_elsewhere;              /* another processor is at it */
    bool is_done;                   /* nothing up to the bound is left */
    int64_t taken;                  /* rows */
    int64_t aside_id;               /* of the event that was set aside; 0: none */
    char reason[ROLLUP_REASON_MAX]; /* why, cut at the end */
};

/* How long to go on resting.  Pure. */
int64_t rollup_rest_ms(const struct rollup_pace *pace, const struct rollup_state *state);

/* Whether no row was begun for the last ms, now_ms included.  To be asked at each look.
 * Pure. */
bool rollup_is_quiet(struct rollup_quiet *quiet, int64_t waiting, int64_t now_ms,
                     int64_t ms);

/* Whether some of the time up to now, in which there were no bites, has not been spent on
 * the rest that one costs.  Pure. */
bool rollup_has_saved(struct rollup_savings *savings, int64_t now_ms);
void rollup_spend(struct rollup_savings *savings, int64_t rest_ms);

enum err_code rollup_look(PGconn *conn, int64_t timeout_ms,
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
enum err_code rollup_bite(PGconn *conn, const struct rollup_bound *bound,
                          const struct rollup_share *share, int64_t timeout_ms,
                          struct rollup_bite *ret_bite, struct err *err) MUST_CHECK;

/* Sets the event id aside if it is the next one: then the bite's aside_id is id. */
enum err_code rollup_set_aside(PGconn *conn, int64_t id, const char *reason,
                               int64_t timeout_ms, struct rollup_bite *ret_bite,
                               struct err *err) MUST_CHECK;

#endif
