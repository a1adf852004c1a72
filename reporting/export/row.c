/* row.c -- see row.h. */
#include "reporting/export/row.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reporting/report/csv_text.h"
#include "shared/base/buf.h"
#include "shared/text/json.h"

enum {
    FRACTION_DIGITS = 3, /* at least: all times that clients send have milliseconds */
    ID64_DIGITS = 16
};

struct cell {
    char *bytes;
    size_t len;
    bool is_null;
};

/* The character that COPY has written as a backslash and a letter. */
static char unescaped(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'v':
        return '\v';
    default:
        return letter;
    }
}

static void unescape(struct cell *cell)
{
    char *from = memchr(cell->bytes, '\\', cell->len);
    const char *end = cell->bytes + cell->len;
    char *to = from;

    if (!from)
        return;
    while (from < end) {
        if (*from == '\\' && from + 1 < end)
            *to++ = unescaped(*++from);
        else
            *to++ = *from;
        from++;
    }
    cell->len = (size_t)(to - cell->bytes);
}

/* The cell at *at, which is moved past the tab after it. */
static struct cell take_cell(char **at, const char *end)
{
    char *tab = memchr(*at, '\t', (size_t)(end - *at));
    struct cell cell = {.bytes = *at, .len = (size_t)((tab ? tab : end) - *at)};

    *at += cell.len + (tab ? 1 : 0);
    cell.is_null = cell.len == 2 && memcmp(cell.bytes, "\\N", 2) == 0;
    if (!cell.is_null)
        unescape(&cell);
    return cell;
}

/* What is no time in UTC of our years, such as infinity, stays as Postgres wrote it. */
static enum err_code add_time(const struct cell *cell, struct buf *out)
{
    static const char form[] = "YYYY-MM-DD HH:MM:SS";
    size_t whole = sizeof(form) - 1;
    size_t len = cell->len - 3;
    enum err_code code;

    if (cell->len < whole + 3 || memcmp(cell->bytes + len, "+00", 3) != 0)
        return buf_add(out, cell->bytes, cell->len);
    code = buf_reserve(out, cell->len + sizeof(".000Z"));
    if (code)
        return code;
    cell->bytes[10] = 'T';
    memcpy(out->data + out->len, cell->bytes, len);
    out->len += len;
    if (len == whole)
        out->data[out->len++] = '.';
    for (size_t digits = len == whole ? 0 : len - whole - 1; digits < FRACTION_DIGITS;
         digits++)
        out->data[out->len++] = '0';
    out->data[out->len++] = 'Z';
    return ERR_OK;
}

static enum err_code add_id64(const struct cell *cell, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    char *end;
    uint64_t bits;
    enum err_code code = buf_reserve(out, ID64_DIGITS);

    errno = 0;
    bits = (uint64_t)strtoll(cell->bytes, &end, 10);
    if (code || errno || end != cell->bytes + cell->len)
        return code ? code : ERR_BUG;
    for (int i = ID64_DIGITS - 1; i >= 0; i--)
        out->data[out->len++] = digits[bits >> (4 * i) & 15];
    return ERR_OK;
}

/* The empty text is two quotes, so that it can be told from null. */
static enum err_code add_csv_cell(enum row_kind kind, const struct cell *cell,
                                  struct buf *out)
{
    if (cell->is_null)
        return ERR_OK;
    switch (kind) {
    case ROW_TEXT:
    case ROW_JSON:
        return cell->len > 0 ? csv_add_text(out, cell->bytes, cell->len)
                             : buf_add(out, "\"\"", 2);
    case ROW_NUMBER:
        return buf_add(out, cell->bytes, cell->len);
    case ROW_TIME:
        return add_time(cell, out);
    case ROW_ID64:
        return add_id64(cell, out);
    }
    return ERR_BUG;
}

static enum err_code add_quoted(enum err_code (*add)(const struct cell *, struct buf *),
                                const struct cell *cell, struct buf *out)
{
    enum err_code code = buf_add(out, "\"", 1);

    if (!code)
        code = add(cell, out);
    return code ? code : buf_add(out, "\"", 1);
}

static enum err_code add_json_cell(enum row_kind kind, const struct cell *cell,
                                   struct buf *out)
{
    if (cell->is_null)
        return buf_add(out, "null", 4);
    switch (kind) {
    case ROW_TEXT:
        return json_add_string(out, cell->bytes, cell->len);
    case ROW_JSON:
    case ROW_NUMBER:
        return buf_add(out, cell->bytes, cell->len);
    case ROW_TIME:
        return add_quoted(add_time, cell, out);
    case ROW_ID64:
        return add_quoted(add_id64, cell, out);
    }
    return ERR_BUG;
}

/* What stands before a cell: its comma, and its name in NDJSON. */
static enum err_code add_front(const struct row_columns *columns, size_t i,
                               struct buf *out)
{
    enum err_code code = i > 0 ? buf_add(out, ",", 1) : ERR_OK;

    if (code || columns->is_csv)
        return code;
    if (i == 0)
        code = buf_add(out, "{", 1);
    if (!code)
        code = json_add_string(out, columns->at[i].name, strlen(columns->at[i].name));
    return code ? code : buf_add(out, ":", 1);
}

static enum err_code end_line(const struct row_columns *columns, struct buf *out)
{
    return columns->is_csv ? buf_add(out, "\r\n", 2) : buf_add(out, "}\n", 2);
}

enum err_code row_add_header(const struct row_columns *columns, struct buf *out)
{
    enum err_code code = ERR_OK;

    if (!columns->is_csv)
        return ERR_OK;
    for (size_t i = 0; i < columns->count && !code; i++) {
        code = add_front(columns, i, out);
        if (!code)
            code = buf_add_text(out, columns->at[i].name);
    }
    return code ? code : end_line(columns, out);
}

enum err_code row_add(const struct row_columns *columns, char *row, size_t len,
                      struct buf *out)
{
    char *end = row + len;
    enum err_code code = ERR_OK;

    if (len > 0 && end[-1] == '\n')
        end--;
    for (size_t i = 0; i < columns->count && !code; i++) {
        enum row_kind kind = columns->at[i].kind;
        struct cell cell = take_cell(&row, end);
        code = add_front(columns, i, out);
        if (!code)
            code = columns->is_csv ? add_csv_cell(kind, &cell, out)
                                   : add_json_cell(kind, &cell, out);
    }
    if (!code && row != end)
        code = ERR_BUG;
    return code ? code : end_line(columns, out);
}
