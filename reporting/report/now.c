/* now.c -- see now.h. */
#include "reporting/report/now.h"

#include <limits.h>
#include <stdlib.h>

#include "reporting/report/day.h"

struct ask_now now_read(const PGresult *rows)
{
    return (struct ask_now){
        .days = {.today = day_parse(PQgetvalue(rows, 0, NOW_TODAY)),
                 .hour = (int)strtol(PQgetvalue(rows, 0, NOW_HOUR), NULL, 10),
                 .first_day = day_parse(PQgetvalue(rows, 0, NOW_FIRST_DAY)),
                 .hours_from = day_parse(PQgetvalue(rows, 0, NOW_HOURS_FROM)),
                 .raw_from = PQgetisnull(rows, 0, NOW_RAW_FROM)
                                 ? INT_MIN
                                 : day_parse(PQgetvalue(rows, 0, NOW_RAW_FROM))},
        .since = PQgetvalue(rows, 0, NOW_SINCE),
        .previous_since = PQgetvalue(rows, 0, NOW_PREVIOUS_SINCE),
    };
}
