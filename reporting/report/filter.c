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
    size_t prefix = strlen(PROPERTY_PROP);

    if (len > prefix && memcmp(name, PROPERTY_PROP, prefix) == 0)
        len = prefix + 1; /* of the key one character is enough */
    if (len < sizeof(text))
        memcpy(text, name, len);
    *ret_property = property_find(text);
    if (!*ret_property || strcmp(text, PROPERTY_KEYS) == 0)
        return err_set(
            err, ERR_INVALID,
            "\"filters\" must name a property that \"property\" takes, then == "
            "or !=, then values");
    return ERR_OK;
}

/* The length up to the next of some characters that no backslash takes. */
static size_t length_before(const char *text, const char *ends)
{
    size_t len = 0;

    while (text[len] && !strchr(ends, text[len])) {
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
    size_t len = length_before(at, "=!;|");
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
    filters->names[clause] = (struct filter_name){at, len};
    filters->is_negated[clause] = at[len] == '!';
    filters->clause_count++;
    at += len + 1;
    do {
        at++; /* the second = or the | */
        len = length_before(at, ";|");
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

/* A text without its backslashes, as an element of an array in quotes. */
static enum err_code add_plain(struct buf *out, const char *text, size_t len)
{
    enum err_code code = buf_add(out, "\"", 1);

    for (size_t i = 0; i < len && !code; i++) {
        if (text[i] == '\\' && i + 1 < len)
            i++;
        if (text[i] == '"' || text[i] == '\\')
            code = buf_add(out, "\\", 1);
        if (!code)
            code = buf_add(out, &text[i], 1);
    }
    return code ? code : buf_add(out, "\"", 1);
}

static enum err_code add_value_text(const struct filters *filters, size_t value,
                                    struct buf *out)
{
    const struct filter_value *from = &filters->values[value];

    if (length_before(from->text, "*;|") < from->len)
        return buf_add_text(out, "NULL");
    return add_plain(out, from->text, from->len);
}

static enum err_code add_name(const struct filters *filters, size_t value,
                              struct buf *out)
{
    size_t clause = filters->values[value].clause;

    if (value > 0 && filters->values[value - 1].clause == clause)
        return buf_add_text(out, "NULL");
    return add_plain(out, filters->names[clause].text, filters->names[clause].len);
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

enum err_code filters_add_values(const struct filters *filters, struct buf *out)
{
    return add_array(filters, add_value_text, out);
}

enum err_code filters_add_properties(const struct filters *filters, struct buf *out)
{
    return add_array(filters, add_name, out);
}
