/* now.h -- the answer of STATEMENT_NOW: what the time is on a site's clocks.  Pure. */
#ifndef REPORTING_REPORT_NOW_H
#define REPORTING_REPORT_NOW_H

#include <libpq-fe.h>

#include "reporting/report/resolve.h"

/* Its fields. */
enum now_field {
    NOW_TODAY,
    NOW_HOUR,
    NOW_FIRST_DAY,
    NOW_SINCE,
    NOW_PREVIOUS_SINCE,
    NOW_HOURS_FROM,
    NOW_RAW_FROM, /* may be null: every day */
    NOW_VERSION   /* of the rollups */
};

/* Borrows from the rows. */
struct ask_now now_read(const PGresult *rows);

#endif
