/* barrier.c -- see barrier.h.
 *
 * The states of a group and of the question are drawn in barrier_states.h.
 *
 * The INFO of a group comes after it on the same connection, and Redis creates no new
 * fsync between an INFO and the write at the end of its turn, so "no fsync under way" at
 * the INFO means that this write is not postponed (flushAppendOnlyFile() in Redis 7's
 * aof.c).  Whatever was replied on that connection before is written then, too: all that
 * is held, and all that stands in the stopgap, because when the connection is another one
 * the stopgap is let go of.  For these a second INFO, sent when the first is there and so
 * read in a later turn, says whether that write has failed: then Redis has kept the bytes,
 * refuses further ones, and tries again.
 */
#include "ingestion/commit/barrier.h"

#include <assert.h>
#include <sys/queue.h>

#include "ingestion/commit/barrier_states.h"
#include "ingestion/commit/group.h"
#include "ingestion/metrics.h"
#include "ingestion/spool/stopgap.h"
#include "shared/base/mem.h"

enum {
    ASK_AGAIN_MS = 1, /* while an fsync is under way */
};

static const char info_command[] = "*2\r\n$4\r\nINFO\r\n$11\r\npersistence\r\n";

/* A group on its way. */
struct push {
    STAILQ_ENTRY(push) entry;
    struct barrier *barrier;
    redis_uv_reply_fn fn;
    struct group *group;
    redisReply reply;      /* the group's: a number, so nothing hangs on it */
    enum push_state state; /* written by set_state() alone */
    bool has_info;         /* an INFO follows it; otherwise memory was short */
    bool is_spooled;       /* nothing for the stopgap */
    int64_t held_ms;       /* since when it is held */
};

STAILQ_HEAD(push_list, push);

struct barrier {
    struct barrier_options options;
    enum question question; /* of the held ones */
    bool is_out_of_step;    /* nothing is believed until the connection is another one */
    bool is_covered_lost;   /* what Redis says is not about the covered ones any more */
    struct push_list held;  /* HELD and TRIED: not known to be written */
    struct push_list covered; /* COVERED: likewise, and in the append of the stopgap */
    uint64_t connection;      /* on which they, and the stopgap's, were replied */
    struct stopgap *gap;      /* owned; NULL: none */
    uv_timer_t again;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

static void on_again(uv_timer_t *timer);
static void ask(struct barrier *barrier);

static void set_state(struct push *push, enum push_state state)
{
    assert(push_may_become(push->state, state));
    push->state = state;
}

static void note(struct barrier *barrier, enum question_event event)
{
    barrier->question = question_next(barrier->question, event);
}

/* What an answer to INFO says. */
static struct info_word word_of(const redisReply *info)
{
    return info->type == REDIS_REPLY_STRING ? info_read(info->str)
                                            : (struct info_word){.is_pending = false};
}

/* Whether all that Redis has answered up to this INFO is in its file. */
static bool says_written(const redisReply *info)
{
    struct info_word word = word_of(info);

    return !word.is_pending && !word.has_failed;
}

/* Whether the answer is one to INFO.  Otherwise an answer that nobody asked for came
 * before it, and every one since belongs to the command before; the connection is made
 * anew, from the timer, because whoever waits on it is in the middle of being told. */
static bool is_in_step(struct barrier *barrier, const redisReply *info)
{
    bool is_answer = info->type == REDIS_REPLY_STRING ||
                     (info->type == REDIS_REPLY_ERROR && info_is_refused(info->str));

    if (!is_answer) {
        barrier->is_out_of_step = true;
        (void)uv_timer_start(&barrier->again, on_again, 0, 0);
    }
    return !barrier->is_out_of_step;
}

static struct push *list_take(struct push_list *list)
{
    struct push *push = STAILQ_FIRST(list);

