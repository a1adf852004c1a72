/* resolve.c -- see resolve.h. */
#include "reporting/report/resolve.h"

#include <assert.h>
#include <string.h>

#include "reporting/report/ask.h"
#include "reporting/report/filter.h"
#include "reporting/report/source.h"
#include "shared/base/buf.h"

enum {
    MADE_BYTES_MAX = 512, /* of days, hours and numbers */
    /* A byte of a filter becomes at most four in a pattern, and two in the value or the
     * property; of each value, its commas, quotes, nulls and the two other arrays. */
    FILTER_FACTOR = 6,
    FILTER_VALUE_BYTES = 24,
    HOUR_DAYS_MAX = 2,  /* up to so many days are shown by hours, */
    DAY_DAYS_MAX = 100, /* up to so many by days, if no interval is given */
    SHORTEST_MONTH = 28
};

size_t ask_bytes(const struct ask *ask)
{
    size_t size = MADE_BYTES_MAX;

    for (size_t i = 0; i < ASK_TEXT_COUNT; i++)
        size += ask->texts[i].bytes ? ask->texts[i].len + 1 : 0;
    if (ask->filters)
        size += strlen(ask->filters) * (FILTER_FACTOR + 1 + FILTER_VALUE_BYTES) + 1;
    return size;
}

static const char *copy(struct buf *out, const char *bytes, size_t len)
{
    char *at = out->data + out->len;

    assert(out->len + len + 1 <= out->cap);
    memcpy(at, bytes, len + 1);
    out->len += len + 1;
    return at;
}

void ask_move(struct ask *ask, struct buf *out)
{
    for (size_t i = 0; i < ASK_TEXT_COUNT; i++) {
        struct ask_text *text = &ask->texts[i];
        if (text->bytes)
            text->bytes = copy(out, text->bytes, text->len);
    }
    if (ask->filters)
        ask->filters = copy(out, ask->filters, strlen(ask->filters));
}

/* What has been written since `start` is a text of the ask; its NUL is there. */
static void set_text(struct ask *ask, enum ask_text_id id, const struct buf *out,
                     size_t start)
{
    ask->texts[id] = (struct ask_text){out->data + start, out->len - start - 1};
}

static void set_day(struct ask *ask, enum ask_text_id id, int day, struct buf *out)
{
    char text[DAY_TEXT_SIZE];

    day_format(day, text);
    ask->texts[id] =
        (struct ask_text){copy(out, text, DAY_TEXT_SIZE - 1), DAY_TEXT_SIZE - 1};
}

static enum err_code set_number(struct ask *ask, enum ask_text_id id, long number,
                                struct buf *out)
{
    size_t start = out->len;
    enum err_code code = buf_printf(out, "%ld", number);

    if (!code)
        code = buf_add(out, "", 1);
    if (!code)
        set_text(ask, id, out, start);
    return code;
}

enum err_code ask_set_page(struct ask *ask, struct buf *out, struct err *err)
{
    enum err_code code = ERR_OK;

    if (ask->limit == 0 && (!ask->is_csv || ask->page > 1))
        ask->limit = ASK_LIMIT_DEFAULT;
    ask->is_whole = ask->limit == 0;
    code =
        set_number(ask, ASK_LIMIT, (ask->is_whole ? ASK_ROWS_MAX : ask->limit) + 1, out);
    if (!code)
        code = set_number(ask, ASK_OFFSET, (long)(ask->page - 1) * ask->limit, out);
    return code ? err_set(err, code, "out of memory") : ERR_OK;
}

static void set_interval(struct ask *ask, const struct period_range *range)
{
    static const char *const names[] = {"hour", "day", "month"};
    int days = range->to - range->from + 1;
    int i = days <= HOUR_DAYS_MAX ? 0 : days <= DAY_DAYS_MAX ? 1 : 2;

    if (!ask->texts[ASK_INTERVAL].bytes)
        ask->texts[ASK_INTERVAL] = (struct ask_text){names[i], strlen(names[i])};
}

/* A bucket has a name, so that there is one of a day, too. */
static enum err_code check_buckets(const struct ask *ask,
                                   const struct period_range *range, struct err *err)
{
    static const struct {
        const char *name;
        int hours; /* of the shortest */
    } intervals[] = {
        {"hour", 1}, {"day", 24}, {"week", 168}, {"month", SHORTEST_MONTH * 24}};
    long hours = (range->to - range->from + 1L) * 24;

    if (!ask->has_interval)
        return ERR_OK;
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        if (strcmp(intervals[i].name, ask->texts[ASK_INTERVAL].bytes) == 0 &&
            hours / intervals[i].hours > ASK_BUCKETS_MAX)
            return err_set(err, ERR_INVALID,
                           "\"interval\" must give at most %d buckets; take a longer one "
                           "or a shorter range",
                           ASK_BUCKETS_MAX);
    }
    return ERR_OK;
}

static enum err_code set_filters(struct ask *ask, struct buf *out, struct err *err)
{
    static enum err_code (*const add[])(const struct filters *, struct buf *) = {
        filters_add_clauses, filters_add_negated, filters_add_patterns,
        filters_add_values, filters_add_properties};
    struct filters filters;
    enum err_code code;

    if (!ask->filters)
        return ERR_OK;
    code = filters_parse(ask->filters, &filters, err);
    for (size_t i = 0; i < sizeof(add) / sizeof(add[0]) && !code; i++) {
        size_t start = out->len;
        code = add[i](&filters, out);
        if (code)
            return err_set(err, code, "could not write filters");
        set_text(ask, (enum ask_text_id)(ASK_CLAUSES + i), out, start);
    }
    return code;
}

