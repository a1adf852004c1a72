/* committer.c -- see committer.h. */
#include "ingestion/commit/committer.h"

#include <sched.h>

#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/fit.h"
#include "ingestion/commit/group.h"
#include "ingestion/commit/linger.h"
#include "ingestion/metrics.h"
#include "ingestion/spool/writer.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/http.h"
#include "shared/redis/uv.h"

enum {
    TICK_MS = 20,        /* how exactly the deadlines of requests are kept */
    LATE_MS = 1,         /* until a group that waits for more is looked at again */
    LOST_MS = 200,       /* a Redis that is back so soon is waited for */
    LARGE_TIMES = 2,     /* an event is large from so many times the average on */
    SPIN_EVENTS_MIN = 4, /* a smaller group is no load that would pay for it */
    GROUP_BYTES =
        16777216, /* a group takes no further event beyond; redis_uv takes more */
};

struct queue {
    struct queue_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    uv_timer_t late; /* those who are gathered for have not come */
    uv_idle_t spin;  /* while active the loop looks again without sleeping */
    int64_t spin_until_us;
    int open_handles;
    struct gather gather;
    struct fit fit;
    struct group_list filling;  /* to be sent; only the last takes further events */
    struct group_list sent;     /* under way */
    struct group_list spooling; /* being written to the disk */
    struct group_pool spare;
    uint64_t groups_begun;
    int64_t in_flight;
    size_t pending_bytes; /* in filling and sent */
    size_t pending_events;
    bool is_quiet; /* Redis and the spool may be gone */
    void (*on_stopped)(void *user);
    void *stopped_user;
};

static int64_t now_ms(const struct queue *queue)
{
    return (int64_t)uv_now(queue->loop);
}

static bool has_spool(const struct queue *queue)
{
    return queue->options.spool && spool_is_working(queue->options.spool, now_ms(queue));
}

/* --- groups ----------------------------------------------------------------- */

/* Puts a group away whose requests are all answered. */
static void group_retire(struct queue *queue, struct group *group)
{
    queue->pending_bytes -= group_bytes(group);
    queue->pending_events -= group->count;
    group_pool_put(&queue->spare, group);
}

/* The group that takes the next event, or NULL when memory ran out. */
static struct group *group_to_fill(struct queue *queue)
{
    struct group *group = queue->filling.last;

    if (group && group->count < (size_t)queue->options.group_max_events &&
        group_bytes(group) < GROUP_BYTES)
        return group;
    group = group_pool_take(&queue->spare, queue);
    if (!group)
        return NULL;
    group->number = ++queue->groups_begun;
    group_list_append(&queue->filling, group);
    return group;
}

/* --- counting and answering --------------------------------------------------- */

/* The group is where nothing takes it away: answers 200. */
static void confirm(struct queue *queue, struct group *group, struct metric *where)
{
    struct loop_metrics *metrics = queue->options.metrics;
    int64_t now_us = clock_mono_us();

    for (size_t i = group->first_unanswered; group->waiters && i < group->count; i++)
        metric_observe(&metrics->enqueue_us, &metric_times_us,
                       now_us - group->waiters[i].taken_us);
    metric_add(where, (int64_t)group->count);
    metric_observe(&metrics->group_events, &metric_group_events, (int64_t)group->count);
    group_answer(group, true);
    group_retire(queue, group);
}

static void refuse(struct queue *queue, struct group *group, enum rejection why)
{
    if (group->waiters)
        metric_add(&queue->options.metrics->rejected[why],
                   (int64_t)(group->count - group->first_unanswered));
    group_answer(group, false);
}

static void refuse_waiting(struct queue *queue, enum rejection why)
{
    struct group *group;

    while ((group = group_list_take(&queue->filling)) != NULL) {
        refuse(queue, group, why);
        group_retire(queue, group);
    }
}

static void show_pending(const struct queue *queue)
{
    struct loop_metrics *metrics = queue->options.metrics;

    metric_set(&metrics->groups_in_flight, queue->in_flight);
    metric_set(&metrics->pending_events, (int64_t)queue->pending_events);
    metric_set(&metrics->pending_bytes, (int64_t)queue->pending_bytes);
}

