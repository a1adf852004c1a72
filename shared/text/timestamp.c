/* timestamp.c -- see timestamp.h.
 *
 * The grammar, with nothing before or after it:
 *
 *   YYYY | YYYY-MM | YYYY-MM-DD [ (T | space | tab) clock [zone] ]
 *   clock = HH:MM[:SS[.digits]] | 24:00
 *   zone  = Z | (+ | -) HH [[:]MM]
 */
#include "shared/text/timestamp.h"

#include <stdbool.h>

#include <assert.h>

enum {
    MS_PER_SECOND = 1000,
    MS_PER_MINUTE = 60 * MS_PER_SECOND,
    MS_PER_HOUR = 60 * MS_PER_MINUTE,
    MS_PER_DAY = 24 * MS_PER_HOUR,
};

/* --- the calendar ---------------------------------------------------------- */

struct date {
    int year;
    int month;
    int day;
};

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && is_leap);
}

static bool is_real(const struct date *date)
{
    return date->year >= 1 && date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days_of_month(date->year, date->month);
}

/* The two below count in years that begin in March, so that the leap day is the last of
 * its year, and in eras of 400 years of 146,097 days.  Day 0 is 1970-01-01, which is
 * 719,468 days after 0000-03-01.  See Hinnant, "chrono-compatible low-level date
 * algorithms". */
enum {
    ERA_DAYS = 146097,
    EPOCH_DAYS = 719468,
};

