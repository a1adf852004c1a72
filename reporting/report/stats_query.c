/* stats_query.c -- see stats_query.h. */
#include "reporting/report/stats_query.h"

#include <string.h>

#include "shared/text/query.h"

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

static bool is_real_day(const char *text)
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

/* Postgres's own parser takes far more than YYYY-MM-DD ("yesterday", "20251114"), and
 * refuses the rest with an error, so nothing but a real day goes there. */
static enum err_code read_date(const char *text, const char **ret_date, struct err *err)
{
    *ret_date = NULL;
    if (!text || !text[0])
        return ERR_OK;
    if (!is_real_day(text))
        return err_set(err, ERR_INVALID, "date must be YYYY-MM-DD");
    *ret_date = text;
    return ERR_OK;
}

static enum err_code read_exact(const char *text, bool *ret_exact, struct err *err)
{
    *ret_exact = text && strcmp(text, "true") == 0;
    if (text && !*ret_exact && strcmp(text, "false") != 0)
        return err_set(err, ERR_INVALID, "exact must be true or false");
    return ERR_OK;
}

enum err_code stats_query_read(const struct query *query, struct stats_query *ret_query,
                               struct err *err)
{
    struct stats_query read = {.site_id = query_get(query, "site_id")};
    enum err_code code;

    if (!read.site_id || !read.site_id[0])
        return err_set(err, ERR_INVALID, "site_id required");
    code = read_date(query_get(query, "date"), &read.date, err);
    if (!code)
        code = read_exact(query_get(query, "exact"), &read.is_exact, err);
    if (!code)
        *ret_query = read;
    return code;
}
