/* source.h -- whether the counts can answer a question, or raw events have to.  Pure.
 *
 * Counts have the figures of a site by hours and days, and those of the values of a property
 * by days.  What several properties have in common, what events bring along under keys of
 * their own and what has no value is in raw events alone.
 */
#ifndef REPORTING_REPORT_SOURCE_H
#define REPORTING_REPORT_SOURCE_H

#include <stdbool.h>

struct ask;

/* Of a question on a range of days whose interval, if it has one, is known. */
bool source_is_raw(const struct ask *ask, bool is_series);

#endif
