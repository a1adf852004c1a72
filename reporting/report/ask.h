/* ask.h -- what a request asks, read from its query string and checked.
 *
 * One table in ask.c has every parameter of every report: its name and who reads it.  What
 * was read is kept as texts, bytes with a length and a NUL after them; they are bound to
 * statements as values, and are never a part of SQL.  Pure.
 */
#ifndef REPORTING_REPORT_ASK_H
#define REPORTING_REPORT_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct query;

/* The parameters, as bits: a report names those that it takes.  They are read in this
 * order, and the first one that is wrong is named. */
enum ask_param {
    ASK_PARAM_SITE_ID = 1 << 0, /* required, not empty; any text */
    ASK_PARAM_DATE = 1 << 1,    /* YYYY-MM-DD; absent or empty is none */
    ASK_PARAM_EXACT = 1 << 2,   /* true or false; absent is false */
    ASK_PARAM_OTHERS = 1 << 3,  /* any other is ignored, else it is refused */
};

/* What a question consists of, and the values that a statement can be given. */
enum ask_text_id {
    ASK_SITE_ID,
    ASK_DATE,
    ASK_TEXT_COUNT
};

/* The type that Postgres takes such a value for: "text". */
const char *ask_sql_type(enum ask_text_id id);

struct ask_text {
    const char *bytes; /* borrowed; NULL: none, SQL's null */
    size_t len;        /* without the NUL */
};

struct ask {
    struct ask_text texts[ASK_TEXT_COUNT];
    bool is_exact; /* counted from raw events instead of the roll-up */
};

/* Reads the parameters that a report takes; *ret_ask borrows from the query.  ERR_INVALID with
 * a sentence for the client that has the name of the parameter and what is allowed. */
enum err_code ask_read(unsigned params, const struct query *query, struct ask *ret_ask,
                       struct err *err) MUST_CHECK;

/* The bytes that the texts need, NULs included; and puts copies of them there: the ask borrows
 * from `bytes` then. */
size_t ask_bytes(const struct ask *ask);
void ask_move(struct ask *ask, char *bytes);

#endif
