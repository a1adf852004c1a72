/* render.c -- see render.h. */
#include "reporting/report/render.h"

#include <string.h>

#include "reporting/report/report.h"
#include "shared/base/buf.h"
#include "shared/text/json.h"

enum {
    INT_DIGITS_MAX = 19 /* of a bigint */
};

struct rendering {
    const struct ask *ask;
    const PGresult *rows;
    struct buf *out;
};

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

static enum err_code add_asked(struct rendering *r, const struct report_column *column)
{
    const struct ask_text *text = &r->ask->texts[column->asked];

    if (!text->bytes)
        return buf_add(r->out, "null", strlen("null"));
    return json_add_string(r->out, text->bytes, text->len);
}

static enum err_code add_cell(struct rendering *r, const struct report_column *column,
                              int row, int field)
{
    const char *bytes = PQgetvalue(r->rows, row, field);
    size_t len = (size_t)PQgetlength(r->rows, row, field);

    if (PQgetisnull(r->rows, row, field))
        return ERR_BUG;
    if (column->type == REPORT_TEXT)
        return json_add_string(r->out, bytes, len);
    return is_int(bytes, len) ? buf_add(r->out, bytes, len) : ERR_BUG;
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
    memcpy(at, name, len);
    at += len;
    *at++ = '"';
    *at = ':';
    r->out->len += len + 4;
    return ERR_OK;
}

/* The object of one row, whose columns begin with those given and this field. */
static enum err_code add_row(struct rendering *r, const struct report_column *columns,
                             int row, int field)
{
    enum err_code code = ERR_OK;
    char before = '{';

    for (; columns->type != REPORT_END && !code; columns++) {
        code = add_key(r, before, columns->name);
        if (!code)
            code = add_cell(r, columns, row, field++);
        before = ',';
    }
    return code ? code : buf_add(r->out, "}", 1);
}

static enum err_code add_list(struct rendering *r, const struct report_column *columns,
                              int field)
{
    int count = PQntuples(r->rows);
    enum err_code code = buf_add(r->out, "[", 1);

    if (count == 1 && PQgetisnull(r->rows, 0, field))
        count = 0; /* a site without any */
    for (int row = 0; row < count && !code; row++) {
        if (row > 0)
            code = buf_add(r->out, ",", 1);
        if (!code)
            code = add_row(r, columns, row, field);
    }
    return code ? code : buf_add(r->out, "]", 1);
}

static enum err_code add_columns(struct rendering *r, const struct report_column *columns)
{
    int field = 0;
    char before = '{';
    enum err_code code = ERR_OK;

    for (; columns->type != REPORT_END && !code; columns++) {
        code = add_key(r, before, columns->name);
        before = ',';
        if (code)
            return code;
        if (columns->type == REPORT_LIST) {
            code = add_list(r, columns + 1, field);
            break;
        }
        code = columns->type == REPORT_ASKED ? add_asked(r, columns)
                                             : add_cell(r, columns, 0, field++);
    }
    return code ? code : buf_add(r->out, "}", 1);
}

static int count_fields(const struct report_column *columns)
{
    int count = 0;

    for (; columns->type != REPORT_END; columns++)
        count += columns->type == REPORT_INT || columns->type == REPORT_TEXT;
    return count;
}

enum err_code render_json(const struct report *report, const struct ask *ask,
                          const PGresult *rows, struct buf *out, struct err *err)
{
    struct rendering r = {.ask = ask, .rows = rows, .out = out};
    enum err_code code = ERR_BUG;

    if (PQntuples(rows) > 0 && PQnfields(rows) == count_fields(report->columns))
        code = add_columns(&r, report->columns);
    if (code == ERR_BUG)
        return err_set(err, code, "the rows of \"%s\" have another form", report->name);
    return code ? err_set(err, code, "could not write an answer") : ERR_OK;
}
