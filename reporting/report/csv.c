/* csv.c -- see render.h: CSV. */
#include "reporting/report/cells.h"
#include "reporting/report/csv_text.h"
#include "reporting/report/render.h"
#include "reporting/report/report.h"
#include "shared/base/buf.h"

/* Appends a cell's comma unless it is the first of its line. */
static enum err_code add_comma(struct buf *out)
{
    bool is_first = out->len == 0 || out->data[out->len - 1] == '\n';

    return is_first ? ERR_OK : buf_add(out, ",", 1);
}

static enum err_code add_names(const struct ask *ask, const char *prefix, struct buf *out)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < ask->metric_count && !code; i++) {
        code = add_comma(out);
        if (!code)
            code = buf_printf(out, "%s%s", prefix, metric_name(ask->metrics[i]));
    }
    return code;
}

static enum err_code add_metrics(const struct ask *ask, const PGresult *rows, int row,
                                 int field, bool is_null, struct buf *out)
{
    int64_t figures[FIGURE_COUNT];
    enum err_code code = cells_figures(rows, row, field, figures);

    for (size_t i = 0; i < ask->metric_count && !code; i++) {
        struct metric_value value = metric_value(ask->metrics[i], figures);
        value.is_null = value.is_null || is_null;
        code = add_comma(out);
        if (!code)
            code = cells_add_metric(&value, "", out);
    }
    return code;
}

static bool is_shown(const struct report_column *column)
{
    return column->type == REPORT_TEXT || column->type == REPORT_INT ||
           column->type == REPORT_VALUE;
}

static bool has_figures(const struct report_column *column)
{
    return column->type == REPORT_FIGURES || column->type == REPORT_TOTALS;
}

static enum err_code add_header(const struct report_column *column, const struct ask *ask,
                                struct buf *out)
{
    enum err_code code = ERR_OK;

    for (; column->type != REPORT_END && !code; column++) {
        if (has_figures(column)) {
            code = add_names(ask, "", out);
            if (!code && ask->compares)
                code = add_names(ask, "previous_", out);
        } else if (is_shown(column)) {
            code = add_comma(out);
            if (!code && column->type == REPORT_VALUE)
                code = csv_add_text(out, ask->texts[ASK_PROPERTY].bytes,
                                    ask->texts[ASK_PROPERTY].len);
            else if (!code)
                code = buf_add_text(out, column->name);
        }
    }
    return code ? code : buf_add(out, "\r\n", 2);
}

static enum err_code add_line(const struct report_column *column, const struct ask *ask,
                              const PGresult *rows, int row, int field, struct buf *out)
{
    enum err_code code = ERR_OK;

    for (; column->type != REPORT_END && !code; column++) {
        if (has_figures(column)) {
            bool has_previous =
                column->type == REPORT_TOTALS
                    ? !ask->lacks_previous
                    : cells_has_previous(ask, rows, row, field + FIGURE_COUNT);
            code = add_metrics(ask, rows, row, field, false, out);
            if (!code && ask->compares)
                code =
                    add_metrics(ask, rows, row, field + FIGURE_COUNT, !has_previous, out);
        } else if (is_shown(column)) {
            code = add_comma(out);
            if (!code && column->type == REPORT_INT)
                code = cells_add_int(rows, row, field, out);
            else if (!code)
                code = csv_add_text(out, PQgetvalue(rows, row, field),
                                    (size_t)PQgetlength(rows, row, field));
        }
        field += cells_width(column);
    }
    return code ? code : buf_add(out, "\r\n", 2);
}

/* The columns of the lines: those of the list, or the totals; and the field of the first. */
static const struct report_column *find_lines(const struct report *report, int *ret_field)
{
    const struct report_column *column = report->columns;

    *ret_field = 0;
    for (; column->type != REPORT_LIST && column->type != REPORT_TOTALS; column++)
        *ret_field += cells_width(column);
    return column->type == REPORT_LIST ? column + 1 : column;
}

enum err_code render_csv_header(const struct report *report, const struct ask *ask,
                                struct buf *out)
{
    int field;

    return add_header(find_lines(report, &field), ask, out);
}

enum err_code render_csv_lines(const struct report *report, const struct ask *ask,
                               const PGresult *rows, struct buf *out, struct err *err)
{
    int field;
    const struct report_column *column = find_lines(report, &field);
    int count = column->type == REPORT_TOTALS ? 1 : cells_list_rows(rows, field);
    enum err_code code = cells_check(report, rows);

    if (report->is_paged && ask->limit > 0 && count > ask->limit)
        count = ask->limit;
    for (int row = 0; row < count && !code; row++)
        code = add_line(column, ask, rows, row, field, out);
    return code ? err_set(err, code, "could not write an answer") : ERR_OK;
}

enum err_code render_csv(const struct report *report, const struct ask *ask,
                         const PGresult *rows, struct buf *out, struct err *err)
{
    enum err_code code = render_csv_header(report, ask, out);

    if (code)
        return err_set(err, code, "could not write an answer");
    return render_csv_lines(report, ask, rows, out, err);
}
