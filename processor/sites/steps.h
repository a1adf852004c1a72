/* steps.h -- a statement that is run again and again, each time as a short transaction.
 *
 * A chunk holds its locks for a quarter of a second or so: the next one takes more or fewer
 * rows by how long the last one took, and between two there is a pause, in which the roll-up
 * and others get the locks.  What is told on the terminal is told once a second.
 */
#ifndef PROCESSOR_SITES_STEPS_H
#define PROCESSOR_SITES_STEPS_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct steps {
    PGconn *conn; /* borrowed */
    int64_t timeout_ms;
    int64_t rows; /* that the next step may take */
    int64_t told_ms;
    int failures; /* in a row */
    bool is_terminal;
    bool is_line_open; /* of the terminal */
};

void steps_init(struct steps *steps, PGconn *conn, int64_t timeout_ms);

/* Runs one step: the statement's last parameter, $count, is the number of rows; the place for
 * it in values is written to.  What was too long or met a lock is tried again with less.  The
 * caller owns *ret_result: PQclear(). */
enum err_code steps_run(struct steps *steps, const char *sql, int count,
                        const char **values, PGresult **ret_result,
                        struct err *err) MUST_CHECK;

/* Says how far it has come, at most once a second; of is 0 when nobody knows. */
void steps_tell(struct steps *steps, const char *what, int64_t done, int64_t of);

/* Ends the line of progress, if one is open. */
void steps_end_line(struct steps *steps);

#endif
