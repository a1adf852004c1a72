/* cells.c -- see cells.h. */
#include "reporting/report/cells.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "reporting/report/report.h"
#include "shared/base/buf.h"

enum {
    INT_DIGITS_MAX = 19 /* of a bigint */
};

int cells_width(const struct report_column *column)
{
    switch (column->type) {
    case REPORT_INT:
    case REPORT_TEXT:
    case REPORT_JSON:
    case REPORT_VALUE:
    case REPORT_OTHER:
        return 1;
    case REPORT_FIGURES:
    case REPORT_TOTALS:
        return 2 * FIGURE_COUNT;
    case REPORT_END:
    case REPORT_ASKED:
    case REPORT_SOURCE:
    case REPORT_LIST:
        break;
    }
    return 0;
}

enum err_code cells_check(const struct report *report, const PGresult *rows)
{
    const struct report_column *column = report->columns;
    int count = 0;

    for (; column->type != REPORT_END; column++)
        count += cells_width(column);
    if (PQfnumber(rows, CELLS_VERSION) >= 0 || PQfnumber(rows, CELLS_RAW_FROM) >= 0)
        count++;
    return PQntuples(rows) > 0 && PQnfields(rows) == count ? ERR_OK : ERR_BUG;
}

enum err_code cells_check_known(const PGresult *rows, struct err *err)
{
    int field = PQfnumber(rows, CELLS_RAW_FROM);

    if (field < 0 || PQntuples(rows) == 0 || PQgetisnull(rows, 0, field))
        return ERR_OK;
    return err_set(err, ERR_INVALID, ASK_NEEDS_RAW, PQgetvalue(rows, 0, field));
}

int cells_list_rows(const PGresult *rows, int field)
{
    int count = PQntuples(rows);

    return count == 1 && PQgetisnull(rows, 0, field) ? 0 : count;
}

/* What Postgres writes for an integer is JSON, and is copied as it stands. */
static bool is_int(const char *text, size_t len)
{
    size_t at = text[0] == '-';

    if (at == len || len - at > INT_DIGITS_MAX)
        return false;
    for (; at < len; at++) {
        if (text[at] < '0' || text[at] > '9')
            return false;
    }
    return true;
}

enum err_code cells_add_int(const PGresult *rows, int row, int field, struct buf *out)
{
    const char *bytes = PQgetvalue(rows, row, field);
    size_t len = (size_t)PQgetlength(rows, row, field);

    return is_int(bytes, len) ? buf_add(out, bytes, len) : ERR_BUG;
}

enum err_code cells_figures(const PGresult *rows, int row, int field,
                            int64_t ret_figures[FIGURE_COUNT])
{
    for (int i = 0; i < FIGURE_COUNT; i++) {
        const char *text = PQgetvalue(rows, row, field + i);
        char *end = NULL;
        ret_figures[i] = 0;
        if (PQgetisnull(rows, row, field + i))
            continue; /* of a bucket that has no other to be compared with */
        errno = 0;
        ret_figures[i] = strtoll(text, &end, 10);
        if (end == text || *end || errno)
            return ERR_BUG;
    }
    return ERR_OK;
}

bool cells_has_previous(const struct ask *ask, const PGresult *rows, int row, int field)
{
    return !ask->lacks_previous && !PQgetisnull(rows, row, field);
}

enum err_code cells_add_metric(const struct metric_value *value, const char *null,
                               struct buf *out)
{
    int64_t size = value->value < 0 ? -value->value : value->value;
    const char *sign = value->value < 0 ? "-" : "";
    int64_t unit = value->decimals == 2 ? 100 : value->decimals == 1 ? 10 : 1;

    if (value->is_null)
        return buf_add_text(out, null);
    if (unit == 1)
        return buf_printf(out, "%s%" PRId64, sign, size);
    return buf_printf(out, "%s%" PRId64 ".%0*" PRId64, sign, size / unit, value->decimals,
                      size % unit);
}
