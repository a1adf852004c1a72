/* pending.c -- groups that are answered, and what is counted of them; see internal.h. */
#include "ingestion/commit/internal.h"
#include "shared/base/clock.h"

void committer_count(struct committer *committer, const struct group *group, int sign)
{
    size_t times = (size_t)sign; /* wraps, as the sums below */

    committer->pending_bytes += times * group_memory(group);
    committer->pending_events += times * group->count;
    committer->pending_requests += times * group->waiter_count;
}

void committer_retire(struct committer *committer, struct group *group)
{
    committer_count(committer, group, -1);
    group_pool_put(&committer->spare, group);
}

void committer_confirm(struct committer *committer, struct group *group,
                       struct metric *where)
{
    struct loop_metrics *metrics = committer->options.metrics;
    int64_t now_us = clock_mono_us();

    for (size_t i = group->first_unanswered; i < group->waiter_count; i++)
        metric_observe(&metrics->enqueue_us, &metric_times_us,
                       now_us - group->waiters[i].taken_us);
    metric_add(where, (int64_t)group->count);
    metric_observe(&metrics->group_events, &metric_group_events, (int64_t)group->count);
    group_answer(group, true);
    committer_retire(committer, group);
}

void committer_refuse(struct committer *committer, struct group *group,
                      enum rejection why)
{
    metric_add(&committer->options.metrics->rejected[why], (int64_t)group_awaited(group));
    group_answer(group, false);
}

void committer_refuse_waiting(struct committer *committer, enum rejection why)
{
    struct group *group;

    while ((group = group_list_take(&committer->filling)) != NULL) {
        committer_refuse(committer, group, why);
        committer_retire(committer, group);
    }
}

void committer_show_pending(const struct committer *committer)
{
    struct loop_metrics *metrics = committer->options.metrics;

    metric_set(&metrics->groups_in_flight, committer->in_flight);
    metric_set(&metrics->pending_events, (int64_t)committer->pending_events);
    metric_set(&metrics->pending_bytes, (int64_t)committer->pending_bytes);
}

struct group *committer_take_waiting(struct committer *committer)
{
    struct group *group;

    while ((group = group_list_take(&committer->filling)) != NULL) {
        committer_count(committer, group, -1);
        group_compact(group);
        committer_count(committer, group, 1);
        if (group->count > 0)
            return group;
        committer_retire(committer, group);
    }
    return NULL;
}
