/* reader.c -- see reader.h. */
#include "ingestion/spool/reader.h"

#include <assert.h>
#include <stddef.h>

#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/group.h"
#include "ingestion/metrics.h"
#include "ingestion/spool/files.h"
#include "ingestion/spool/segment.h"
#include "ingestion/spool/writer.h"
#include "shared/base/failpoint.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/redis/uv.h"

enum {
    TICK_MS = 50,
    LOOK_MS = 2000,  /* between looks at a directory in which there was nothing */
    RETRY_MS = 2000, /* until a file that could not be removed is tried again */
    WINDOW_BYTES = SEGMENT_RECORD_MAX,
    GROUP_BYTES = 2 * SEGMENT_JOBS_MAX, /* a record in Redis's form, and more */
    LOG_EVERY_MS = 10000,
};

enum feeder_state {
    IDLE,    /* no segment */
    WORKING, /* a task is in the thread pool */
    READY,   /* the group waits for the gate, or there is none for want of memory */
    SENT,    /* the group is under way */
    FINISHED /* the segment could not be removed yet */
};

enum task {
    LOOK,
    READ,
    FINISH
};

/* What there was to say about a segment. */
struct account {
    int64_t events;
    int64_t damaged_bytes;
    int64_t damaged_at; /* where the first of them stand */
    int64_t torn_bytes;
    bool is_unreadable;
};

struct feeder {
    struct feeder_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    uv_work_t work;
    enum feeder_state state;
    int64_t wait_until_ms; /* of IDLE and FINISHED */
    struct group *group;   /* owned */

    /* The segment; the thread's while a task is in the pool. */
    struct spool_file file;
    char *window; /* owned; a part of the file, NULL without a segment */
    size_t window_len;
    int64_t offset;  /* of the window in the file */
    size_t at;       /* in the window: what comes next */
    size_t at_group; /* in the window: where the group begins */
    struct account account;
    enum task task;
    enum err_code code;
    struct err err;

    int64_t fed; /* since the spool was last empty */
    void (*on_stopped)(void *user);
    void *stopped_user;
    struct log_gate failed_log;
};

/* --- tasks ------------------------------------------------------------------ */

static bool is_damaged(const struct account *account)
{
    return account->damaged_bytes > 0 || account->is_unreadable;
}

/* In a thread of the pool. */
static void work(uv_work_t *request)
{
    struct feeder *feeder = request->data;

    switch (feeder->task) {
    case LOOK:
        feeder->code = spool_dir_take(feeder->options.dir, &feeder->file, &feeder->err);
        break;
    case READ:
        feeder->code = spool_dir_read(&feeder->file, feeder->offset, feeder->window,
                                      WINDOW_BYTES, &feeder->window_len, &feeder->err);
        break;
    case FINISH:
        feeder->code = spool_dir_finish(feeder->options.dir, &feeder->file,
                                        is_damaged(&feeder->account), &feeder->err);
        break;
    }
}

static void on_worked(uv_work_t *request, int status);

static void start(struct feeder *feeder, enum task task)
{
    int status;

    feeder->state = WORKING;
    feeder->task = task;
    status = uv_queue_work(feeder->loop, &feeder->work, work, on_worked);
    assert(status == 0); /* fails only without a function */
}

static void wait_in(struct feeder *feeder, enum feeder_state state, int64_t wait_ms)
{
    feeder->state = state;
    feeder->wait_until_ms = (int64_t)uv_now(feeder->loop) + wait_ms;
}

static void start_read(struct feeder *feeder)
{
    feeder->offset += (int64_t)feeder->at;
    feeder->at = 0;
    feeder->at_group = 0;
    start(feeder, READ);
}

/* --- sending ---------------------------------------------------------------- */

static void send_group(struct feeder *feeder);

/* Adds a record to the group; false when it has to wait for the next, or memory ran out. */
static bool add_record(struct feeder *feeder, const struct segment_piece *record)
{
    struct group *group = feeder->group;
    size_t offset = 0;
    const char *job;
    size_t len;

    if (group->count > 0 &&
        (group->count + record->count > (size_t)feeder->options.group_max_events ||
         group_bytes(group) + record->jobs_len > SEGMENT_JOBS_MAX))
        return false;
    while (segment_next_job(record, &offset, &job, &len)) {
        if (group_add(group, job, len, NULL, 0) != ERR_OK) {
            feeder->at = feeder->at_group; /* all of it once more, later */
            group_clear(group);
            return false;
        }
    }
    return true;
}