    if (push)
        STAILQ_REMOVE_HEAD(list, entry);
    return push;
}

/* Holds them in front of what came later. */
static void put_in_front(struct barrier *barrier, struct push_list *list)
{
    struct push *push;

    STAILQ_FOREACH (push, list, entry)
        set_state(push, question_is_tried(barrier->question) ? PUSH_TRIED : PUSH_HELD);
    STAILQ_CONCAT(list, &barrier->held);
    STAILQ_CONCAT(&barrier->held, list);
}

/* Passes all of them on: as written, or as unknown.  Whoever is told may send again. */
static void release(struct push_list *list, bool is_written)
{
    struct push_list released = STAILQ_HEAD_INITIALIZER(released);
    struct push *push;

    STAILQ_CONCAT(&released, list);
    while ((push = list_take(&released)) != NULL) {
        push->fn(is_written ? &push->reply : NULL, push->group);
        mem_free(push);
    }
}

static void poll_again(struct barrier *barrier)
{
    if (!uv_is_active((uv_handle_t *)&barrier->again))
        (void)uv_timer_start(&barrier->again, on_again, ASK_AGAIN_MS, 0);
}

/* The connection of the held ones is gone, or not to be believed: they are unknown for
 * good.  What the stopgap has is fed, and so is what it is about to have; those who wait for
 * that do not wait for ever. */
static void lose_held(struct barrier *barrier)
{
    barrier->is_covered_lost = !STAILQ_EMPTY(&barrier->covered);
    note(barrier, QUESTION_ON_FORGET);
    if (barrier->is_covered_lost)
        poll_again(barrier);
    if (barrier->gap)
        stopgap_let_go(barrier->gap);
    release(&barrier->held, false);
}

static bool is_waiting(const struct barrier *barrier)
{
    return !STAILQ_EMPTY(&barrier->held) ||
           (barrier->gap && stopgap_is_filled(barrier->gap));
}

/* No fsync is under way, so at the end of its turn Redis writes all that was replied on this
 * connection so far; or fails to, which only an INFO of a later turn can say. */
static void note_tried(struct barrier *barrier)
{
    struct push *push;

    if (barrier->connection != redis_uv_connection(barrier->options.redis)) {
        lose_held(barrier);
        return;
    }
    if (question_is_tried(barrier->question) || !is_waiting(barrier))
        return;
    note(barrier, QUESTION_ON_TURN);
    STAILQ_FOREACH (push, &barrier->held, entry)
        set_state(push, PUSH_TRIED);
    ask(barrier);
}

/* What was tried has succeeded, or will be tried again. */
static void note_checked(struct barrier *barrier, bool is_written)
{
    struct push_list written = STAILQ_HEAD_INITIALIZER(written);
    struct push *push;

    while ((push = STAILQ_FIRST(&barrier->held)) != NULL && push->state == PUSH_TRIED) {
        STAILQ_REMOVE_HEAD(&barrier->held, entry);
        STAILQ_INSERT_TAIL(&written, push, entry);
    }
    if (!is_written) {
        put_in_front(barrier, &written);
        return;
    }
    if (barrier->gap)
        stopgap_discard(barrier->gap);
    if (!barrier->is_covered_lost)
        release(&barrier->covered, true);
    release(&written, true);
}

/* --- the stopgap ------------------------------------------------------------ */

/* Has the stopgap write down what is held, as far as it takes it. */
static void cover(struct barrier *barrier)
{
    struct push_list held = STAILQ_HEAD_INITIALIZER(held);
    struct push *push;
    bool is_full = false;

    if (!barrier->gap || question_is_tried(barrier->question) ||
        !stopgap_is_ready(barrier->gap))
        return; /* tried: all that stands in the file may be about to go */
    STAILQ_CONCAT(&held, &barrier->held);
    while ((push = list_take(&held)) != NULL) {
        struct push_list *list = &barrier->held;
        bool is_covered = !is_full && !push->is_spooled &&
                          stopgap_add(barrier->gap, push->group) == ERR_OK;
        is_full = is_full || (!is_covered && !push->is_spooled);
        if (is_covered) {
            set_state(push, PUSH_COVERED);
            list = &barrier->covered;
        }
        STAILQ_INSERT_TAIL(list, push, entry);
    }
    if (!STAILQ_EMPTY(&barrier->covered))
        stopgap_append(barrier->gap);
}

static void on_covered(enum err_code code, void *user)
{
    struct barrier *barrier = user;
    struct push_list covered = STAILQ_HEAD_INITIALIZER(covered);
    bool is_lost = barrier->is_covered_lost;
    struct push *push;

    STAILQ_CONCAT(&covered, &barrier->covered);
    barrier->is_covered_lost = false;
    if (code && !is_lost) { /* held as before */
        put_in_front(barrier, &covered);
        return;
    }
    STAILQ_FOREACH (push, &covered, entry) {
        if (!code)
            metric_add(&barrier->options.metrics->stopgapped,
                       (int64_t)push->group->count);
    }
    release(&covered, !code);
}

static void on_gap_ready(void *user)
{
    cover(user);
}

/* --- the held ones ---------------------------------------------------------- */

static void hold(struct barrier *barrier, struct push *push)
{
    uint64_t connection = redis_uv_connection(barrier->options.redis);

    if (barrier->connection != connection)
        lose_held(barrier);
    barrier->connection = connection;
    set_state(push, PUSH_HELD);
    push->held_ms = (int64_t)uv_now(barrier->again.loop);
    STAILQ_INSERT_TAIL(&barrier->held, push, entry);
    poll_again(barrier);
    cover(barrier);
}

static void on_held_info(redisReply *info, void *user)
{
    struct barrier *barrier = user;
    bool is_checking = barrier->question == QUESTION_CHECKING;

    note(barrier, QUESTION_ON_ANSWER);
    if (!info || !is_in_step(barrier, info)) {
        lose_held(barrier);
        return;
    }
    if (is_checking)
        note_checked(barrier, !word_of(info).has_failed);
    if (says_written(info))
        note_tried(barrier);
    if (is_waiting(barrier))
        poll_again(barrier);
}

/* What another connection says, perhaps to a Redis that was killed in between, is nothing
 * to go by. */
static void ask(struct barrier *barrier)
{
    if (!is_waiting(barrier))
        note(barrier, QUESTION_ON_FORGET);
    if (question_is_asked(barrier->question) || !is_waiting(barrier))
        return;
    if (redis_uv_connection(barrier->options.redis) != barrier->connection ||
        redis_uv_send(barrier->options.redis, info_command, sizeof(info_command) - 1,
                      on_held_info, barrier) != ERR_OK) {
        lose_held(barrier);
        return;
    }
    note(barrier, QUESTION_ON_SENT);
    redis_uv_flush(barrier->options.redis);
}

static void release_late(struct barrier *barrier, struct push_list *list)
{
    const struct push *first = STAILQ_FIRST(list);
    int64_t now_ms = (int64_t)uv_now(barrier->again.loop);

    if (first && now_ms - first->held_ms > barrier->options.hold_max_ms)
        release(list, false);
}

static void on_again(uv_timer_t *timer)
{
    struct barrier *barrier = timer->data;

    if (barrier->is_out_of_step) {
        redis_uv_reconnect(barrier->options.redis,
                           "the answers of Redis are out of step");
        barrier->is_out_of_step = false;
    }
    release_late(barrier, &barrier->covered); /* the disk takes as long as Redis */
    release_late(barrier, &barrier->held);
    cover(barrier); /* perhaps the stopgap takes it now */
    ask(barrier);
    if (barrier->is_covered_lost && !STAILQ_EMPTY(&barrier->covered))
        poll_again(barrier); /* there is nothing to ask about them */
}

/* --- one group -------------------------------------------------------------- */

static void on_reply(redisReply *reply, void *user)
{
    struct push *push = user;
    bool has_info = push->has_info;

    if (push->barrier->is_out_of_step)
        reply = NULL;
    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        push->reply = *reply; /* believed once its INFO is there */
        if (has_info)
            set_state(push, PUSH_REPLIED);
        else
            hold(push->barrier, push);
        return;
    }
    /* Whoever is told may drop the connection, which answers the INFO and frees the push. */
    set_state(push, PUSH_TOLD);
    push->fn(reply, push->group);
    if (!has_info)
        mem_free(push);
}

