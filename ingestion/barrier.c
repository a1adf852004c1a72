/* barrier.c -- see barrier.h.
 *
 *   SENT --reply--> REPLIED --INFO says written--> passed on
 *                      +--INFO says not yet--> HELD --a later INFO says written--> passed on
 *
 * The INFO of a command comes behind it on the same connection, and Redis creates no new
 * fsync between an INFO and the write at the end of its turn, so "no fsync under way" at
 * the INFO means that this write is not postponed (flushAppendOnlyFile() in Redis 7's
 * aof.c).
 */
#include "ingestion/barrier.h"

#include <string.h>

#include "shared/mem.h"

enum {
    ASK_AGAIN_MS = 2, /* while an fsync is under way */
};

static const char info_command[] = "*2\r\n$4\r\nINFO\r\n$11\r\npersistence\r\n";
static const char info_pending[] = "aof_pending_bio_fsync:";

/* A command on its way. */
struct push {
    struct push *next; /* among the held ones */
    struct barrier *barrier;
    redis_uv_reply_fn fn; /* NULL once it was called */
    void *user;
    redisReply reply; /* the command's: a number, so nothing hangs on it */
    bool has_info;    /* an INFO is behind it; otherwise memory was short */
};

struct barrier {
    struct barrier_options options;
    bool is_asking;      /* an INFO for the held ones is on its way */
    bool is_out_of_step; /* nothing is believed until the connection is another one */
    struct push *first;  /* held: replied, and not known to be written */
    struct push *last;
    uint64_t connection; /* on which they were replied */
    int64_t held_ms;     /* since when the first of them */
    uv_timer_t again;
    void (*on_stopped)(void *user);
    void *stopped_user;
};

static void on_again(uv_timer_t *timer);

/* Whether Redis may not, or cannot, tell. */
static bool tells_nothing(const redisReply *info)
{
    static const char may_not[] = "NOPERM";
    static const char cannot[] = "ERR unknown command";

    return info->type == REDIS_REPLY_ERROR &&
           (strncmp(info->str, may_not, sizeof(may_not) - 1) == 0 ||
            strncmp(info->str, cannot, sizeof(cannot) - 1) == 0);
}

/* What an INFO says: whether all that Redis has answered up to it is in its file.  A Redis
 * that does not tell (no append-only file, or no permission) is believed. */
static bool says_written(const redisReply *info)
{
    const char *at;

    if (info->type == REDIS_REPLY_ERROR)
        return true;
    at = strstr(info->str, info_pending);
    return !at || at[sizeof(info_pending) - 1] == '0';
}

/* Whether the answer is one to INFO.  Otherwise an answer that nobody asked for came
 * before it, and every one since belongs to the command before; the connection is made
 * anew, from the timer, because whoever waits on it is in the middle of being told. */
static bool is_in_step(struct barrier *barrier, const redisReply *info)
{
    if (info->type != REDIS_REPLY_STRING && !tells_nothing(info)) {
        barrier->is_out_of_step = true;
        (void)uv_timer_start(&barrier->again, on_again, 0, 0);
    }
    return !barrier->is_out_of_step;
}

/* Calls back once; reply NULL: unknown. */
static void pass_on(struct push *push, redisReply *reply)
{
    redis_uv_reply_fn fn = push->fn;

    push->fn = NULL;
    fn(reply, push->user);
}

/* Passes everything held on: as written, or as unknown.  Whoever is told may send again. */
static void release_held(struct barrier *barrier, bool is_written)
{
    struct push *push = barrier->first;

    barrier->first = barrier->last = NULL;
    while (push) {
        struct push *next = push->next;
        pass_on(push, is_written ? &push->reply : NULL);
        mem_free(push);
        push = next;
    }
}

