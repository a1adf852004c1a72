/* committer.c -- see committer.h. */
#include "ingestion/commit/committer.h"

#include "ingestion/commit/breaker.h"
#include "ingestion/commit/internal.h"
#include "ingestion/spool/writer.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/http.h"
#include "shared/redis/uv.h"

enum {
    TICK_MS = 20,  /* how exactly the deadlines of requests are kept */
    LOST_MS = 200, /* a Redis that is back so soon is waited for */
    GROUP_BYTES =
        16777216, /* a group takes no further event beyond; redis_uv takes more */
};

bool committer_spool_works(const struct committer *committer)
{
    return committer->options.spool &&
           spool_writer_is_working(committer->options.spool, committer_now_ms(committer));
}

/* --- groups ----------------------------------------------------------------- */

static bool has_room(const struct committer *committer, const struct group *group)
{
    return group->count < (size_t)committer->options.group_max_events &&
           group_bytes(group) < GROUP_BYTES;
}

/* A new group at the end of those to be sent; NULL when memory ran out. */
static struct group *begin_group(struct committer *committer)
{
    struct group *group = group_pool_take(&committer->spare, committer);

    if (!group)
        return NULL;
    group->number = ++committer->groups_begun;
    TAILQ_INSERT_TAIL(&committer->filling, group, entry);
    return group;
}

/* The group that takes the next event, or NULL when memory ran out. */
static struct group *group_to_fill(struct committer *committer)
{
    struct group *group = TAILQ_LAST(&committer->filling, group_list);

    return group && has_room(committer, group) ? group : begin_group(committer);
}

/* --- the spool -------------------------------------------------------------- */

static void on_spooled(enum err_code code, void *user)
{
    struct committer *committer = user;
    struct group *group;

    while ((group = group_list_take(&committer->spooling)) != NULL) {
        if (code)
            group_list_put_back(&committer->filling, group);
        else
            committer_confirm(committer, group, &committer->options.metrics->spooled);
    }
}

static void spool_writer_groups(struct committer *committer)
{
    struct spool_writer *spool = committer->options.spool;
    struct group *group;

    while ((group = committer_take_waiting(committer)) != NULL) {
        if (spool_writer_add(spool, group) != ERR_OK) {
            group_list_put_back(&committer->filling, group);
            break;
        }
        TAILQ_INSERT_TAIL(&committer->spooling, group, entry);
    }
    if (!TAILQ_EMPTY(&committer->spooling))
        spool_writer_append(spool, on_spooled, committer);
}

/* True when the oldest group has waited so long that less than half of its time is left:
 * Redis may be slow, or silent and not yet known to be gone. */
static bool waits_too_long(const struct committer *committer)
{
    const struct group *group = TAILQ_FIRST(&committer->filling);

    return !group_is_expired(group) &&
           group->waiters[group->first_unanswered].deadline_ms -
                   committer_now_ms(committer) <
               committer->options.timeout_ms / 2;
}

static bool should_spool(const struct committer *committer, enum breaker_state state)
{
    int64_t now = committer_now_ms(committer);

    if (!committer->options.spool || TAILQ_EMPTY(&committer->filling) ||
        !spool_writer_is_ready(committer->options.spool, now))
        return false;
    return state == BREAKER_REFUSING || state == BREAKER_FULL ||
           waits_too_long(committer) ||
           breaker_lost_ms(committer->options.breaker, now) >= LOST_MS;
}

void committer_flush(struct committer *committer)
{
    enum breaker_state state;

    if (committer->is_quiet)
        return;
    breaker_tick(committer->options.breaker, committer_now_ms(committer));
    state = breaker_poll(committer->options.breaker, committer_now_ms(committer));
    /* Without a spool each group gets its own answer from a Redis that refuses. */
    if (state == BREAKER_CLOSED ||
        (state == BREAKER_REFUSING && !committer_spool_works(committer)))
        committer_send_groups(committer);
    if (should_spool(committer, state))
        spool_writer_groups(committer);
    if (state == BREAKER_FULL && !committer_spool_works(committer))
        committer_refuse_waiting(committer, REJECTION_QUEUE_CAP);
    redis_uv_flush(committer->options.redis);
    committer_show_pending(committer);
}

/* --- deadlines -------------------------------------------------------------- */

static void expire_list(struct committer *committer, const struct group_list *list)
{
    struct group *group;

    TAILQ_FOREACH (group, list, entry) {
        size_t jobs = group_expire(group, committer_now_ms(committer));
        metric_add(&committer->options.metrics->rejected[REJECTION_TIMEOUT],
                   (int64_t)jobs);
    }
}

/* Groups in which nobody waits any more are dropped, so that an outage does not fill the
 * memory with events whose clients were told that they are not stored. */
static void drop_expired(struct committer *committer)
{
    struct group *group;

    while ((group = TAILQ_FIRST(&committer->filling)) != NULL && group_is_expired(group))
        committer_retire(committer, group_list_take(&committer->filling));
}

static void on_tick(uv_timer_t *timer)
{
    struct committer *committer = timer->data;

    expire_list(committer, &committer->sent);
    expire_list(committer, &committer->spooling);
    expire_list(committer, &committer->filling);
    drop_expired(committer);
    committer_flush(committer); /* Redis may be back */
}

/* --- the public face -------------------------------------------------------- */

bool committer_is_full(const struct committer *committer)
{
    return committer->pending_bytes >= (size_t)committer->options.pending_max_bytes;
}