/* An array of Postgres. */
static enum err_code set_metrics(struct ask *ask, struct buf *out)
{
    size_t start = out->len;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < ask->metric_count && !code; i++)
        code = buf_printf(out, "%c%s", i == 0 ? '{' : ',', metric_name(ask->metrics[i]));
    if (!code)
        code = buf_add(out, "}", 2);
    if (!code)
        set_text(ask, ASK_METRICS, out, start);
    return code;
}

static void set_copy(struct ask *ask, enum ask_text_id id, const char *text,
                     struct buf *out)
{
    ask->texts[id] = (struct ask_text){copy(out, text, strlen(text)), strlen(text)};
}

static enum err_code set_previous(struct ask *ask, const struct period_range *range,
                                  struct buf *out)
{
    if (!ask->compares || ask->lacks_previous)
        return ERR_OK;
    set_day(ask, ASK_PREVIOUS_FROM, range->previous_from, out);
    set_day(ask, ASK_PREVIOUS_TO, range->previous_to, out);
    return range->previous_hour < 0
               ? ERR_OK
               : set_number(ask, ASK_PREVIOUS_HOUR, range->previous_hour, out);
}

static enum err_code check_days(const struct ask *ask, const struct period_range *range,
                                struct err *err)
{
    int least = day_parse("0001-01-01");

    if (range->from < least || (ask->compares && range->previous_from < least))
        return err_set(err, ERR_INVALID,
                       "\"date\" and \"from\" must not lead before the year 0001");
    return ERR_OK;
}

/* --- what is kept no longer --------------------------------------------------------- */

/* Whether days have figures, but those before a day not of the kind that is kept since then. */
static bool is_lacking(int from, int to, const struct period_now *now, int since)
{
    int first = from > now->first_day ? from : now->first_day;

    return first < since && first <= to;
}

static bool is_by_hour(const struct ask *ask)
{
    return ask->has_interval && strcmp(ask->texts[ASK_INTERVAL].bytes, "hour") == 0;
}

/* Where the hours of a period are gone raw events answer; where they are gone only of the one
 * before and no raw events are left of it, nothing is known of that one. */
static void find_gaps(struct ask *ask, const struct period_range *range,
                      const struct period_now *now)
{
    int from = range->previous_from;
    int to = range->previous_to;
    bool has_no_events = ask->compares && is_lacking(from, to, now, now->raw_from);
    bool has_no_hours = ask->compares && is_by_hour(ask) && !range->is_hours &&
                        is_lacking(from, to, now, now->hours_from);

    ask->lacks_hours = (has_no_hours && !has_no_events) ||
                       (is_by_hour(ask) && !range->is_hours &&
                        is_lacking(range->from, range->to, now, now->hours_from));
    ask->lacks_previous =
        has_no_events && (has_no_hours || source_is_raw(ask, ask->has_interval));
}

static enum err_code refuse_old(const struct ask *ask, const struct period_now *now,
                                struct err *err)
{
    char day[DAY_TEXT_SIZE];

    day_format(ask->lacks_hours && !ask->filters ? now->hours_from : now->raw_from, day);
    if (ask->lacks_hours && !ask->filters)
        return err_set(err, ERR_INVALID,
                       "\"interval\" must be day, week or month for days before %s", day);
    return err_set(err, ERR_INVALID, ASK_NEEDS_RAW, day);
}

static bool is_known(const struct ask *ask, const struct period_range *range,
                     const struct period_now *now)
{
    return !source_is_raw(ask, ask->has_interval) ||
           !is_lacking(range->from, range->to, now, now->raw_from);
}

/* The interval, and what is known by it.  A client that has named none gets days where hours
 * are gone. */
static enum err_code choose_interval(struct ask *ask, const struct period_range *range,
                                     const struct period_now *now, struct err *err)
{
    bool is_chosen = ask->texts[ASK_INTERVAL].bytes;
    enum err_code code;

    set_interval(ask, range);
    code = check_buckets(ask, range, err);
    if (code)
        return code;
    find_gaps(ask, range, now);
    if (!is_chosen && is_by_hour(ask) && !is_known(ask, range, now)) {
        ask->texts[ASK_INTERVAL] = (struct ask_text){"day", strlen("day")};
        find_gaps(ask, range, now);
    }
    return is_known(ask, range, now) ? ERR_OK : refuse_old(ask, now, err);
}

enum err_code ask_set_range(struct ask *ask, const struct ask_now *now, struct buf *out,
                            struct err *err)
{
    struct period_range range = period_resolve(&ask->when, &now->days);
    enum err_code code = check_days(ask, &range, err);

    if (!code)
        code = choose_interval(ask, &range, &now->days, err);
    if (code)
        return code;
    if (!source_is_raw(ask, ask->has_interval) &&
        range.previous_to < now->days.hours_from)
        range.previous_hour = -1; /* its hours are gone: the day counts whole */
    set_day(ask, ASK_FROM, range.from, out);
    set_day(ask, ASK_TO, range.to, out);
    if (range.is_hours)
        set_copy(ask, ASK_SINCE, now->since, out);
    if (range.is_hours && ask->compares && !ask->lacks_previous)
        set_copy(ask, ASK_PREVIOUS_SINCE, now->previous_since, out);
    code = set_previous(ask, &range, out);
    if (!code)
        code = set_metrics(ask, out);
    if (code)
        return err_set(err, code, "could not write a range");
    return set_filters(ask, out, err);
}
