/* day.h -- days of the calendar, as text and as numbers.  Pure: no zone and no clock.
 *
 * A day is the number of days since 1970-01-01, so that tomorrow is one more.
 */
#ifndef REPORTING_REPORT_DAY_H
#define REPORTING_REPORT_DAY_H

#include <stdbool.h>

enum {
    DAY_TEXT_SIZE = sizeof("YYYY-MM-DD")
};

struct day_parts {
    int year;
    int month; /* from 1 */
    int day;   /* from 1 */
};

/* Whether a text is a real day from year 1 on, YYYY-MM-DD and nothing else. */
bool day_is_real(const char *text);

/* The day of such a text, and back; a day from year 1 to 9999. */
int day_parse(const char *text);
void day_format(int day, char out[DAY_TEXT_SIZE]);

struct day_parts day_split(int day);

/* The first day of the month that lies so many months after the one of a day. */
int day_month(int day, int months);

/* 1 January of its year. */
int day_year(int day);

#endif