static void note_damage(struct feeder *feeder, size_t len)
{
    struct account *account = &feeder->account;

    if (account->damaged_bytes == 0)
        account->damaged_at = feeder->offset + (int64_t)feeder->at;
    account->damaged_bytes += (int64_t)len;
}

/* Fills the group from the window; returns what stands behind it there. */
static struct segment_piece fill_group(struct feeder *feeder)
{
    bool is_last = feeder->window_len < WINDOW_BYTES;

    for (;;) {
        struct segment_piece piece = segment_read(
            feeder->window + feeder->at, feeder->window_len - feeder->at, is_last);
        if (piece.kind == SEGMENT_DAMAGED)
            note_damage(feeder, piece.len);
        else if (piece.kind == SEGMENT_TORN)
            feeder->account.torn_bytes = (int64_t)piece.len;
        else if (piece.kind != SEGMENT_RECORD || !add_record(feeder, &piece))
            return piece;
        feeder->at += piece.len;
    }
}

/* Sends the next group, or goes on to what comes next. */
static void step(struct feeder *feeder)
{
    struct segment_piece next;

    feeder->at_group = feeder->at;
    next = fill_group(feeder);
    if (feeder->group->count > 0 || next.kind == SEGMENT_RECORD)
        send_group(feeder);
    else if (next.kind == SEGMENT_MORE)
        start_read(feeder);
    else
        start(feeder, FINISH);
}

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct feeder *feeder = group->owner;
    int64_t now_ms = (int64_t)uv_now(feeder->loop);
    struct err err;

    feeder->state = READY;
    if (gate_note(feeder->options.gate, reply, now_ms) != ERR_OK ||
        FAILPOINT("feeder.confirmed", &err))
        return; /* once more, when the gate is open */
    feeder->account.events += (int64_t)group->count;
    metric_add(&feeder->options.metrics->enqueued, (int64_t)group->count);
    metric_add(&feeder->options.metrics->fed, (int64_t)group->count);
    group_clear(group);
    step(feeder);
}

static void send_group(struct feeder *feeder)
{
    struct group *group = feeder->group;
    struct err err;

    feeder->state = READY;
    if (group->count == 0 ||
        gate_look(feeder->options.gate, (int64_t)uv_now(feeder->loop)) != GATE_OPEN ||
        FAILPOINT("feeder.send", &err) ||
        barrier_send(feeder->options.barrier, group, true, on_reply) != ERR_OK)
        return;
    feeder->state = SENT;
    redis_uv_flush(feeder->options.redis);
}

/* --- the end of a segment --------------------------------------------------- */