/* --- sending ---------------------------------------------------------------- */

/* The clients of a group that is confirmed are about to come again. */
static void gather_for(struct queue *queue, const struct group *group)
{
    const struct group *next = queue->filling.first;
    size_t clients = group->count + (next ? next->count : 0);
    int64_t now_us = clock_mono_us();

    if (clients > (size_t)queue->options.group_max_events)
        clients = (size_t)queue->options.group_max_events;
    gather_begin(&queue->gather, now_us - group->sent_us, clients, now_us,
                 queue->options.group_linger_ms * 1000);
}

/* Redis has refused the group, and there is no spool. */
static void on_refused(struct queue *queue, struct group *group)
{
    size_t bytes = group_bytes(group);
    bool is_any = group->count == 1 && queue->fit.max_bytes > 0;

    refuse(queue, group, REJECTION_REFUSED);
    group_retire(queue, group);
    /* It had no room alone: nor has any of those that wait, unless it was a large one. */
    if (is_any && bytes * queue->pending_events <= LARGE_TIMES * queue->pending_bytes)
        refuse_waiting(queue, REJECTION_REFUSED);
}

/* What became of a group that Redis has been sent. */
static enum err_code note_reply(struct queue *queue, const struct group *group,
                                const redisReply *reply)
{
    bool is_divisible = group->count > 1;
    enum err_code code =
        gate_note(queue->options.gate, reply, is_divisible, now_ms(queue));
    struct err err;

    if (!code && FAILPOINT("queue.confirmed", &err))
        code = ERR_TIMEOUT; /* as if the reply had been lost */
    fit_note(&queue->fit, code, group_bytes(group), group->count);
    metrics_note_group(queue->options.metrics, code, is_divisible);
    return code == ERR_TOO_BIG && !is_divisible ? ERR_BUSY : code;
}

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct queue *queue = group->owner;
    enum err_code code;

    group_list_remove(&queue->sent, group);
    queue->in_flight--;
    code = note_reply(queue, group, reply);
    if (code == ERR_OK) {
        gather_for(queue, group);
        confirm(queue, group, &queue->options.metrics->enqueued);
    } else if (code == ERR_TIMEOUT || code == ERR_TOO_BIG || has_spool(queue)) {
        group_list_put_back(&queue->filling, group); /* before what came later */
    } else {
        on_refused(queue, group);
    }
    show_pending(queue); /* before any of them reads its answer */
}

/* The core may be the one that Redis needs to answer. */
static void on_spin(uv_idle_t *spin)
{
    struct queue *queue = spin->data;

    if (clock_mono_us() < queue->spin_until_us)
        (void)sched_yield();
    else
        (void)uv_idle_stop(spin);
}

/* Redis answers sooner than a sleep and a wake-up take, so behind a group of several events,
 * where more are coming, the loop does not sleep for a moment; unless Redis was slow the
 * last time, as one is that waits for its disk or is far away. */
static void spin_for(struct queue *queue, const struct group *group)
{
    if (queue->options.spin_us <= 0 || group->count < SPIN_EVENTS_MIN ||
        gather_is_slow(&queue->gather))
        return;
    queue->spin_until_us = group->sent_us + queue->options.spin_us;
    (void)uv_idle_start(&queue->spin, on_spin);
}

static bool send_group(struct queue *queue, struct group *group)
{
    struct err err;

    if (FAILPOINT("queue.send", &err) ||
        barrier_send(queue->options.barrier, group, false, on_reply) != ERR_OK)
        return false;
    group->sent_us = clock_mono_us();
    group_list_append(&queue->sent, group);
    queue->in_flight++;
    spin_for(queue, group);
    return true;
}

/* The oldest group that waits, without the jobs that nobody waits for; NULL at the end. */
static struct group *take_waiting(struct queue *queue)
{
    struct group *group;

    while ((group = group_list_take(&queue->filling)) != NULL) {
        queue->pending_events -= group->first_unanswered;
        queue->pending_bytes -= group_compact(group);
        if (group->count > 0)
            return group;
        group_retire(queue, group);
    }
    return NULL;
}