static void on_info(redisReply *info, void *user)
{
    struct push *push = user;
    bool is_known = info && is_in_step(push->barrier, info);
    bool is_written = is_known && says_written(info);

    if (is_known && !is_written && push->state == PUSH_REPLIED) {
        hold(push->barrier, push);
        return;
    }
    if (is_written)
        note_tried(push->barrier);
    if (push->state == PUSH_REPLIED)
        push->fn(is_written ? &push->reply : NULL, push->group);
    mem_free(push);
}

enum err_code barrier_send(struct barrier *barrier, struct group *group, bool is_spooled,
                           redis_uv_reply_fn fn)
{
    size_t len;
    const char *wire = group_command(group, &len);
    struct push *push;
    enum err_code code;

    if (!barrier->options.is_on)
        return redis_uv_send(barrier->options.redis, wire, len, fn, group);
    push = mem_alloc(sizeof(*push));
    if (!push)
        return ERR_NOMEM;
    *push = (struct push){.barrier = barrier,
                          .fn = fn,
                          .group = group,
                          .state = PUSH_SENT,
                          .is_spooled = is_spooled};
    code = redis_uv_send(barrier->options.redis, wire, len, on_reply, push);
    if (code) {
        mem_free(push);
        return code;
    }
    push->has_info = redis_uv_send(barrier->options.redis, info_command,
                                   sizeof(info_command) - 1, on_info, push) == ERR_OK;
    return ERR_OK;
}

