/* queue.c -- see queue.h.
 *
 * A group keeps its jobs in wire form, with room in front for the head of the command,
 * which holds the number of jobs and so is written last.
 */
#include "ingestion/queue.h"

#include <stdio.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/event.h"
#include "shared/http.h"
#include "shared/mem.h"
#include "shared/redis_err.h"
#include "shared/redis_uv.h"

enum {
    TICK_MS = 20,        /* how exactly the deadlines of requests are kept */
    HEAD_MAX = 64,       /* "*<count>\r\n$5\r\nLPUSH\r\n$14\r\n{events}:queue\r\n" */
    JOB_MAX = 65536,     /* more than the longest event in JSON can be */
    FIRST_WAITERS = 64,  /* room in a new group */
    SPARE_GROUPS = 4,    /* empty groups kept for their memory */
    KEPT_BYTES = 262144, /* a spare group that grew beyond this is given back */
};

/* A request and its job in the group. */
struct waiter {
    struct http_request *req; /* held; NULL once it was answered 503 */
    int64_t deadline_ms;
    size_t offset; /* of the job in the group's wire */
};

struct group {
    struct group *next;
    struct queue *queue;    /* borrowed */
    struct buf wire;        /* HEAD_MAX bytes of room, then the jobs */
    struct waiter *waiters; /* owned */
    size_t count;
    size_t cap;
    size_t first_unanswered; /* waiters before it were answered 503 */
};

/* Groups from the oldest to the newest. */
struct group_list {
    struct group *first;
    struct group *last;
};

struct queue {
    struct queue_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    struct group_list filling; /* to be sent; only the last takes further events */
    struct group_list sent;    /* under way, in the order of their replies */
    struct group_list spare;
    int64_t in_flight;
    int64_t spare_count;
    size_t pending_bytes; /* in filling and sent */
    struct buf job;       /* scratch: one job */
    void (*on_stopped)(void *user);
    void *stopped_user;
};

/* --- lists ------------------------------------------------------------------ */

static void list_append(struct group_list *list, struct group *group)
{
    group->next = NULL;
    *(list->last ? &list->last->next : &list->first) = group;
    list->last = group;
}

static void list_prepend(struct group_list *list, struct group *group)
{
    group->next = list->first;
    list->first = group;
    if (!list->last)
        list->last = group;
}

static struct group *list_take(struct group_list *list)
{
    struct group *group = list->first;

    if (group)
        list->first = group->next;
    if (!list->first)
        list->last = NULL;
    return group;
}

/* --- groups ----------------------------------------------------------------- */

static void group_free(struct group *group)
{
    if (!group)
        return;
    buf_release(&group->wire);
    mem_free(group->waiters);
    mem_free(group);
}

static void group_clear(struct group *group)
{
    group->count = 0;
    group->first_unanswered = 0;
    group->wire.len = HEAD_MAX; /* was reserved when it was made */
}

static struct group *group_new(struct queue *queue)
{
    struct group *group = mem_calloc(1, sizeof(*group));

    if (!group)
        return NULL;
    group->queue = queue;
    buf_init(&group->wire, (size_t)queue->options.pending_max_bytes + HEAD_MAX);
    group->waiters = mem_alloc(FIRST_WAITERS * sizeof(*group->waiters));
    group->cap = FIRST_WAITERS;
    if (!group->waiters || buf_reserve(&group->wire, HEAD_MAX) != ERR_OK) {
        group_free(group);
        return NULL;
    }
    group_clear(group);
    return group;
}

static enum err_code group_reserve(struct group *group)
{
    struct waiter *waiters;

    if (group->count < group->cap)
        return ERR_OK;
    waiters = mem_realloc(group->waiters, 2 * group->cap * sizeof(*waiters));
    if (!waiters)
        return ERR_NOMEM;
    group->waiters = waiters;
    group->cap *= 2;
    return ERR_OK;
}