static int64_t days_of_date(const struct date *date)
{
    int year = date->month > 2 ? date->year : date->year - 1;
    int month = (date->month + 9) % 12; /* March is 0 */
    int era = year / 400;
    int year_of_era = year % 400;
    int day_of_year = (153 * month + 2) / 5 + date->day - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (int64_t)era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static struct date date_of_days(int64_t days)
{
    int from_march = (int)(days + EPOCH_DAYS); /* not negative from year 1 on */
    int era = from_march / ERA_DAYS;
    int day_of_era = from_march % ERA_DAYS;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153;

    return (struct date){.year = era * 400 + year_of_era + (month > 9),
                         .month = month < 10 ? month + 3 : month - 9,
                         .day = day_of_year - (153 * month + 2) / 5 + 1};
}

/* --- reading --------------------------------------------------------------- */

struct reader {
    const char *at;
    const char *end;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_at_end(const struct reader *in)
{
    return in->at == in->end;
}

static bool take_char(struct reader *in, char c)
{
    if (is_at_end(in) || *in->at != c)
        return false;
    in->at++;
    return true;
}

/* Two digits with a value of at most max. */
static bool take_two(struct reader *in, int max, int *ret_number)
{
    if (in->end - in->at < 2 || !is_digit(in->at[0]) || !is_digit(in->at[1]))
        return false;
    *ret_number = (in->at[0] - '0') * 10 + (in->at[1] - '0');
    in->at += 2;
    return *ret_number <= max;
}

static bool take_year(struct reader *in, int *ret_year)
{
    int century;

    if (!take_two(in, 99, &century) || !take_two(in, 99, ret_year))
        return false;
    *ret_year += century * 100;
    return true;
}

/* YYYY, YYYY-MM or YYYY-MM-DD; *ret_is_full for the last. */
static bool take_date(struct reader *in, struct date *date, bool *ret_is_full)
{
    *date = (struct date){.month = 1, .day = 1};
    *ret_is_full = false;
    if (!take_year(in, &date->year))
        return false;
    if (take_char(in, '-')) {
        if (!take_two(in, 12, &date->month))
            return false;
        if (take_char(in, '-')) {
            if (!take_two(in, 31, &date->day))
                return false;
            *ret_is_full = true;
        }
    }
    return is_real(date);
}

/* The digits of a fraction of a second: the first three count. */
static bool take_fraction(struct reader *in, int *ret_ms)
{
    int scale = 100;

    *ret_ms = 0;
    if (is_at_end(in) || !is_digit(*in->at))
        return false;
    for (; !is_at_end(in) && is_digit(*in->at); in->at++) {
        *ret_ms += (*in->at - '0') * scale;
        scale /= 10;
    }
    return true;
}

static bool take_clock(struct reader *in, int *ret_ms)
{
    int hour;
    int minute;
    int second = 0;
    int ms = 0;

    if (!take_two(in, 24, &hour) || !take_char(in, ':') ||
        !take_two(in, hour == 24 ? 0 : 59, &minute))
        return false;
    if (hour < 24 && take_char(in, ':')) {
        if (!take_two(in, 59, &second))
            return false;
        if (take_char(in, '.') && !take_fraction(in, &ms))
            return false;
    }
    *ret_ms = hour * MS_PER_HOUR + minute * MS_PER_MINUTE + second * MS_PER_SECOND + ms;
    return true;
}

/* How far local time is ahead of UTC; no zone is UTC. */
static bool take_zone(struct reader *in, int *ret_ms)
{
    int sign;
    int hour;
    int minute = 0;

    *ret_ms = 0;
    if (is_at_end(in) || take_char(in, 'Z'))
        return true;
    if (take_char(in, '+'))
        sign = 1;
    else if (take_char(in, '-'))
        sign = -1;
    else
        return false;
    if (!take_two(in, 23, &hour))
        return false;
    if (take_char(in, ':') || !is_at_end(in)) {
        if (!take_two(in, 59, &minute))
            return false;
    }
    *ret_ms = sign * (hour * MS_PER_HOUR + minute * MS_PER_MINUTE);
    return true;
}

enum err_code timestamp_parse(const char *text, size_t len, int64_t *ret_ms)
{
    struct reader in = {.at = text, .end = text + len};
    struct date date;
    bool is_full;
    int clock_ms = 0;
    int zone_ms = 0;
    int64_t ms;

    if (!take_date(&in, &date, &is_full))
        return ERR_INVALID;
    if (is_full && (take_char(&in, 'T') || take_char(&in, ' ') || take_char(&in, '\t'))) {
        if (!take_clock(&in, &clock_ms) || !take_zone(&in, &zone_ms))
            return ERR_INVALID;
    }
    if (!is_at_end(&in))
        return ERR_INVALID;
    ms = days_of_date(&date) * MS_PER_DAY + clock_ms - zone_ms;
    if (ms < TIMESTAMP_MIN_MS || ms > TIMESTAMP_MAX_MS)
        return ERR_INVALID;
    *ret_ms = ms;
    return ERR_OK;
}

bool timestamp_is_date(const char *text, size_t len)
{
    struct reader in = {.at = text, .end = text + len};
    struct date date;
    bool is_full;

    return take_date(&in, &date, &is_full) && is_full && is_at_end(&in);
}

/* --- writing --------------------------------------------------------------- */

/* Two digits, of a number below 100. */
static char *put_two(char *out, unsigned number)
{
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
    return out + 2;
}

void timestamp_format(int64_t ms, char *out)
{
    int64_t from_min = ms - TIMESTAMP_MIN_MS; /* not negative: / and % round down */
    unsigned of_day = (unsigned)(from_min % MS_PER_DAY);
    struct date date =
        date_of_days(from_min / MS_PER_DAY + TIMESTAMP_MIN_MS / MS_PER_DAY);

    assert(ms >= TIMESTAMP_MIN_MS && ms <= TIMESTAMP_MAX_MS);
    out = put_two(out, (unsigned)date.year / 100);
    out = put_two(out, (unsigned)date.year % 100);
    *out++ = '-';
    out = put_two(out, (unsigned)date.month);
    *out++ = '-';
    out = put_two(out, (unsigned)date.day);
    *out++ = 'T';
    out = put_two(out, of_day / MS_PER_HOUR);
    *out++ = ':';
    out = put_two(out, of_day / MS_PER_MINUTE % 60);
    *out++ = ':';
    out = put_two(out, of_day / MS_PER_SECOND % 60);
    *out++ = '.';
    out = put_two(out, of_day % MS_PER_SECOND / 10);
    *out++ = (char)('0' + of_day % 10);
    *out = 'Z';
}