/* --- life ------------------------------------------------------------------- */

static enum err_code start_gap(struct barrier *barrier, uv_loop_t *loop, struct err *err)
{
    struct stopgap_options options = {
        .dir = barrier->options.spool_dir,
        .group_max_bytes = barrier->options.group_max_bytes,
        .on_appended = on_covered,
        .on_ready = on_gap_ready,
        .user = barrier,
    };

    if (!options.dir || !barrier->options.is_on)
        return ERR_OK;
    return stopgap_start(loop, &options, &barrier->gap, err);
}

enum err_code barrier_start(uv_loop_t *loop, const struct barrier_options *options,
                            struct barrier **ret_barrier, struct err *err)
{
    struct barrier *barrier = mem_calloc(1, sizeof(*barrier));

    if (!barrier)
        return err_set(err, ERR_NOMEM, "out of memory");
    barrier->options = *options;
    STAILQ_INIT(&barrier->held);
    STAILQ_INIT(&barrier->covered);
    if (start_gap(barrier, loop, err) != ERR_OK) {
        mem_free(barrier);
        return err->code;
    }
    (void)uv_timer_init(loop, &barrier->again);
    barrier->again.data = barrier;
    *ret_barrier = barrier;
    return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
    struct barrier *barrier = handle->data;
    void (*on_stopped)(void *user) = barrier->on_stopped;
    void *user = barrier->stopped_user;

    mem_free(barrier);
    if (on_stopped)
        on_stopped(user);
}

static void on_gap_stopped(void *user)
{
    struct barrier *barrier = user;

    uv_close((uv_handle_t *)&barrier->again, on_closed);
}

void barrier_stop(struct barrier *barrier, void (*on_stopped)(void *user), void *user)
{
    barrier->on_stopped = on_stopped;
    barrier->stopped_user = user;
    lose_held(barrier);
    (void)uv_timer_stop(&barrier->again);
    if (barrier->gap)
        stopgap_stop(barrier->gap, on_gap_stopped, barrier);
    else
        on_gap_stopped(barrier);
}
