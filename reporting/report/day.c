/* day.c -- see day.h. */
#include "reporting/report/day.h"

#include <assert.h>
#include <string.h>

/* The number of `count` digits at text, or -1. */
static int read_digits(const char *text, int count)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

bool day_is_real(const char *text)
{
    int year;
    int month;
    int day;

    if (strlen(text) != strlen("YYYY-MM-DD") || text[4] != '-' || text[7] != '-')
        return false;
    year = read_digits(text, 4);
    month = read_digits(text + 5, 2);
    day = read_digits(text + 8, 2);
    if (year < 1 || month < 1 || month > 12)
        return false;
    return day >= 1 && day <= days_in_month(year, month);
}

/* Howard Hinnant's days_from_civil: years begin in March, so that the leap day comes last,
 * and are gathered in eras of 400 years, which have the same number of days. */
static int number_of(int year, int month, int day)
{
    int from_march = (month + 9) % 12;
    int march_year = month <= 2 ? year - 1 : year;
    int era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int year_of_era = march_year - era * 400;
    int day_of_year = (153 * from_march + 2) / 5 + day - 1;
    int day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

int day_parse(const char *text)
{
    return number_of(read_digits(text, 4), read_digits(text + 5, 2),
                     read_digits(text + 8, 2));
}

struct day_parts day_split(int day)
{
    int shifted = day + 719468;
    int era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int day_of_era = shifted - era * 146097;
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int from_march = (5 * day_of_year + 2) / 153;
    struct day_parts parts = {.day = day_of_year - (153 * from_march + 2) / 5 + 1};

    parts.month = from_march < 10 ? from_march + 3 : from_march - 9;
    parts.year = year_of_era + era * 400 + (parts.month <= 2);
    return parts;
}

static void put_digits(char *out, int count, int number)
{
    for (int i = count - 1; i >= 0; i--) {
        out[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

void day_format(int day, char out[DAY_TEXT_SIZE])
{
    struct day_parts parts = day_split(day);

    assert(parts.year >= 0 && parts.year <= 9999);
    put_digits(out, 4, parts.year);
    out[4] = '-';
    put_digits(out + 5, 2, parts.month);
    out[7] = '-';
    put_digits(out + 8, 2, parts.day);
    out[10] = '\0';
}

int day_month(int day, int months)
{
    struct day_parts parts = day_split(day);
    int month = parts.year * 12 + parts.month - 1 + months; /* of year 0 on */

    int year = (month >= 0 ? month : month - 11) / 12;

    return number_of(year, month - year * 12 + 1, 1);
}

int day_year(int day)
{
    return number_of(day_split(day).year, 1, 1);
}
