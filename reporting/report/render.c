/* render.c -- see render.h: JSON. */
#include "reporting/report/render.h"

#include <string.h>

#include "reporting/report/cells.h"
#include "reporting/report/report.h"
#include "shared/base/buf.h"
#include "shared/text/json.h"

struct rendering {
    const struct report *report;
    const struct ask *ask;
    const PGresult *rows;
    struct buf *out;
};

static enum err_code add_asked(struct rendering *r, const struct report_column *column)
{
    const struct ask_text *text = &r->ask->texts[column->asked];

    if (!text->bytes)
        return buf_add(r->out, "null", strlen("null"));
    return json_add_string(r->out, text->bytes, text->len);
}

/* The key, and what stands before it. */
static enum err_code add_key(struct rendering *r, char before, const char *name)
{
    size_t len = strlen(name);
    char *at;
    enum err_code code = buf_reserve(r->out, len + 4);

    if (code)
        return code;
    at = r->out->data + r->out->len;
    *at++ = before;
    *at++ = '"';
    while (*name)
        *at++ = *name++;
    *at++ = '"';
    *at = ':';
    r->out->len += len + 4;
    return ERR_OK;
}

static enum err_code add_metrics(struct rendering *r, char before,
                                 const int64_t figures[FIGURE_COUNT])
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < r->ask->metric_count && !code; i++) {
        enum metric_id id = r->ask->metrics[i];
        struct metric_value value = metric_value(id, figures);
        code = add_key(r, i == 0 ? before : ',', metric_name(id));
        if (!code)
            code = cells_add_metric(&value, "null", r->out);
    }
    return code;
}

/* The metrics of a row among its keys, and "previous" with those of the period before. */
static enum err_code add_figures(struct rendering *r, int row, int field)
{
    int64_t figures[FIGURE_COUNT];
    int64_t previous[FIGURE_COUNT];
    enum err_code code = cells_figures(r->rows, row, field, figures);

    if (!code)
        code = add_metrics(r, ',', figures);
    if (code || !r->ask->compares)
        return code;
    code = add_key(r, ',', "previous");
    if (!code && !cells_has_previous(r->ask, r->rows, row, field + FIGURE_COUNT))
        return buf_add(r->out, "null", strlen("null"));
    if (!code)
        code = cells_figures(r->rows, row, field + FIGURE_COUNT, previous);
    if (!code)
        code = add_metrics(r, '{', previous);
    return code ? code : buf_add(r->out, "}", 1);
}

/* A change without its decimal where that is 0: 100, and 33.3. */
static enum err_code add_change(struct rendering *r, const struct metric_value *now,
                                const struct metric_value *previous)
{
    struct metric_value change = metric_change(now, previous);

    if (change.value % 10 == 0) {
        change.value /= 10;
        change.decimals = 0;
    }
    return cells_add_metric(&change, "null", r->out);
}

static enum err_code add_total(struct rendering *r, enum metric_id id,
                               const int64_t figures[FIGURE_COUNT],
                               const int64_t before[FIGURE_COUNT])
{
    struct metric_value now = metric_value(id, figures);
    struct metric_value previous = metric_value(id, before);
    enum err_code code = add_key(r, '{', "value");

    previous.is_null = previous.is_null || r->ask->lacks_previous;
    if (!code)
        code = cells_add_metric(&now, "null", r->out);
    if (!code && r->ask->compares)
        code = add_key(r, ',', "previous");
    if (!code && r->ask->compares)
        code = cells_add_metric(&previous, "null", r->out);
    if (!code && r->ask->compares)
        code = add_key(r, ',', "change");
    if (!code && r->ask->compares)
        code = add_change(r, &now, &previous);
    return code ? code : buf_add(r->out, "}", 1);
}

static enum err_code add_totals(struct rendering *r, int field)
{
    int64_t figures[FIGURE_COUNT];
    int64_t previous[FIGURE_COUNT];
    enum err_code code = cells_figures(r->rows, 0, field, figures);

    if (!code)
        code = cells_figures(r->rows, 0, field + FIGURE_COUNT, previous);
    for (size_t i = 0; i < r->ask->metric_count && !code; i++) {
        enum metric_id id = r->ask->metrics[i];
        code = add_key(r, i == 0 ? '{' : ',', metric_name(id));
        if (!code)
            code = add_total(r, id, figures, previous);
    }
    return code ? code : buf_add(r->out, "}", 1);
}