bool committer_has_spool(const struct committer *committer)
{
    return committer->options.spool &&
           spool_writer_takes_events(committer->options.spool);
}

enum err_code committer_begin(struct committer *committer, struct delivery *ret_delivery)
{
    struct group *group;

    if (committer_is_full(committer))
        return ERR_BUSY;
    group = group_to_fill(committer);
    if (!group)
        return ERR_NOMEM;
    *ret_delivery = (struct delivery){.group = group, .mark = group_mark(group)};
    return ERR_OK;
}

/* Moves what there is of a request to a group of its own. */
static enum err_code move_on(struct committer *committer, struct delivery *delivery)
{
    struct group *group = begin_group(committer);
    struct group_mark mark;
    enum err_code code;

    if (!group)
        return ERR_NOMEM;
    mark = group_mark(group);
    code = group_move(delivery->group, delivery->mark, group);
    if (!code)
        *delivery = (struct delivery){.group = group, .mark = mark};
    return code;
}

enum err_code committer_add(struct committer *committer, struct delivery *delivery,
                            const struct event *event)
{
    size_t len = event_job_size(event);
    enum err_code code = ERR_OK;
    char *job = NULL;

    if (delivery->mark.count > 0 && !has_room(committer, delivery->group))
        code = move_on(committer, delivery);
    if (!code)
        code = group_add_place(delivery->group, len, &job);
    if (code == ERR_TOO_BIG && delivery->mark.count > 0) {
        code = move_on(committer, delivery);
        if (!code)
            code = group_add_place(delivery->group, len, &job);
    }
    if (code)
        return code == ERR_TOO_BIG ? ERR_BUSY : code;
    (void)event_put_job(event, job); /* exactly its size */
    return ERR_OK;
}

void committer_take_back(struct delivery *delivery)
{
    group_take_back(delivery->group, delivery->mark);
}

enum err_code committer_finish(struct committer *committer, struct delivery *delivery,
                               struct http_request *req, char *answer, size_t answer_len)
{
    struct group *group = delivery->group;
    /* A tenth of the time is kept back, so that the 503 arrives inside it. */
    struct waiter waiter = {
        .req = req,
        .deadline_ms = committer_now_ms(committer) + committer->options.timeout_ms -
                       committer->options.timeout_ms / 10,
        .answer = answer,
        .answer_len = answer_len,
    };

    if (group_wait(group, delivery->mark, &waiter) != ERR_OK) {
        committer_take_back(delivery);
        return ERR_NOMEM;
    }
    http_wait(req);
    committer->pending_events += group->count - delivery->mark.count;
    committer->pending_bytes += group->wire.len - delivery->mark.offset + answer_len;
    committer->pending_requests++;
    return ERR_OK;
}

enum err_code committer_push(struct committer *committer, const struct event *event,
                             struct http_request *req)
{
    struct delivery delivery;
    enum err_code code = committer_begin(committer, &delivery);

    if (code)
        return code;
    code = committer_add(committer, &delivery, event);
    if (code)
        committer_take_back(&delivery);
    else
        code = committer_finish(committer, &delivery, req, NULL, 0);
    return code;
}

enum err_code committer_start(uv_loop_t *loop, const struct committer_options *options,
                              struct committer **ret_committer, struct err *err)
{
    struct committer *committer = mem_calloc(1, sizeof(*committer));

    if (!committer)
        return err_set(err, ERR_NOMEM, "out of memory");
    committer->options = *options;
    committer->loop = loop;
    TAILQ_INIT(&committer->filling);
    TAILQ_INIT(&committer->sent);
    TAILQ_INIT(&committer->spooling);
    group_pool_init(&committer->spare, options->group_max_bytes);
    metric_set(&options->metrics->pending_bytes_max, options->pending_max_bytes);
    (void)uv_timer_init(loop, &committer->tick);
    committer->tick.data = committer;
    (void)uv_timer_start(&committer->tick, on_tick, TICK_MS, TICK_MS);
    (void)uv_timer_init(loop, &committer->late);
    committer->late.data = committer;
    (void)uv_idle_init(loop, &committer->spin);
    committer->spin.data = committer;
    committer->open_handles = 3;
    *ret_committer = committer;
    return ERR_OK;
}

static void free_list(struct committer *committer, struct group_list *list)
{
    struct group *group;

    while ((group = group_list_take(list)) != NULL) {
        committer_refuse(committer, group, REJECTION_SHUTDOWN);
        group_free(group);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct committer *committer = handle->data;
    void (*on_stopped)(void *user) = committer->on_stopped;
    void *user = committer->stopped_user;

    if (--committer->open_handles > 0)
        return;
    mem_free(committer);
    if (on_stopped)
        on_stopped(user);
}

void committer_quiesce(struct committer *committer)
{
    committer->is_quiet = true;
}

void committer_stop(struct committer *committer, void (*on_stopped)(void *user),
                    void *user)
{
    committer->on_stopped = on_stopped;
    committer->stopped_user = user;
    free_list(committer, &committer->filling);
    free_list(committer, &committer->sent);
    free_list(committer, &committer->spooling);
    group_pool_release(&committer->spare);
    uv_close((uv_handle_t *)&committer->tick, on_handle_closed);
    uv_close((uv_handle_t *)&committer->late, on_handle_closed);
    uv_close((uv_handle_t *)&committer->spin, on_handle_closed);
}
