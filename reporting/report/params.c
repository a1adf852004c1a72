/* params.c -- see params.h. */
#include "reporting/report/params.h"

#include <stdio.h>
#include <string.h>

#include "reporting/report/ask.h"
#include "reporting/report/filter.h"
#include "reporting/report/metric_table.h"
#include "shared/text/query.h"
#include "shared/text/utf8.h"

enum {
    NAME_SHOWN_MAX = 64, /* bytes of a name in a sentence */
    LIST_MAX = 320       /* bytes of names in a sentence */
};

/* What the parameters of type PARAM_WORD may be. */
static const char *const exact_words[] = {"false", "true", NULL};
static const char *const compare_words[] = {"previous_period", NULL};
static const char *const interval_words[] = {"hour", "day", "week", "month", NULL};
static const char *const format_words[] = {"json", "csv", NULL};
static const char *const export_words[] = {"csv", "ndjson", NULL};
static const char *const period_words[] = {
#define PERIOD_WORD(id, name) name,
    PERIODS(PERIOD_WORD)
#undef PERIOD_WORD
        NULL};

/* The number of a word in its list, or -1. */
static int find_word(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    return -1;
}

static struct ask_text text_of(const char *bytes)
{
    return (struct ask_text){.bytes = bytes, .len = strlen(bytes)};
}

/* Appends a name to a list of them, if there is room. */
static void add_name(char list[LIST_MAX], const char *name)
{
    size_t len = strlen(list);

    if (len + strlen(name) + sizeof(", ") > LIST_MAX)
        return;
    (void)snprintf(list + len, LIST_MAX - len, "%s%s", len > 0 ? ", " : "", name);
}

static enum err_code read_site_id(const char *text, struct ask *ask, struct err *err)
{
    if (!text || !text[0])
        return err_set(err, ERR_INVALID, "site_id required");
    ask->texts[ASK_SITE_ID] = text_of(text);
    return ERR_OK;
}

/* Postgres's own parser takes far more than YYYY-MM-DD ("yesterday", "20251114"), and
 * refuses the rest with an error, so nothing but a real day goes there. */
static enum err_code read_date(const char *text, struct ask *ask, struct err *err)
{
    if (!text || !text[0])
        return ERR_OK;
    if (!day_is_real(text))
        return err_set(err, ERR_INVALID, "date must be YYYY-MM-DD");
    ask->texts[ASK_DATE] = text_of(text);
    ask->when.has_date = true;
    ask->when.date = day_parse(text);
    return ERR_OK;
}

static enum err_code read_exact(const char *text, struct ask *ask, struct err *err)
{
    int word = text ? find_word(exact_words, text) : 0;

    ask->is_exact = word == 1;
    if (word < 0)
        return err_set(err, ERR_INVALID, "exact must be true or false");
    return ERR_OK;
}

static enum err_code read_period(const char *text, struct ask *ask, struct err *err)
{
    char list[LIST_MAX] = "";
    int word;

    if (!text)
        return ERR_OK;
    word = find_word(period_words, text);
    if (word < 0) {
        for (size_t i = 0; period_words[i]; i++)
            add_name(list, period_words[i]);
        return err_set(err, ERR_INVALID, "\"period\" must be one of %s", list);
    }
    ask->when.period = (enum period)word;
    ask->has_period = true;
    if (word == PERIOD_24H && ask->when.has_date)
        return err_set(err, ERR_INVALID, "\"date\" must not be given with 24h");
    return ERR_OK;
}

static enum err_code read_from(const char *text, struct ask *ask, struct err *err)
{
    if (!text)
        return ERR_OK;
    if (ask->has_period)
        return err_set(err, ERR_INVALID, "\"from\" must not be given with \"period\"");
    if (ask->when.has_date)
        return err_set(err, ERR_INVALID, "\"from\" must not be given with \"date\"");
    if (!day_is_real(text))
        return err_set(err, ERR_INVALID, "\"from\" must be YYYY-MM-DD");
    ask->when.period = PERIOD_FROM_TO;
    ask->when.from = day_parse(text);
    return ERR_OK;
}

static enum err_code read_to(const char *text, struct ask *ask, struct err *err)
{
    bool has_from = ask->when.period == PERIOD_FROM_TO;

    if (!text && !has_from)
        return ERR_OK;
    if (!text || !has_from)
        return err_set(err, ERR_INVALID,
                       "\"from\" and \"to\" must be given together, "
                       "without \"period\"");
    if (!day_is_real(text))
        return err_set(err, ERR_INVALID, "\"to\" must be YYYY-MM-DD");
    ask->when.to = day_parse(text);
    if (ask->when.to < ask->when.from)
        return err_set(err, ERR_INVALID, "\"to\" must not be before \"from\"");
    return ERR_OK;
}

static enum err_code read_compare(const char *text, struct ask *ask, struct err *err)
{
    if (!text)
        return ERR_OK;
    if (find_word(compare_words, text) < 0)
        return err_set(err, ERR_INVALID, "\"compare\" must be previous_period");
    if (ask->when.period == PERIOD_ALL)
        return err_set(err, ERR_INVALID, "\"compare\" must not be given with all");
    ask->compares = true;
    return ERR_OK;
}