/* Puts a group away whose requests are all answered. */
static void group_retire(struct queue *queue, struct group *group)
{
    queue->pending_bytes -= group->wire.len - HEAD_MAX;
    if (queue->spare_count >= SPARE_GROUPS || group->wire.cap > KEPT_BYTES) {
        group_free(group);
        return;
    }
    group_clear(group);
    list_append(&queue->spare, group);
    queue->spare_count++;
}

/* The group that takes the next event, or NULL when memory ran out. */
static struct group *group_to_fill(struct queue *queue)
{
    struct group *group = queue->filling.last;

    if (group && group->count < (size_t)queue->options.group_max_events)
        return group;
    group = list_take(&queue->spare);
    if (group)
        queue->spare_count--;
    else
        group = group_new(queue);
    if (group)
        list_append(&queue->filling, group);
    return group;
}

static void answer(struct waiter *waiter, bool is_stored)
{
    struct http_request *req = waiter->req;

    waiter->req = NULL;
    if (req && is_stored)
        http_answer_ok(req);
    else if (req)
        http_answer_error(req, 503, "queue unavailable");
}

static void group_answer(struct group *group, bool is_stored)
{
    for (size_t i = group->first_unanswered; i < group->count; i++)
        answer(&group->waiters[i], is_stored);
    group->first_unanswered = group->count;
}

/* Leaves out the jobs whose requests were answered 503 in the meantime. */
static void group_compact(struct group *group)
{
    struct buf *wire = &group->wire;
    size_t skipped = group->first_unanswered;
    size_t start = skipped < group->count ? group->waiters[skipped].offset : wire->len;
    size_t cut = start - HEAD_MAX;

    if (skipped == 0)
        return;
    memmove(wire->data + HEAD_MAX, wire->data + start, wire->len - start);
    memmove(group->waiters, group->waiters + skipped,
            (group->count - skipped) * sizeof(*group->waiters));
    wire->len -= cut;
    group->count -= skipped;
    group->first_unanswered = 0;
    group->queue->pending_bytes -= cut;
    for (size_t i = 0; i < group->count; i++)
        group->waiters[i].offset -= cut;
}

/* --- sending ---------------------------------------------------------------- */

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct queue *queue = group->queue;
    struct err err;
    enum err_code code = ERR_OK;

    (void)list_take(&queue->sent); /* this very group: replies come in order */
    queue->in_flight--;
    if (!reply) { /* unknown: once more, before what came later */
        list_prepend(&queue->filling, group);
        return;
    }
    if (reply->type != REDIS_REPLY_INTEGER)
        code = redis_err_of_reply(reply, "Redis refused the events", &err);
    group_answer(group, code == ERR_OK && reply->type == REDIS_REPLY_INTEGER);
    group_retire(queue, group);
    if (code == ERR_READ_ONLY)
        redis_uv_reconnect(queue->options.redis, err.msg);
}

/* Writes the head of the command in front of the jobs; returns where it starts. */
static const char *write_head(struct group *group, size_t *ret_len)
{
    char head[HEAD_MAX];
    int len =
        snprintf(head, sizeof(head), "*%zu\r\n$5\r\nLPUSH\r\n$14\r\n{events}:queue\r\n",
                 group->count + 2);
    char *start = group->wire.data + HEAD_MAX - len;

    memcpy(start, head, (size_t)len);
    *ret_len = group->wire.len - HEAD_MAX + (size_t)len;
    return start;
}

static bool send_group(struct queue *queue, struct group *group)
{
    size_t len;
    const char *wire = write_head(group, &len);

    if (redis_uv_send(queue->options.redis, wire, len, on_reply, group) != ERR_OK)
        return false;
    list_append(&queue->sent, group);
    queue->in_flight++;
    return true;
}

void queue_flush(struct queue *queue)
{
    while (queue->filling.first && queue->in_flight < queue->options.groups_in_flight &&
           redis_uv_is_ready(queue->options.redis)) {
        struct group *group = list_take(&queue->filling);
        group_compact(group);
        if (group->count == 0) {
            group_retire(queue, group);
        } else if (!send_group(queue, group)) {
            list_prepend(&queue->filling, group);
            break;
        }
    }
    redis_uv_flush(queue->options.redis);
}

