/* day.h -- days of the calendar, as text and as numbers.  Pure: no zone and no clock. */
#ifndef REPORTING_REPORT_DAY_H
#define REPORTING_REPORT_DAY_H

#include <stdbool.h>

/* Whether a text is a real day from year 1 on, YYYY-MM-DD and nothing else. */
bool day_is_real(const char *text);

#endif
