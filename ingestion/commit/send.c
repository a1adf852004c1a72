/* send.c -- groups to Redis, and what its replies mean; see internal.h. */
#include <sched.h>

#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/internal.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/redis/uv.h"

enum {
    LATE_MS = 1,           /* until a group that waits for more is looked at again */
    LARGE_TIMES = 2,       /* a request is large from so many times the average on */
    SPIN_REQUESTS_MIN = 4, /* fewer clients are no load that would pay for it */
};

/* The clients of a group that is confirmed are about to come again. */
static void linger_for(struct committer *committer, const struct group *group)
{
    const struct group *next = TAILQ_FIRST(&committer->filling);
    size_t clients = group->waiter_count + (next ? next->waiter_count : 0);
    int64_t now_us = clock_mono_us();

    if (clients > (size_t)committer->options.group_max_events)
        clients = (size_t)committer->options.group_max_events;
    group_linger_begin(&committer->linger, now_us - group->sent_us, clients, now_us,
                       committer->options.group_linger_ms * 1000);
}

/* Redis has refused the group, and there is no spool. */
static void on_refused(struct committer *committer, struct group *group)
{
    size_t bytes = group_bytes(group);
    bool is_any = group->waiter_count == 1 && committer->fit.max_bytes > 0;

    committer_refuse(committer, group, REJECTION_REFUSED);
    committer_retire(committer, group);
    /* It had no room alone: nor has any of those that wait, unless it was a large one. */
    if (is_any &&
        bytes * committer->pending_requests <= LARGE_TIMES * committer->pending_bytes)
        committer_refuse_waiting(committer, REJECTION_REFUSED);
}

/* What became of a group that Redis has been sent. */
static enum err_code note_reply(struct committer *committer, const struct group *group,
                                const redisReply *reply)
{
    bool is_divisible = group->waiter_count > 1;
    enum err_code code = breaker_note(committer->options.breaker, reply, is_divisible,
                                      committer_now_ms(committer));
    struct err err;

    if (!code && FAILPOINT("committer.confirmed", &err))
        code = ERR_TIMEOUT; /* as if the reply had been lost */
    fit_note(&committer->fit, code, group_bytes(group), group->waiter_count);
    metrics_note_group(committer->options.metrics, code, is_divisible);
    return code == ERR_TOO_BIG && !is_divisible ? ERR_BUSY : code;
}

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct committer *committer = group->owner;
    enum err_code code;

    TAILQ_REMOVE(&committer->sent, group, entry);
    committer->in_flight--;
    code = note_reply(committer, group, reply);
    if (code == ERR_OK) {
        linger_for(committer, group);
        committer_confirm(committer, group, &committer->options.metrics->enqueued);
    } else if (code == ERR_TIMEOUT || code == ERR_TOO_BIG ||
               committer_spool_works(committer)) {
        group_list_put_back(&committer->filling, group); /* before what came later */
    } else {
        on_refused(committer, group);
    }
    committer_show_pending(committer); /* before any of them reads its answer */
}

/* The core may be the one that Redis needs to answer. */
static void on_spin(uv_idle_t *spin)
{
    struct committer *committer = spin->data;

    if (clock_mono_us() < committer->spin_until_us)
        (void)sched_yield();
    else
        (void)uv_idle_stop(spin);
}

/* Redis answers sooner than a sleep and a wake-up take, so after a group of several events,
 * where more are coming, the loop does not sleep for a moment; unless Redis was slow the
 * last time, as one is that waits for its disk or is far away. */
static void spin_for(struct committer *committer, const struct group *group)
{
    if (committer->options.spin_us <= 0 || group->waiter_count < SPIN_REQUESTS_MIN ||
        group_linger_is_slow(&committer->linger))
        return;
    committer->spin_until_us = group->sent_us + committer->options.spin_us;
    (void)uv_idle_start(&committer->spin, on_spin);
}

static bool send_group(struct committer *committer, struct group *group)
{
    struct err err;

    if (FAILPOINT("committer.send", &err) ||
        barrier_send(committer->options.barrier, group, false, on_reply) != ERR_OK)
        return false;
    group->sent_us = clock_mono_us();
    TAILQ_INSERT_TAIL(&committer->sent, group, entry);
    committer->in_flight++;
    spin_for(committer, group);
    return true;
}

static void on_late(uv_timer_t *timer)
{
    committer_flush(timer->data);
}

/* Whether the group being filled waits for more; then it is looked at again soon. */
static bool is_gathering(struct committer *committer)
{
    const struct group *group = TAILQ_FIRST(&committer->filling);

    if (!group || committer->in_flight > 0 ||
        !group_linger_is_on(&committer->linger, group->waiter_count, clock_mono_us()))
        return false;
    if (!uv_is_active((uv_handle_t *)&committer->late))
        (void)uv_timer_start(&committer->late, on_late, LATE_MS, 0);
    return true;
}

/* As much of that as Redis is likely to take; the rest waits on. */
static struct group *take_fitting(struct committer *committer)
{
    struct group *group = committer_take_waiting(committer);
    struct group *head;

    if (!group ||
        fit_has_room(&committer->fit, group_bytes(group), group->waiter_count - 1, 0))
        return group;
    head = group_cut(group, committer->fit.max_bytes, &committer->spare);
    group_list_put_back(&committer->filling, group);
    return head; /* NULL: there may be memory at the next turn */
}

void committer_send_groups(struct committer *committer)
{
    struct group *group;

    if (is_gathering(committer))
        return;
    while (committer->in_flight < committer->options.groups_in_flight &&
           (group = take_fitting(committer)) != NULL) {
        if (!send_group(committer, group)) {
            group_list_put_back(&committer->filling, group);
            break;
        }
    }
}
