/* question.h -- what is asked of Postgres, and who asks: values of the pool. */
#ifndef REPORTING_QUESTION_H
#define REPORTING_QUESTION_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "reporting/report/report.h"
#include "shared/base/err.h"

struct question {
    enum statement_id statement;
    /* As many as the statement has; bytes NULL is SQL's null. */
    struct ask_text values[REPORT_VALUES_MAX];
};

/* Whoever asks.  Only fn ends the asking, and it is called exactly once. */
struct asker {
    /* The rows, valid during the call, or NULL and the reason in *err. */
    void (*fn)(const PGresult *rows, const struct err *err, void *user);
    /* Nobody wants the answer any more; looked at before a run is sent, and now and then
     * while it waits or runs in a pool that cancels. */
    bool (*is_gone)(const void *user);
    void *user;
    int64_t deadline_ms; /* by clock_mono_ms(), where it is before the pool's; 0: none */
};

#endif