static enum err_code add_cell(struct rendering *r, const struct report_column *column,
                              int row, int field)
{
    if (column->type == REPORT_TOTALS)
        return add_totals(r, field);
    if (PQgetisnull(r->rows, row, field))
        return column->is_optional ? buf_add(r->out, "null", 4) : ERR_BUG;
    if (column->type == REPORT_INT)
        return cells_add_int(r->rows, row, field, r->out);
    if (column->type == REPORT_JSON)
        return buf_add_text(r->out, PQgetvalue(r->rows, row, field));
    return json_add_string(r->out, PQgetvalue(r->rows, row, field),
                           (size_t)PQgetlength(r->rows, row, field));
}

/* The property that is asked, as a key: it may have any characters. */
static enum err_code add_property(struct rendering *r, char before)
{
    const struct ask_text *text = &r->ask->texts[ASK_PROPERTY];
    enum err_code code = buf_add(r->out, &before, 1);

    if (!code)
        code = json_add_string(r->out, text->bytes, text->len);
    return code ? code : buf_add(r->out, ":", 1);
}

/* One column of a row of the list. */
static enum err_code add_member(struct rendering *r, const struct report_column *column,
                                char before, int row, int field)
{
    enum err_code code;

    if (column->type == REPORT_FIGURES)
        return add_figures(r, row, field);
    if (column->type == REPORT_OTHER) {
        if (PQgetvalue(r->rows, row, field)[0] != 't')
            return ERR_OK;
        return buf_add_text(r->out, ",\"other\":true");
    }
    code = column->type == REPORT_VALUE ? add_property(r, before)
                                        : add_key(r, before, column->name);
    return code ? code : add_cell(r, column, row, field);
}

/* The object of one row, whose columns begin with those given and this field. */
static enum err_code add_row(struct rendering *r, const struct report_column *columns,
                             int row, int field)
{
    enum err_code code = ERR_OK;
    char before = '{';

    for (; columns->type != REPORT_END && !code; columns++) {
        code = add_member(r, columns, before, row, field);
        field += cells_width(columns);
        before = ',';
    }
    return code ? code : buf_add(r->out, "}", 1);
}

static enum err_code add_list(struct rendering *r, const struct report_column *columns,
                              int field)
{
    int count = cells_list_rows(r->rows, field);
    bool has_more = r->report->is_paged && count > r->ask->limit;
    enum err_code code = buf_add(r->out, "[", 1);

    if (has_more)
        count = r->ask->limit;
    for (int row = 0; row < count && !code; row++) {
        if (row > 0)
            code = buf_add(r->out, ",", 1);
        if (!code)
            code = add_row(r, columns, row, field);
    }
    if (!code)
        code = buf_add(r->out, "]", 1);
    if (code || !r->report->is_paged)
        return code;
    return buf_add_text(r->out, has_more ? ",\"more\":true" : ",\"more\":false");
}

static enum err_code add_columns(struct rendering *r, const struct report_column *columns)
{
    int field = 0;
    char before = '{';
    enum err_code code = ERR_OK;

    for (; columns->type != REPORT_END && !code; columns++) {
        if (columns->type == REPORT_SOURCE) {
            if (r->ask->is_raw)
                code = buf_add_text(r->out, ",\"source\":\"events\"");
            continue;
        }
        code = add_key(r, before, columns->name);
        before = ',';
        if (code)
            return code;
        if (columns->type == REPORT_LIST) {
            code = add_list(r, columns + 1, field);
            break;
        }
        code = columns->type == REPORT_ASKED ? add_asked(r, columns)
                                             : add_cell(r, columns, 0, field);
        field += cells_width(columns);
    }
    return code ? code : buf_add(r->out, "}", 1);
}

enum err_code render_json(const struct report *report, const struct ask *ask,
                          const PGresult *rows, struct buf *out, struct err *err)
{
    struct rendering r = {.report = report, .ask = ask, .rows = rows, .out = out};
    enum err_code code = cells_check(report, rows);

    if (!code)
        code = add_columns(&r, report->columns);
    if (code == ERR_BUG)
        return err_set(err, code, "the rows of \"%s\" have another form", report->name);
    return code ? err_set(err, code, "could not write an answer") : ERR_OK;
}
