/* steps.c -- see steps.h. */
#include "processor/sites/steps.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/pg/conn.h"

enum {
    ROWS_FIRST = 1000,
    ROWS_LEAST = 10,
    ROWS_MOST = 100000,
    STEP_MS = 250, /* what a step should take */
    PAUSE_MS = 30, /* at least, between two: the roll-up looks every 20 ms */
    BUSY_PAUSE_MS = 200,
    FAILURES_MAX = 100,
    TELL_EVERY_MS = 1000,
    NUMBER_MAX = 24,
};

void steps_init(struct steps *steps, PGconn *conn, int64_t timeout_ms)
{
    *steps = (struct steps){
        .conn = conn,
        .timeout_ms = timeout_ms,
        .rows = ROWS_FIRST,
        .told_ms = clock_mono_ms(),
        .is_terminal = isatty(STDOUT_FILENO) == 1,
    };
}

static void pause_ms(int64_t ms)
{
    (void)poll(NULL, 0, (int)ms);
}

static void fit(struct steps *steps, int64_t took_ms)
{
    if (took_ms / 2 > STEP_MS)
        steps->rows /= 2;
    else if (took_ms < STEP_MS / 2)
        steps->rows *= 2;
    if (steps->rows < ROWS_LEAST)
        steps->rows = ROWS_LEAST;
    if (steps->rows > ROWS_MOST)
        steps->rows = ROWS_MOST;
}

/* Whether the step can be run again, with fewer rows if it took too long. */
static bool may_repeat(struct steps *steps, enum err_code code)
{
    if ((code != ERR_BUSY && code != ERR_TIMEOUT) ||
        PQtransactionStatus(steps->conn) != PQTRANS_IDLE ||
        ++steps->failures > FAILURES_MAX)
        return false;
    if (code == ERR_TIMEOUT)
        steps->rows = steps->rows / 4 < ROWS_LEAST ? ROWS_LEAST : steps->rows / 4;
    pause_ms(BUSY_PAUSE_MS);
    return true;
}

enum err_code steps_run(struct steps *steps, const char *sql, int count,
                        const char **values, PGresult **ret_result, struct err *err)
{
    char rows[NUMBER_MAX];
    int64_t began_ms;
    enum err_code code;

    do {
        (void)snprintf(rows, sizeof(rows), "%" PRId64, steps->rows);
        values[count - 1] = rows;
        began_ms = clock_mono_ms();
        code = pg_conn_exec(steps->conn, sql, count, values, steps->timeout_ms,
                            ret_result, err);
    } while (code && may_repeat(steps, code));
    values[count - 1] = NULL;
    if (code)
        return code;
    steps->failures = 0;
    fit(steps, clock_mono_ms() - began_ms);
    pause_ms(PAUSE_MS);
    return ERR_OK;
}

void steps_tell(struct steps *steps, const char *what, int64_t done, int64_t of)
{
    int64_t now_ms = clock_mono_ms();
    char whole[64] = "";

    if (now_ms - steps->told_ms < TELL_EVERY_MS)
        return;
    steps->told_ms = now_ms;
    if (of > 0)
        (void)snprintf(whole, sizeof(whole), " of about %" PRId64 " (%" PRId64 " %%)", of,
                       done >= of ? 100 : 100 * done / of);
    (void)printf(steps->is_terminal ? "\r%s %" PRId64 "%s\033[K" : "%s %" PRId64 "%s\n",
                 what, done, whole);
    steps->is_line_open = steps->is_terminal;
    (void)fflush(stdout); /* a line of progress that is lost is none */
}

void steps_end_line(struct steps *steps)
{
    if (steps->is_line_open)
        (void)printf("\n");
    steps->is_line_open = false;
}
