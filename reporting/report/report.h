/* report.h -- a report as a value: the row of reports.h, and what its answer looks like.
 *
 * A row says which parameters a report takes, which statement answers it on which
 * connections, and the columns of the answer in their order.  The handler (routes.c), the
 * reader of parameters (params.c), the renderer (render.c), the text of PREPARE (session.c),
 * the labels of the metrics, the table of routes and the OpenAPI document are all made from it.
 *
 * Each statement is prepared once on each connection and afterwards only bound (through a
 * pooler it is parsed each time, and bound as well), so no text of a client ever becomes
 * SQL.  Each is one statement and so sees one snapshot.  Pure.
 */
#ifndef REPORTING_REPORT_REPORT_H
#define REPORTING_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "reporting/report/ask.h"
#include "reporting/report/reports.h"

/* Every statement that reporting runs, by number: the rows of reports.h. */
enum statement_id {
#define REPORT_ID(id, name, path, ...) STATEMENT_##id,
#define STATEMENT_ID(id, name, ...)    STATEMENT_##id,
    REPORTS(REPORT_ID, STATEMENT_ID) STATEMENT_COUNT
#undef REPORT_ID
#undef STATEMENT_ID
};

enum {
    REPORT_VALUES_MAX = 20
};

/* Who waits in one of the pools waits for nobody in the others. */
enum report_pool {
    POOL_ROLLUP, /* what the rollups answer: of a report that names none */
    POOL_RAW,    /* what takes as long as there are raw events */
    POOL_HEALTH, /* /readyz alone */
    POOL_COUNT
};

enum report_type {
    REPORT_END, /* no column: the end of the list */
    /* Of the question; no column of the rows. */
    REPORT_ASKED,  /* as a text, or null */
    REPORT_SOURCE, /* "events" where they answered, else not there */
    /* Columns of the rows, in their order.  Before the list they are the same in each row. */
    REPORT_INT,
    REPORT_TEXT,
    REPORT_JSON,  /* a text that is JSON */
    REPORT_VALUE, /* a text, under the name of the property that is asked */
    REPORT_OTHER, /* a boolean, shown when it is true */
    REPORT_FIGURES, /* enum figure, and once more for the period before: the metrics asked */
    /* An object of the metrics asked, from such columns. */
    REPORT_TOTALS,
    /* An array, with an object of the columns after it for each row.  Rows whose first
     * such column is null are none: so a statement can answer with the columns before it
     * alone. */
    REPORT_LIST,
};

struct report_column {
    const char *name;
    enum report_type type;
    enum ask_text_id asked; /* of REPORT_ASKED */
    bool is_optional;       /* may be null */
    const char *format; /* of REPORT_TEXT, for the OpenAPI document: "date"; NULL: any */
    const char *schema; /* of REPORT_JSON, as openapi_add() takes it; NULL: any */
};

struct report {
    const char *name; /* the statement is prepared under it; the label in metrics */
    const char *path; /* NULL: no report of its own, only a statement */
    const char *help; /* what it answers, for the OpenAPI document; NULL: its name */
    const char *sql;
    size_t value_count;
    enum ask_text_id values[REPORT_VALUES_MAX]; /* $1, $2, ... of the statement */
    enum report_pool pool;
    unsigned params; /* enum ask_param */
    bool has_range;  /* its days are resolved first, see resolve.h */
    bool is_kept;    /* its answer is that of the rollups' version, see replies.h */
    bool is_shared;  /* share keys read it, see share_key.h */
    bool is_export;  /* it is sent while it is read, see export.h */
    bool is_paged;   /* a row more than its limit tells that there are more */
    const struct report_column *columns;
};

/* Static. */
const struct report *report_get(enum statement_id id);

/* The statement that answers a question: the report's own, or that of another source. */
enum statement_id report_source(enum statement_id report, const struct ask *ask);

#endif