/* --- deadlines -------------------------------------------------------------- */

static void expire_group(struct group *group, int64_t now_ms)
{
    while (group->first_unanswered < group->count &&
           group->waiters[group->first_unanswered].deadline_ms <= now_ms) {
        answer(&group->waiters[group->first_unanswered], false);
        group->first_unanswered++;
    }
}

static void expire_list(struct group_list *list, int64_t now_ms)
{
    for (struct group *group = list->first; group; group = group->next)
        expire_group(group, now_ms);
}

/* Groups in which nobody waits any more are dropped, so that an outage does not fill the
 * memory with events whose clients were told that they are not stored. */
static void drop_expired(struct queue *queue)
{
    while (queue->filling.first &&
           queue->filling.first->first_unanswered == queue->filling.first->count)
        group_retire(queue, list_take(&queue->filling));
}

static void on_tick(uv_timer_t *timer)
{
    struct queue *queue = timer->data;
    int64_t now_ms = (int64_t)uv_now(queue->loop);

    expire_list(&queue->sent, now_ms);
    expire_list(&queue->filling, now_ms);
    drop_expired(queue);
    queue_flush(queue); /* Redis may be back */
}

/* --- the public face -------------------------------------------------------- */

static enum err_code add_job(struct group *group, const struct buf *job)
{
    char length[24];
    int len = snprintf(length, sizeof(length), "$%zu\r\n", job->len);
    enum err_code code = buf_reserve(&group->wire, (size_t)len + job->len + 2);

    if (!code)
        code = buf_add(&group->wire, length, (size_t)len);
    if (!code)
        code = buf_add(&group->wire, job->data, job->len);
    if (!code)
        code = buf_add(&group->wire, "\r\n", 2);
    return code;
}

enum err_code queue_push(struct queue *queue, const struct event *event,
                         struct http_request *req)
{
    struct group *group;
    size_t before;
    enum err_code code;

    if (queue->pending_bytes >= (size_t)queue->options.pending_max_bytes)
        return ERR_BUSY;
    buf_clear(&queue->job);
    code = event_format_job(event, &queue->job);
    if (code)
        return code;
    group = group_to_fill(queue);
    if (!group || group_reserve(group) != ERR_OK)
        return ERR_NOMEM;
    before = group->wire.len;
    code = add_job(group, &queue->job);
    if (code)
        return code == ERR_TOO_BIG ? ERR_BUSY : code;
    http_wait(req);
    group->waiters[group->count++] = (struct waiter){
        .req = req,
        /* A tenth of the time is kept back, so that the 503 arrives inside it. */
        .deadline_ms = (int64_t)uv_now(queue->loop) + queue->options.timeout_ms -
                       queue->options.timeout_ms / 10,
        .offset = before,
    };
    queue->pending_bytes += group->wire.len - before;
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
    buf_init(&queue->job, JOB_MAX);
    (void)uv_timer_init(loop, &queue->tick);
    queue->tick.data = queue;
    (void)uv_timer_start(&queue->tick, on_tick, TICK_MS, TICK_MS);
    *ret_queue = queue;
    return ERR_OK;
}

static void free_list(struct group_list *list)
{
    struct group *group;

    while ((group = list_take(list)) != NULL) {
        group_answer(group, false);
        group_free(group);
    }
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct queue *queue = handle->data;
    void (*on_stopped)(void *user) = queue->on_stopped;
    void *user = queue->stopped_user;

    buf_release(&queue->job);
    mem_free(queue);
    if (on_stopped)
        on_stopped(user);
}

void queue_stop(struct queue *queue, void (*on_stopped)(void *user), void *user)
{
    queue->on_stopped = on_stopped;
    queue->stopped_user = user;
    free_list(&queue->filling);
    free_list(&queue->sent);
    free_list(&queue->spare);
    uv_close((uv_handle_t *)&queue->tick, on_tick_closed);
}
