/* rollup.h -- one bite of the roll-up, and the pace of the bites.
 *
 * The SQL is in sql/002_rollups.sql.  Each step is one statement, so that a processor that
 * stalls holds no lock.
 */
#ifndef PROCESSOR_ROLLUP_H
#define PROCESSOR_ROLLUP_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"

struct rollup_state {
    int64_t waiting;   /* ids not rolled up yet; some may never become rows */
    int64_t rested_ms; /* since the last bite of any processor */
    int64_t took_ms;   /* that bite */
};

struct rollup_pace {
    int64_t rest_times; /* rest so many times as long as a bite took */
    int64_t lag_max_ms; /* but not so long that /stats falls behind by more */
};

struct rollup_bite {
    bool is_elsewhere; /* another processor is at it */
    bool is_done;      /* nothing settled is left */
    int64_t taken;     /* rows */
};

/* How long to go on resting.  Pure. */
int64_t rollup_rest_ms(const struct rollup_pace *pace, const struct rollup_state *state);

enum err_code rollup_look(PGconn *conn, int64_t timeout_ms,
                          struct rollup_state *ret_state, struct err *err) MUST_CHECK;

/* Rolls up at most max_rows rows.  ERR_BUSY: a writer did not end within lock_wait_ms, try
 * again later.  ERR_TIMEOUT: try with fewer. */
enum err_code rollup_bite(PGconn *conn, int64_t lock_wait_ms, int64_t max_rows,
                          int64_t timeout_ms, struct rollup_bite *ret_bite,
                          struct err *err) MUST_CHECK;

#endif