static enum err_code read_property(const char *text, struct ask *ask, struct err *err)
{
    char list[LIST_MAX] = "";

    ask->property = text ? property_find(text) : NULL;
    if (ask->property) {
        ask->texts[ASK_PROPERTY] = text_of(text);
        return ERR_OK;
    }
    for (size_t i = 0; property_at(i); i++)
        add_name(list, property_at(i)->name);
    return err_set(err, ERR_INVALID,
                   "\"property\" must be " PROPERTY_KEYS ", " PROPERTY_PROP
                   "<key> or one of %s",
                   list);
}

static enum err_code refuse_metrics(const struct ask *ask, unsigned allowed,
                                    struct err *err)
{
    char list[LIST_MAX] = "";

    for (int id = 0; id < METRIC_ID_COUNT; id++) {
        if (allowed & 1U << id)
            add_name(list, metric_name((enum metric_id)id));
    }
    if (!ask->property)
        return err_set(err, ERR_INVALID, "\"metrics\" must be of %s, each once", list);
    return err_set(err, ERR_INVALID, "\"metrics\" of \"%s\" must be of %s, each once",
                   ask->property->name, list);
}

static enum err_code read_metrics(const char *text, struct ask *ask, struct err *err)
{
    enum metric_group group = ask->property ? ask->property->group : METRIC_GROUP_NONE;
    unsigned allowed = metric_allowed(group);
    unsigned open = allowed; /* and not yet asked */

    for (int id = 0; id < METRIC_ID_COUNT && !text; id++) {
        if (metric_default(group) & 1U << id)
            ask->metrics[ask->metric_count++] = (enum metric_id)id;
    }
    while (text) {
        size_t len = strcspn(text, ",");
        enum metric_id id = metric_find(text, len);
        if (id == METRIC_ID_COUNT || !(open & 1U << id))
            return refuse_metrics(ask, allowed, err);
        open &= ~(1U << id);
        ask->metrics[ask->metric_count++] = id;
        text = text[len] ? text + len + 1 : NULL;
    }
    ask->texts[ASK_SORT] = text_of(metric_name(ask->metrics[0]));
    return ERR_OK;
}

static enum err_code read_interval(const char *text, struct ask *ask, struct err *err)
{
    int word;

    if (!text)
        return ERR_OK;
    word = find_word(interval_words, text);
    if (word < 0)
        return err_set(err, ERR_INVALID,
                       "\"interval\" must be one of hour, day, week, month");
    ask->texts[ASK_INTERVAL] = text_of(interval_words[word]);
    return ERR_OK;
}

static enum err_code read_filters(const char *text, struct ask *ask, struct err *err)
{
    struct filters filters;
    const struct property *property;
    enum err_code code;

    if (!text)
        return ERR_OK;
    code = filters_parse(text, &filters, err);
    if (code)
        return code;
    ask->filters = text;
    property = filters.properties[0];
    for (size_t i = 0; i < filters.clause_count; i++) {
        ask->has_negation = ask->has_negation || filters.is_negated[i];
        if (filters.properties[i] != property)
            property = NULL;
    }
    ask->filtered = property;
    if (property)
        ask->texts[ASK_FILTERED] = text_of(property->name);
    return ERR_OK;
}

static enum err_code read_number(const char *name, const char *text, int most,
                                 int *ret_number, struct err *err)
{
    int number = 0;
    size_t len = text ? strspn(text, "0123456789") : 0;

    if (!text)
        return ERR_OK;
    for (size_t i = 0; i < len && number <= most; i++)
        number = number * 10 + (text[i] - '0');
    if (text[len] || number < 1 || number > most)
        return err_set(err, ERR_INVALID, "\"%s\" must be a number from 1 to %d", name,
                       most);
    *ret_number = number;
    return ERR_OK;
}

static enum err_code read_limit(const char *text, struct ask *ask, struct err *err)
{
    return read_number("limit", text, ASK_LIMIT_MAX, &ask->limit, err);
}

static enum err_code read_page(const char *text, struct ask *ask, struct err *err)
{
    return read_number("page", text, ASK_PAGE_MAX, &ask->page, err);
}

static enum err_code read_format(const char *text, struct ask *ask, struct err *err)
{
    int word = text ? find_word(format_words, text) : 0;

    ask->is_csv = word == 1;
    return word < 0 ? err_set(err, ERR_INVALID, "\"format\" must be json or csv")
                    : ERR_OK;
}

static enum err_code read_export_format(const char *text, struct ask *ask,
                                        struct err *err)
{
    int word = text ? find_word(export_words, text) : 0;

    ask->is_csv = word == 0;
    return word < 0 ? err_set(err, ERR_INVALID, "\"format\" must be csv or ndjson")
                    : ERR_OK;
}

