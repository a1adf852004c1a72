/* metrics.c -- see metrics.h.  Numbers are written as exact decimals: no cell is ever a
 * floating-point number. */
#include "shared/base/metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "shared/base/buf.h"

enum {
    NUMBER_MAX = 48 /* bytes of a written number */
};

const struct metric_buckets metric_times_us = {
    16,
    {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
     1000000, 2500000, 5000000, 10000000},
};

const char *const metric_errors[] = {
#define ERROR_NAME(code, name, status, action)                                           \
    [ERR_##code] = ERR_##code == ERR_OK ? NULL : (name),
    ERR_CODES(ERROR_NAME)
#undef ERROR_NAME
};

const char *const metric_actions[] = {
#define ACTION_NAME(code, name, status, action)                                          \
    [ERR_##code] = (action) == ACTION_RETRY  ? "outage"                                  \
                   : (action) == ACTION_HALT ? "halt"                                    \
                                             : "other",
    ERR_CODES(ACTION_NAME)
#undef ACTION_NAME
};

enum metric_trouble metric_trouble_of(enum err_code code)
{
    if (code == ERR_OK)
        return METRIC_TROUBLE_NONE;
    return err_action(code) == ACTION_HALT ? METRIC_TROUBLE_HALT : METRIC_TROUBLE_OUTAGE;
}

void metric_observe(struct metric_histogram *histogram,
                    const struct metric_buckets *buckets, int64_t value)
{
    size_t at = 0;

    while (at < buckets->count && value > buckets->upto[at])
        at++;
    metric_add(&histogram->counts[at], 1);
    metric_add(&histogram->sum, value);
}

/* --- text -------------------------------------------------------------------- */

/* The text under construction; after a failure everything else is left out. */
struct writer {
    struct buf *out;
    enum err_code code;
};

static void put(struct writer *to, const char *text)
{
    if (!to->code)
        to->code = buf_add_text(to->out, text);
}

/* Escapes as the format asks: a help text keeps its quotes, a label value does not. */
static void put_escaped(struct writer *to, const char *text, bool is_label)
{
    for (; *text && !to->code; text++) {
        if (*text == '\n')
            put(to, "\\n");
        else if (*text == '\\')
            put(to, "\\\\");
        else if (*text == '"' && is_label)
            put(to, "\\\"");
        else
            to->code = buf_add(to->out, text, 1);
    }
}

static void put_quoted(struct writer *to, const char *name, const char *value)
{
    put(to, name);
    put(to, "=\"");
    put_escaped(to, value, true);
    put(to, "\"");
}

/* Writes value / per_unit, per_unit being a power of ten, without zeros at the end. */
static void format_number(int64_t value, int64_t per_unit, char out[NUMBER_MAX])
{
    const char *sign = value < 0 ? "-" : "";
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint64_t unit = per_unit > 0 ? (uint64_t)per_unit : 1;
    uint64_t rest = size % unit;
    int len = snprintf(out, NUMBER_MAX, "%s%" PRIu64, sign, size / unit);

    if (rest > 0)
        out[len++] = '.';
    while (rest > 0 && len < NUMBER_MAX - 1) {
        unit /= 10;
        out[len++] = (char)('0' + rest / unit);
        rest %= unit;
    }
    out[len] = '\0';
}

/* --- samples ------------------------------------------------------------------- */

/* One metric of a part. */
struct family {
    struct writer *to;
    const struct metrics_part *part;
    const struct metric_item *item;
};

static int64_t sum_up(const struct metrics_part *part, size_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < part->threads; i++) {
        const char *at = (const char *)part->first + i * part->stride + offset;
        sum += (uint64_t)metric_get((const struct metric *)(const void *)at);
    }
    return (int64_t)sum;
}

/* The labels of the element, and le unless it is NULL. */
static void put_labels(const struct family *family, size_t element, const char *le)
{
    const struct metric_item *item = family->item;
    struct writer *to = family->to;
    const char *before = "{";

    for (size_t i = 0; i < METRIC_LABELS_MAX && item->labels[i].name; i++) {
        put(to, before);
        put_quoted(to, item->labels[i].name, item->labels[i].values[element]);
        before = ",";
    }
    if (le) {
        put(to, before);
        put_quoted(to, "le", le);
        before = ",";
    }
    if (*before == ',')
        put(to, "}");
}

static void put_sample(const struct family *family, const char *suffix, size_t element,
                       const char *le, const char *number)
{
    struct writer *to = family->to;

    put(to, family->part->prefix);
    put(to, family->item->name);
    put(to, suffix);
    put_labels(family, element, le);
    put(to, " ");
    put(to, number);
    put(to, "\n");
}

static void put_simple(const struct family *family, size_t element)
{
    size_t offset = family->item->offset + element * sizeof(struct metric);
    char number[NUMBER_MAX];

    format_number(sum_up(family->part, offset), family->item->per_unit, number);
    put_sample(family, "", element, NULL, number);
}

/* Each cell is read once: the count is what the buckets add up to, whatever is counted
 * meanwhile. */
static void put_histogram(const struct family *family, size_t element)
{
    const struct metric_item *item = family->item;
    size_t base = item->offset + element * sizeof(struct metric_histogram);
    int64_t count = 0;
    char bound[NUMBER_MAX];
    char number[NUMBER_MAX];

    for (size_t i = 0; i <= item->buckets->count; i++) {
        size_t cell =
            offsetof(struct metric_histogram, counts) + i * sizeof(struct metric);
        count += sum_up(family->part, base + cell);
        format_number(count, 1, number);
        if (i < item->buckets->count)
            format_number(item->buckets->upto[i], item->per_unit, bound);
        put_sample(family, "_bucket", element, i < item->buckets->count ? bound : "+Inf",
                   number);
    }
    put_sample(family, "_count", element, NULL, number);
    format_number(sum_up(family->part, base + offsetof(struct metric_histogram, sum)),
                  item->per_unit, number);
    put_sample(family, "_sum", element, NULL, number);
}

/* --- families ------------------------------------------------------------------ */

static void put_comment(const struct family *family, const char *word)
{
    put(family->to, "# ");
    put(family->to, word);
    put(family->to, " ");
    put(family->to, family->part->prefix);
    put(family->to, family->item->name);
    put(family->to, " ");
}

static bool is_left_out(const struct metric_item *item, size_t element)
{
    for (size_t i = 0; i < METRIC_LABELS_MAX && item->labels[i].name; i++) {
        if (!item->labels[i].values[element])
            return true;
    }
    return false;
}

static void put_family(const struct family *family)
{
    static const char *const kinds[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
    };
    const struct metric_item *item = family->item;
    size_t count = item->count ? item->count : 1;

    put_comment(family, "HELP");
    put_escaped(family->to, item->help, false);
    put(family->to, "\n");
    put_comment(family, "TYPE");
    put(family->to, kinds[item->kind]);
    put(family->to, "\n");
    for (size_t i = 0; i < count; i++) {
        if (is_left_out(item, i))
            continue;
        if (item->kind == METRIC_HISTOGRAM)
            put_histogram(family, i);
        else
            put_simple(family, i);
    }
}

enum err_code metrics_render(const struct metrics_part *parts, size_t count,
                             struct buf *out)
{
    struct writer to = {.out = out, .code = ERR_OK};

    for (size_t i = 0; i < count; i++) {
        struct family family = {.to = &to, .part = &parts[i]};
        for (family.item = parts[i].items; family.item->name; family.item++)
            put_family(&family);
    }
    return to.code;
}
