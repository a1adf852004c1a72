/* contract_time.c -- see contract_time.h. */
#include "tests/fuzz/contract_time.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/fuzz/fuzz.h"

enum {
    GROUPS = 14,
    YEAR = 1,
    MONTH = 3,
    DAY = 5,
    HOUR = 7,
    MINUTE = 8,
    SECOND = 10,
    FRACTION = 12,
    ZONE = 13
};

/* A year, a month, a day, or a day with a time; the numbers are looked at afterwards. */
static const char form[] = "^([0-9]{4})(-([0-9]{2})(-([0-9]{2})"
                           "([T \t]([0-9]{2}):([0-9]{2})(:([0-9]{2})(\\.([0-9]+))?)?"
                           "(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?)?$";

/* The number of a group, or one that stands for what is not there. */
static int number(const char *text, const regmatch_t *group, int otherwise)
{
    return group->rm_so < 0 ? otherwise : (int)strtol(text + group->rm_so, NULL, 10);
}

/* The first three digits after the point, as milliseconds. */
static int fraction(const char *text, const regmatch_t *group)
{
    int ms = 0;
    int worth = 100;

    for (regoff_t i = group->rm_so; i >= 0 && i < group->rm_eo && worth > 0; i++) {
        ms += (text[i] - '0') * worth;
        worth /= 10;
    }
    return ms;
}

/* Minutes east of UTC; false for 24 hours and more, and for more than 59 minutes. */
static bool zone(const char *text, const regmatch_t *group, int *ret_minutes)
{
    const char *at = text + group->rm_so;
    int hours;
    int minutes = 0;

    *ret_minutes = 0;
    if (group->rm_so < 0 || *at == 'Z')
        return true;
    hours = (at[1] - '0') * 10 + at[2] - '0';
    if (group->rm_eo - group->rm_so > 3)
        minutes = (int)strtol(text + group->rm_eo - 2, NULL, 10);
    *ret_minutes = (*at == '-' ? -1 : 1) * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

/* The seconds of a moment that exists: the calendar moves no field of it. */
static bool to_seconds(struct tm moment, int64_t *ret_seconds)
{
    struct tm moved = moment;

    *ret_seconds = (int64_t)timegm(&moved);
    return moved.tm_year == moment.tm_year && moved.tm_mon == moment.tm_mon &&
           moved.tm_mday == moment.tm_mday && moved.tm_hour == moment.tm_hour &&
           moved.tm_min == moment.tm_min && moved.tm_sec == moment.tm_sec;
}

static bool read_groups(const char *text, const regmatch_t *groups, int64_t *ret_ms)
{
    static const int64_t first = -62135596800; /* 0001-01-01 */
    static const int64_t end = 253402300800;   /* 10000-01-01 */
    struct tm moment = {.tm_year = number(text, &groups[YEAR], 0) - 1900,
                        .tm_mon = number(text, &groups[MONTH], 1) - 1,
                        .tm_mday = number(text, &groups[DAY], 1),
                        .tm_hour = number(text, &groups[HOUR], 0),
                        .tm_min = number(text, &groups[MINUTE], 0),
                        .tm_sec = number(text, &groups[SECOND], 0)};
    bool is_midnight =
        moment.tm_hour == 24 && moment.tm_min == 0 && groups[SECOND].rm_so < 0;
    int64_t seconds;
    int minutes;

    if (is_midnight)
        moment.tm_hour = 0;
    if (!to_seconds(moment, &seconds) || !zone(text, &groups[ZONE], &minutes) ||
        moment.tm_year == -1900)
        return false;
    seconds += (is_midnight ? 86400 : 0) - minutes * 60;
    *ret_ms = seconds * 1000 + fraction(text, &groups[FRACTION]);
    return seconds >= first && seconds < end;
}

bool contract_time_accepts(const char *text, size_t len, int64_t *ret_ms)
{
    static regex_t regex;
    static bool is_compiled;
    regmatch_t groups[GROUPS];
    char *copy = strndup(text, len);
    bool is_accepted;

    if (!is_compiled)
        MUST(regcomp(&regex, form, REG_EXTENDED) == 0);
    is_compiled = true;
    MUST(copy);
    is_accepted = !memchr(text, '\0', len) &&
                  regexec(&regex, copy, GROUPS, groups, 0) == 0 &&
                  read_groups(copy, groups, ret_ms);
    free(copy);
    return is_accepted;
}