static void log_failure(struct feeder *feeder, const char *msg)
{
    int64_t suppressed;

    if (log_gate_open(&feeder->failed_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_ERROR, msg,
                 LOG_FIELDS(log_text("reason", feeder->err.msg),
                            log_int("suppressed", suppressed)));
}

static void log_finished(const struct feeder *feeder)
{
    const struct account *account = &feeder->account;
    struct log_field file = log_text("file", feeder->file.name);
    struct log_field events = log_int("events", account->events);

    if (is_damaged(account))
        log_line(LOG_ERROR, "a spool file is damaged; it is kept, what verifies was fed",
                 LOG_FIELDS(file, events,
                            log_int("damaged_bytes", account->damaged_bytes),
                            log_int("at", account->damaged_at)));
    else if (account->torn_bytes > 0)
        log_line(LOG_WARN, "cut off the torn end of a spool file",
                 LOG_FIELDS(file, events, log_int("torn_bytes", account->torn_bytes)));
    else
        log_line(LOG_DEBUG, "fed a spool file", LOG_FIELDS(file, events));
}

static void forget_segment(struct feeder *feeder)
{
    mem_free(feeder->window);
    feeder->window = NULL;
    feeder->offset = 0;
    feeder->at = 0;
    feeder->account = (struct account){.events = 0};
}

static void on_looked(struct feeder *feeder)
{
    if (feeder->code) {
        if (feeder->code != ERR_NOT_FOUND)
            log_failure(feeder, "could not look into the spool");
        else if (feeder->fed > 0)
            log_line(LOG_INFO, "the spool is empty again",
                     LOG_FIELDS(log_int("events", feeder->fed)));
        feeder->fed = 0;
        wait_in(feeder, IDLE, LOOK_MS);
        return;
    }
    feeder->window = mem_alloc(WINDOW_BYTES);
    if (!feeder->window) {
        spool_dir_release(&feeder->file);
        wait_in(feeder, IDLE, LOOK_MS);
        return;
    }
    start_read(feeder);
}

static void on_finished(struct feeder *feeder)
{
    if (feeder->code) {
        log_failure(feeder, "could not put a spool file away");
        wait_in(feeder, FINISHED, RETRY_MS);
        return;
    }
    if (is_damaged(&feeder->account))
        metric_add(&feeder->options.metrics->spool_damaged, 1);
    log_finished(feeder);
    feeder->fed += feeder->account.events;
    forget_segment(feeder);
    start(feeder, LOOK);
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct feeder *feeder = handle->data;
    void (*on_stopped)(void *user) = feeder->on_stopped;
    void *user = feeder->stopped_user;

    mem_free(feeder);
    on_stopped(user);
}

static void finish_stop(struct feeder *feeder)
{
    spool_dir_release(&feeder->file);
    forget_segment(feeder);
    group_free(feeder->group);
    feeder->group = NULL;
    uv_close((uv_handle_t *)&feeder->tick, on_tick_closed);
}

static void on_worked(uv_work_t *request, int status)
{
    struct feeder *feeder = request->data;

    assert(status == 0); /* it is never cancelled */
    if (feeder->on_stopped) {
        finish_stop(feeder);
        return;
    }
    switch (feeder->task) {
    case LOOK:
        on_looked(feeder);
        break;
    case READ:
        if (feeder->code) {
            log_failure(feeder, "could not read a spool file");
            feeder->account.is_unreadable = true;
            start(feeder, FINISH);
        } else {
            step(feeder);
        }
        break;
    case FINISH:
        on_finished(feeder);
        break;
    }
}

/* --- life ------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct feeder *feeder = timer->data;
    int64_t now_ms = (int64_t)uv_now(feeder->loop);

    if (feeder->options.shows_bytes)
        metric_set(&feeder->options.metrics->spool_bytes,
                   spool_dir_bytes(feeder->options.dir));
    if (feeder->state == FINISHED && now_ms >= feeder->wait_until_ms)
        start(feeder, FINISH);
    if (gate_look(feeder->options.gate, now_ms) != GATE_OPEN)
        return;
    if (feeder->state == READY && feeder->group->count > 0)
        send_group(feeder);
    else if (feeder->state == READY)
        step(feeder); /* perhaps there is memory now */
    /* With nothing to feed, what this loop has written itself is next. */
    else if (feeder->state == IDLE &&
             (spool_let_go(feeder->options.spool) || now_ms >= feeder->wait_until_ms))
        start(feeder, LOOK);
}

enum err_code feeder_start(uv_loop_t *loop, const struct feeder_options *options,
                           struct feeder **ret_feeder, struct err *err)
{
    struct feeder *feeder = mem_calloc(1, sizeof(*feeder));

    if (feeder)
        feeder->group = group_new(feeder, GROUP_BYTES);
    if (!feeder || !feeder->group) {
        mem_free(feeder);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    feeder->options = *options;
    feeder->loop = loop;
    feeder->file.fd = -1;
    feeder->work.data = feeder;
    (void)uv_timer_init(loop, &feeder->tick);
    feeder->tick.data = feeder;
    (void)uv_timer_start(&feeder->tick, on_tick, 0, TICK_MS);
    *ret_feeder = feeder;
    return ERR_OK;
}

void feeder_stop(struct feeder *feeder, void (*on_stopped)(void *user), void *user)
{
    feeder->on_stopped = on_stopped;
    feeder->stopped_user = user;
    (void)uv_timer_stop(&feeder->tick); /* the gate is of no use without Redis */
    if (feeder->state != WORKING)
        finish_stop(feeder);
}
