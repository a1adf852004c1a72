/* period.c -- see period.h. */
#include "reporting/report/period.h"

#include "reporting/report/day.h"

/* A period is so many days up to its day, or so many months with that of its day. */
struct shape {
    int days;
    int months;
    int shift; /* days or months that it lies before */
};

static struct shape shape_of(enum period period)
{
    switch (period) {
    case PERIOD_YESTERDAY:
        return (struct shape){.days = 1, .shift = 1};
    case PERIOD_7D:
        return (struct shape){.days = 7};
    case PERIOD_28D:
        return (struct shape){.days = 28};
    case PERIOD_30D:
        return (struct shape){.days = 30};
    case PERIOD_91D:
        return (struct shape){.days = 91};
    case PERIOD_MONTH:
        return (struct shape){.months = 1};
    case PERIOD_LAST_MONTH:
        return (struct shape){.months = 1, .shift = 1};
    case PERIOD_6MO:
        return (struct shape){.months = 6};
    case PERIOD_12MO:
    case PERIOD_YEAR:
        return (struct shape){.months = 12};
    case PERIOD_TODAY:
    case PERIOD_24H:
    case PERIOD_ALL:
    case PERIOD_FROM_TO:
    case PERIOD_COUNT:
        break;
    }
    return (struct shape){.days = 1};
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static bool is_under_way(const struct period_range *range, const struct period_now *now)
{
    return now->today >= range->from && now->today <= range->to;
}

static void set_days(struct period_range *range, const struct period_question *question,
                     const struct period_now *now, const struct shape *shape)
{
    int day = question->has_date ? question->date : now->today;

    if (question->period == PERIOD_FROM_TO) {
        range->from = question->from;
        range->to = question->to;
    } else if (question->period == PERIOD_ALL) {
        range->to = day;
        range->from = least(now->first_day, day);
    } else if (question->period == PERIOD_24H) {
        range->to = now->today;
        range->from = now->hour == 23 ? now->today : now->today - 1;
        range->is_hours = true;
    } else if (shape->months > 0) {
        int last = question->period == PERIOD_YEAR ? day_year(day) : day_month(day, 0);
        int first = question->period == PERIOD_YEAR
                        ? last
                        : day_month(last, 1 - shape->months - shape->shift);
        range->from = first;
        range->to = day_month(first, shape->months) - 1;
        if (is_under_way(range, now))
            range->to = now->today;
    } else {
        range->to = day - shape->shift;
        range->from = range->to - shape->days + 1;
    }
}

static void set_previous(struct period_range *range, const struct period_now *now,
                         const struct shape *shape)
{
    int days = range->to - range->from + 1;

    range->previous_hour = -1;
    range->previous_to = range->from - 1;
    range->previous_from =
        shape->months > 0 ? day_month(range->from, -shape->months) : range->from - days;
    if (is_under_way(range, now)) {
        int same = range->previous_from + now->today - range->from;
        if (same < range->from) { /* else the month before is shorter, and over */
            range->previous_to = same;
            range->previous_hour = now->hour;
        }
    }
}

struct period_range period_resolve(const struct period_question *question,
                                   const struct period_now *now)
{
    struct shape shape = shape_of(question->period);
    struct period_range range = {.has_previous = question->period != PERIOD_ALL};

    set_days(&range, question, now, &shape);
    set_previous(&range, now, &shape);
    if (range.is_hours) {
        range.previous_from = range.from - 1;
        range.previous_to = range.to - 1;
        range.previous_hour = -1;
    }
    return range;
}
