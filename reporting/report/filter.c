/* filter.c -- see filter.h. */
#include "reporting/report/filter.h"

#include <string.h>

#include "reporting/report/metric_table.h"
#include "shared/base/buf.h"

enum {
    NAME_MAX_LEN = 32
};

static enum err_code read_property(const char *name, size_t len,
                                   const struct property **ret_property, struct err *err)
{
    char text[NAME_MAX_LEN] = "";

    if (len < sizeof(text))
        memcpy(text, name, len);
    *ret_property = property_find(text);
    if (!*ret_property)
        return err_set(
            err, ERR_INVALID,
            "\"filters\" must name a property that \"property\" takes, then == "
            "or !=, then values");
    return ERR_OK;
}

/* The length of a value: up to the next ; or | that no backslash takes. */
static size_t value_length(const char *text)
{
    size_t len = 0;

    while (text[len] && text[len] != ';' && text[len] != '|') {
        if (text[len] == '\\' && text[len + 1])
            len++;
        len++;
    }
    return len;
}

static enum err_code add_value(struct filters *filters, const char *text, size_t len,
                               struct err *err)
{
    if (filters->value_count == FILTER_VALUES_MAX)
        return err_set(err, ERR_INVALID, "\"filters\" must have at most %d values",
                       FILTER_VALUES_MAX);
    filters->values[filters->value_count++] = (struct filter_value){
        .clause = filters->clause_count - 1, .text = text, .len = len};
    return ERR_OK;
}

/* Reads a clause and leaves *text at its end. */
static enum err_code read_clause(const char **text, struct filters *filters,
                                 struct err *err)
{
    const char *at = *text;
    size_t len = strcspn(at, "=!;|");
    size_t clause = filters->clause_count;
    enum err_code code;

    if (clause == FILTER_CLAUSES_MAX)
        return err_set(err, ERR_INVALID, "\"filters\" must have at most %d clauses",
                       FILTER_CLAUSES_MAX);
    if ((at[len] != '=' && at[len] != '!') || at[len + 1] != '=')
        len = 0; /* no name that there is */
    code = read_property(at, len, &filters->properties[clause], err);
    if (code)
        return code;
    filters->is_negated[clause] = at[len] == '!';
    filters->clause_count++;
    at += len + 1;
    do {
        at++; /* the second = or the | */
        len = value_length(at);
        code = add_value(filters, at, len, err);
        at += len;
    } while (!code && *at == '|');
    *text = at;
    return code;
}

enum err_code filters_parse(const char *text, struct filters *ret_filters,
                            struct err *err)
{
    enum err_code code;

    ret_filters->clause_count = 0;
    ret_filters->value_count = 0;
    for (;;) {
        code = read_clause(&text, ret_filters, err);
        if (code || *text == '\0')
            return code;
        text++; /* the ; */
    }
}

/* An array: { element , element } and a NUL. */
typedef enum err_code (*add_fn)(const struct filters *filters, size_t value,
                                struct buf *out);

static enum err_code add_array(const struct filters *filters, add_fn add, struct buf *out)
{
    enum err_code code = buf_add(out, "{", 1);

    for (size_t i = 0; i < filters->value_count && !code; i++) {
        if (i > 0)
            code = buf_add(out, ",", 1);
        if (!code)
            code = add(filters, i, out);
    }
    return code ? code : buf_add(out, "}", 2);
}

static enum err_code add_clause(const struct filters *filters, size_t value,
                                struct buf *out)
{
    return buf_printf(out, "%zu", filters->values[value].clause);
}

static enum err_code add_negated(const struct filters *filters, size_t value,
                                 struct buf *out)
{
    return buf_add(out, filters->is_negated[filters->values[value].clause] ? "t" : "f",
                   1);
}

/* One character of a pattern, as an element of an array in quotes: a backslash for LIKE, and
 * each one, like a quote, with another one for the array. */
static enum err_code add_char(struct buf *out, char c, bool is_any)
{
    char bytes[4];
    size_t len = 0;

    if (!is_any && (c == '%' || c == '_' || c == '\\')) {
        bytes[len++] = '\\';
        bytes[len++] = '\\';
    }
    if (c == '"' || c == '\\')
        bytes[len++] = '\\';
    bytes[len++] = is_any ? '%' : c;
    return buf_add(out, bytes, len);
}

static enum err_code add_pattern(const struct filters *filters, size_t value,
                                 struct buf *out)
{
    const struct filter_value *from = &filters->values[value];
    enum err_code code = buf_add(out, "\"", 1);

    for (size_t i = 0; i < from->len && !code; i++) {
        bool is_any = from->text[i] == '*';
        if (from->text[i] == '\\' && i + 1 < from->len)
            i++;
        code = add_char(out, from->text[i], is_any);
    }
    return code ? code : buf_add(out, "\"", 1);
}

enum err_code filters_add_clauses(const struct filters *filters, struct buf *out)
{
    return add_array(filters, add_clause, out);
}

enum err_code filters_add_negated(const struct filters *filters, struct buf *out)
{
    return add_array(filters, add_negated, out);
}

enum err_code filters_add_patterns(const struct filters *filters, struct buf *out)
{
    return add_array(filters, add_pattern, out);
}
