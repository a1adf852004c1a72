/* pending.c -- groups that are answered, and what is counted of them; see internal.h. */
#include "ingestion/commit/internal.h"
#include "shared/base/clock.h"

/* Puts a group away whose requests are all answered. */
void committer_retire(struct committer *committer, struct group *group)
{
    committer->pending_bytes -= group_bytes(group);
    committer->pending_events -= group->count;
    group_pool_put(&committer->spare, group);
}

void committer_confirm(struct committer *committer, struct group *group,
                       struct metric *where)
{
    struct loop_metrics *metrics = committer->options.metrics;
    int64_t now_us = clock_mono_us();

    for (size_t i = group->first_unanswered; group->waiters && i < group->count; i++)
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
    if (group->waiters)
        metric_add(&committer->options.metrics->rejected[why],
                   (int64_t)(group->count - group->first_unanswered));
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
        committer->pending_events -= group->first_unanswered;
        committer->pending_bytes -= group_compact(group);
        if (group->count > 0)
            return group;
        committer_retire(committer, group);
    }
    return NULL;
}