static void on_late(uv_timer_t *timer)
{
    queue_flush(timer->data);
}

/* Whether the group being filled waits for more; then it is looked at again soon. */
static bool is_gathering(struct queue *queue)
{
    const struct group *group = queue->filling.first;

    if (!group || queue->in_flight > 0 ||
        !gather_is_on(&queue->gather, group->count, clock_mono_us()))
        return false;
    if (!uv_is_active((uv_handle_t *)&queue->late))
        (void)uv_timer_start(&queue->late, on_late, LATE_MS, 0);
    return true;
}

/* As much of that as Redis is likely to take; the rest waits on. */
static struct group *take_fitting(struct queue *queue)
{
    struct group *group = take_waiting(queue);
    struct group *head;

    if (!group || fit_has_room(&queue->fit, group_bytes(group), group->count - 1, 0))
        return group;
    head = group_cut(group, queue->fit.max_bytes, &queue->spare);
    group_list_put_back(&queue->filling, group);
    return head; /* NULL: there may be memory at the next turn */
}

static void send_groups(struct queue *queue)
{
    struct group *group;

    if (is_gathering(queue))
        return;
    while (queue->in_flight < queue->options.groups_in_flight &&
           (group = take_fitting(queue)) != NULL) {
        if (!send_group(queue, group)) {
            group_list_put_back(&queue->filling, group);
            break;
        }
    }
}

/* --- the spool -------------------------------------------------------------- */

static void on_spooled(enum err_code code, void *user)
{
    struct queue *queue = user;
    struct group *group;

    while ((group = group_list_take(&queue->spooling)) != NULL) {
        if (code)
            group_list_put_back(&queue->filling, group);
        else
            confirm(queue, group, &queue->options.metrics->spooled);
    }
}

static void spool_groups(struct queue *queue)
{
    struct spool *spool = queue->options.spool;
    struct group *group;

    while ((group = take_waiting(queue)) != NULL) {
        if (spool_gather(spool, group) != ERR_OK) {
            group_list_put_back(&queue->filling, group);
            break;
        }
        group_list_append(&queue->spooling, group);
    }
    if (queue->spooling.first)
        spool_append(spool, on_spooled, queue);
}

/* True when the oldest group has waited so long that less than half of its time is left:
 * Redis may be slow, or silent and not yet known to be gone. */
static bool waits_too_long(const struct queue *queue)
{
    const struct group *group = queue->filling.first;

    return !group_is_expired(group) &&
           group->waiters[group->first_unanswered].deadline_ms - now_ms(queue) <
               queue->options.timeout_ms / 2;
}

static bool should_spool(const struct queue *queue, enum gate_state state)
{
    int64_t now = now_ms(queue);

    if (!queue->options.spool || !queue->filling.first ||
        !spool_is_ready(queue->options.spool, now))
        return false;
    return state == GATE_REFUSING || state == GATE_FULL || waits_too_long(queue) ||
           gate_lost_ms(queue->options.gate, now) >= LOST_MS;
}

void queue_flush(struct queue *queue)
{
    enum gate_state state;

    if (queue->is_quiet)
        return;
    gate_tick(queue->options.gate, now_ms(queue));
    state = gate_look(queue->options.gate, now_ms(queue));
    /* Without a spool each group gets its own answer from a Redis that refuses. */
    if (state == GATE_OPEN || (state == GATE_REFUSING && !has_spool(queue)))
        send_groups(queue);
    if (should_spool(queue, state))
        spool_groups(queue);
    if (state == GATE_FULL && !has_spool(queue))
        refuse_waiting(queue, REJECTION_QUEUE_CAP);
    redis_uv_flush(queue->options.redis);
    show_pending(queue);
}

/* --- deadlines -------------------------------------------------------------- */

static void expire_list(struct queue *queue, const struct group_list *list)
{
    for (struct group *group = list->first; group; group = group->next) {
        size_t before = group->first_unanswered;
        group_expire(group, now_ms(queue));
        metric_add(&queue->options.metrics->rejected[REJECTION_TIMEOUT],
                   (int64_t)(group->first_unanswered - before));
    }
}