/* Held ones of an earlier connection are unknown for good: theirs was lost meanwhile. */
static void hold(struct barrier *barrier, struct push *push)
{
    if (barrier->connection != redis_uv_connection(barrier->options.redis))
        release_held(barrier, false);
    if (!barrier->first)
        barrier->held_ms = (int64_t)uv_now(barrier->again.loop);
    push->next = NULL;
    barrier->connection = redis_uv_connection(barrier->options.redis);
    *(barrier->last ? &barrier->last->next : &barrier->first) = push;
    barrier->last = push;
    if (!uv_is_active((uv_handle_t *)&barrier->again))
        (void)uv_timer_start(&barrier->again, on_again, ASK_AGAIN_MS, 0);
}

/* --- the held ones ---------------------------------------------------------- */

static void on_held_info(redisReply *info, void *user)
{
    struct barrier *barrier = user;

    barrier->is_asking = false;
    if (!info || !is_in_step(barrier, info))
        release_held(barrier, false);
    else if (says_written(info))
        release_held(barrier, true);
    else
        (void)uv_timer_start(&barrier->again, on_again, ASK_AGAIN_MS, 0);
}

/* What another connection says, perhaps to a Redis that was killed in between, is nothing
 * to go by. */
static void ask(struct barrier *barrier)
{
    if (barrier->is_asking || !barrier->first)
        return;
    if (redis_uv_connection(barrier->options.redis) != barrier->connection ||
        redis_uv_send(barrier->options.redis, info_command, sizeof(info_command) - 1,
                      on_held_info, barrier) != ERR_OK) {
        release_held(barrier, false);
        return;
    }
    barrier->is_asking = true;
    redis_uv_flush(barrier->options.redis);
}

static void on_again(uv_timer_t *timer)
{
    struct barrier *barrier = timer->data;

    if (barrier->is_out_of_step) {
        redis_uv_reconnect(barrier->options.redis,
                           "the answers of Redis are out of step");
        barrier->is_out_of_step = false;
    }
    if ((int64_t)uv_now(timer->loop) - barrier->held_ms > barrier->options.hold_max_ms)
        release_held(barrier, false);
    ask(barrier);
}

/* --- one command ------------------------------------------------------------ */

static void on_reply(redisReply *reply, void *user)
{
    struct push *push = user;

    bool has_info = push->has_info;

    if (push->barrier->is_out_of_step)
        reply = NULL;
    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        push->reply = *reply; /* believed once its INFO is there */
        if (!has_info)
            hold(push->barrier, push);
        return;
    }
    /* Whoever is told may drop the connection, which answers the INFO and frees the push. */
    pass_on(push, reply);
    if (!has_info)
        mem_free(push);
}

static void on_info(redisReply *info, void *user)
{
    struct push *push = user;

    if (info && !is_in_step(push->barrier, info))
        info = NULL;
    if (push->fn && info && !says_written(info)) {
        hold(push->barrier, push);
        return;
    }
    if (push->fn)
        pass_on(push, info ? &push->reply : NULL);
    mem_free(push);
}

enum err_code barrier_send(struct barrier *barrier, const char *wire, size_t len,
                           redis_uv_reply_fn fn, void *user)
{
    struct push *push;
    enum err_code code;

    if (!barrier->options.is_on)
        return redis_uv_send(barrier->options.redis, wire, len, fn, user);
    push = mem_alloc(sizeof(*push));
    if (!push)
        return ERR_NOMEM;
    *push = (struct push){.barrier = barrier, .fn = fn, .user = user};
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

enum err_code barrier_start(uv_loop_t *loop, const struct barrier_options *options,
                            struct barrier **ret_barrier, struct err *err)
{
    struct barrier *barrier = mem_calloc(1, sizeof(*barrier));

    if (!barrier)
        return err_set(err, ERR_NOMEM, "out of memory");
    barrier->options = *options;
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

void barrier_stop(struct barrier *barrier, void (*on_stopped)(void *user), void *user)
{
    barrier->on_stopped = on_stopped;
    barrier->stopped_user = user;
    release_held(barrier, false);
    uv_close((uv_handle_t *)&barrier->again, on_closed);
}