/* clang-format off */
static const struct param params[] = {
    {"site_id", read_site_id, .bit = ASK_PARAM_SITE_ID, .type = PARAM_TEXT,
     .is_required = true,
     .help = "The site."},
    {"date", read_date, .bit = ASK_PARAM_DATE, .type = PARAM_DAY,
     .help = "A day of the site's time zone: of /stats the only one that is counted, else "
             "the one that `period` counts from. If absent all time, or today."},
    {"exact", read_exact, .bit = ASK_PARAM_EXACT, .type = PARAM_WORD,
     .words = exact_words,
     .initial = "false", .help = "Whether users are counted from the raw events."},
    {"period", read_period, .bit = ASK_PARAM_PERIOD, .type = PARAM_WORD,
     .words = period_words,
     .initial = "30d", .help = "Days, the last one today or `date`; not with `from` and `to`."},
    {"from", read_from, .bit = ASK_PARAM_FROM, .type = PARAM_DAY,
     .help = "The first day; with `to`, and without `period` and `date`."},
    {"to", read_to, .bit = ASK_PARAM_TO, .type = PARAM_DAY,
     .help = "The last day, which counts, too."},
    {"compare", read_compare, .bit = ASK_PARAM_COMPARE, .type = PARAM_WORD,
     .words = compare_words,
     .help = "Adds the figures of as many days, or months, before; not with `period=all`."},
    {"property", read_property, .bit = ASK_PARAM_PROPERTY, .type = PARAM_PROPERTY,
     .is_required = true,
     .help = "What figures are asked by: a property, or what events bring along under a key "
             "of their own."},
    {"metrics", read_metrics, .bit = ASK_PARAM_METRICS, .type = PARAM_METRICS,
     .help = "By commas, each once, in the order of the answer."},
    {"interval", read_interval, .bit = ASK_PARAM_INTERVAL, .type = PARAM_WORD,
     .words = interval_words,
     .help = "Chosen by the range if absent: hours up to 2 days, days up to 100, months."},
    {"filters", read_filters, .bit = ASK_PARAM_FILTERS, .type = PARAM_FILTERS,
     .help = "`;` is and, `|` or, `*` any characters, `==` is and `!=` is not; a backslash "
             "takes the next character as it stands."},
    {"limit", read_limit, .bit = ASK_PARAM_LIMIT, .type = PARAM_NUMBER,
     .most = ASK_LIMIT_MAX,
     .usual = ASK_LIMIT_DEFAULT, .help = "Rows at most; in CSV all unless given."},
    {"page", read_page, .bit = ASK_PARAM_PAGE, .type = PARAM_NUMBER,
     .most = ASK_PAGE_MAX, .usual = 1,
     .help = "Which `limit` rows."},
    {"format", read_format, .bit = ASK_PARAM_FORMAT, .type = PARAM_WORD,
     .words = format_words,
     .initial = "json", .help = "If absent csv for who sends `Accept: text/csv`."},
    {"format", read_export_format, .bit = ASK_PARAM_EXPORT_FORMAT, .type = PARAM_WORD,
     .words = export_words, .initial = "csv", .help = "CSV, or a JSON object a line."},
};
/* clang-format on */

const struct param *param_at(size_t index)
{
    return index < sizeof(params) / sizeof(params[0]) ? &params[index] : NULL;
}

static bool is_taken(unsigned taken, const char *name)
{
    const struct param *param = param_at(0);

    for (size_t i = 1; param; param = param_at(i++)) {
        if ((taken & param->bit) && strcmp(param->name, name) == 0)
            return true;
    }
    return false;
}

/* The names a report takes, by commas. */
static void list_names(unsigned taken, char *out, size_t size)
{
    const struct param *param = param_at(0);
    size_t len = 0;

    for (size_t i = 1; param; param = param_at(i++)) {
        size_t add = strlen(param->name);
        if (!(taken & param->bit) || len + add + sizeof(", ") > size)
            continue;
        if (len > 0) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, param->name, add);
        len += add;
    }
    out[len] = '\0';
}

static enum err_code refuse_others(unsigned taken, const struct query *query,
                                   struct err *err)
{
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->pairs[i].name;
        char names[ERR_MSG_MAX / 2];
        if (is_taken(taken, name))
            continue;
        list_names(taken, names, sizeof(names));
        return err_set(err, ERR_INVALID, "\"%.*s\" is not allowed; allowed are %s",
                       (int)utf8_cut(name, strlen(name), NAME_SHOWN_MAX), name, names);
    }
    return ERR_OK;
}

enum err_code params_read(unsigned taken, const struct query *query, struct ask *ret_ask,
                          struct err *err)
{
    struct ask ask = {.page = 1,
                      .when.period = PERIOD_30D,
                      .has_interval = (taken & ASK_PARAM_INTERVAL) != 0};
    const struct param *param = param_at(0);
    enum err_code code = ERR_OK;

    for (size_t i = 1; param && !code; param = param_at(i++)) {
        if (taken & param->bit)
            code = param->read(query_get(query, param->name), &ask, err);
    }
    if (!code && !(taken & ASK_PARAM_OTHERS))
        code = refuse_others(taken, query, err);
    if (!code)
        *ret_ask = ask;
    return code;
}