/* Groups in which nobody waits any more are dropped, so that an outage does not fill the
 * memory with events whose clients were told that they are not stored. */
static void drop_expired(struct queue *queue)
{
    while (queue->filling.first && group_is_expired(queue->filling.first))
        group_retire(queue, group_list_take(&queue->filling));
}

static void on_tick(uv_timer_t *timer)
{
    struct queue *queue = timer->data;

    expire_list(queue, &queue->sent);
    expire_list(queue, &queue->spooling);
    expire_list(queue, &queue->filling);
    drop_expired(queue);
    queue_flush(queue); /* Redis may be back */
}

/* --- the public face -------------------------------------------------------- */

bool queue_is_full(const struct queue *queue)
{
    return queue->pending_bytes >= (size_t)queue->options.pending_max_bytes;
}

bool queue_has_spool(const struct queue *queue)
{
    return queue->options.spool && spool_takes_events(queue->options.spool);
}

enum err_code queue_push(struct queue *queue, const struct event *event,
                         struct http_request *req)
{
    struct group *group;
    size_t before;
    char *job;
    enum err_code code;

    if (queue_is_full(queue))
        return ERR_BUSY;
    group = group_to_fill(queue);
    if (!group)
        return ERR_NOMEM;
    before = group_bytes(group);
    /* A tenth of the time is kept back, so that the 503 arrives inside it. */
    code = group_add_place(
        group, event_job_size(event), req,
        now_ms(queue) + queue->options.timeout_ms - queue->options.timeout_ms / 10, &job);
    if (code)
        return code == ERR_TOO_BIG ? ERR_BUSY : code;
    (void)event_put_job(event, job); /* exactly its size */
    http_wait(req);
    queue->pending_events++;
    queue->pending_bytes += group_bytes(group) - before;
    return ERR_OK;
}

enum err_code queue_start(uv_loop_t *loop, const struct queue_options *options,
                          struct queue **ret_queue, struct err *err)
{
    struct queue *queue = mem_calloc(1, sizeof(*queue));

    if (!queue)
        return err_set(err, ERR_NOMEM, "out of memory");
    queue->options = *options;
    queue->loop = loop;
    queue->spare.max_bytes = (size_t)options->pending_max_bytes;
    metric_set(&options->metrics->pending_bytes_max, options->pending_max_bytes);
    (void)uv_timer_init(loop, &queue->tick);
    queue->tick.data = queue;
    (void)uv_timer_start(&queue->tick, on_tick, TICK_MS, TICK_MS);
    (void)uv_timer_init(loop, &queue->late);
    queue->late.data = queue;
    (void)uv_idle_init(loop, &queue->spin);
    queue->spin.data = queue;
    queue->open_handles = 3;
    *ret_queue = queue;
    return ERR_OK;
}

static void free_list(struct queue *queue, struct group_list *list)
{
    struct group *group;

    while ((group = group_list_take(list)) != NULL) {
        refuse(queue, group, REJECTION_SHUTDOWN);
        group_free(group);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct queue *queue = handle->data;
    void (*on_stopped)(void *user) = queue->on_stopped;
    void *user = queue->stopped_user;

    if (--queue->open_handles > 0)
        return;
    mem_free(queue);
    if (on_stopped)
        on_stopped(user);
}

void queue_quiesce(struct queue *queue)
{
    queue->is_quiet = true;
}

void queue_stop(struct queue *queue, void (*on_stopped)(void *user), void *user)
{
    queue->on_stopped = on_stopped;
    queue->stopped_user = user;
    free_list(queue, &queue->filling);
    free_list(queue, &queue->sent);
    free_list(queue, &queue->spooling);
    group_pool_release(&queue->spare);
    uv_close((uv_handle_t *)&queue->tick, on_handle_closed);
    uv_close((uv_handle_t *)&queue->late, on_handle_closed);
    uv_close((uv_handle_t *)&queue->spin, on_handle_closed);
}
