/* reader.c -- see reader.h. */
#include "ingestion/spool/reader.h"

#include <assert.h>
#include <stddef.h>

#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/fit.h"
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
    REST_MS = 250,   /* after an event that Redis has no memory for */
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

/* A piece of the window, and the job in it: a record may be more than Redis takes at once. */
struct place {
    size_t piece;
    size_t job;
};

struct feeder {
    struct feeder_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    uv_work_t work;
    enum feeder_state state;
    int64_t wait_until_ms; /* of IDLE, FINISHED and READY */
    struct group *group;   /* owned */
    struct fit fit;

    /* The segment; the thread's while a task is in the pool. */
    struct spool_file file;
    char *window; /* owned; a part of the file, NULL without a segment */
    size_t window_len;
    int64_t offset;             /* of the window in the file */
    struct place at;            /* in the window: what comes next */
    struct place at_group;      /* in the window: where the group begins */
    struct segment_piece piece; /* what stands at `at`; none (len 0) until it is read */
    struct account account;
    struct account account_at_group;
    enum task task;
    enum err_code code;
    struct err err;

    int64_t fed; /* since the spool was last empty */
    void (*on_stopped)(void *user);
    void *stopped_user;
    struct log_gate failed_log;
    struct log_gate full_log;
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

static void go_to(struct feeder *feeder, struct place place)
{
    if (place.piece != feeder->at.piece || place.piece == 0)
        feeder->piece.len = 0;
    feeder->at = place;
}

static void start_read(struct feeder *feeder)
{
    feeder->offset += (int64_t)feeder->at.piece;
    go_to(feeder, (struct place){.piece = 0});
    start(feeder, READ);
}

/* --- sending ---------------------------------------------------------------- */

static void send_group(struct feeder *feeder);

/* Forgets the group: all of it once more, later. */
static void go_back(struct feeder *feeder)
{
    group_clear(feeder->group);
    feeder->account = feeder->account_at_group;
    go_to(feeder, feeder->at_group);
}

static bool has_room(const struct feeder *feeder, size_t len)
{
    const struct group *group = feeder->group;
    size_t bytes = group_bytes(group);

    return group->count == 0 ||
           (group->count < (size_t)feeder->options.group_max_events &&
            bytes + len <= SEGMENT_JOBS_MAX &&
            fit_has_room(&feeder->fit, bytes, group->count, len));
}

/* Adds the rest of a record to the group; false when some has to wait for the next, or memory
 * ran out. */
static bool add_record(struct feeder *feeder, const struct segment_piece *record)
{
    size_t offset = feeder->at.job;
    const char *job;
    size_t len;

    while (segment_next_job(record, &offset, &job, &len)) {
        if (!has_room(feeder, len))
            return false;
        if (group_add(feeder->group, job, len, NULL, 0) != ERR_OK) {
            go_back(feeder);
            return false;
        }
        feeder->at.job = offset;
    }
    return true;
}

static void note_damage(struct feeder *feeder, size_t len)
{
    struct account *account = &feeder->account;

    if (account->damaged_bytes == 0)
        account->damaged_at = feeder->offset + (int64_t)feeder->at.piece;
    account->damaged_bytes += (int64_t)len;
}

/* Fills the group from the window; returns what stands behind it there. */
static struct segment_piece fill_group(struct feeder *feeder)
{
    bool is_last = feeder->window_len < WINDOW_BYTES;

    for (;;) {
        struct segment_piece piece = feeder->piece;

        if (piece.len == 0)
            piece = segment_read(feeder->window + feeder->at.piece,
                                 feeder->window_len - feeder->at.piece, is_last);
        feeder->piece = piece;
        if (piece.kind == SEGMENT_DAMAGED)
            note_damage(feeder, piece.len);
        else if (piece.kind == SEGMENT_TORN)
            feeder->account.torn_bytes = (int64_t)piece.len;
        else if (piece.kind != SEGMENT_RECORD || !add_record(feeder, &piece))
            return piece;
        go_to(feeder, (struct place){.piece = feeder->at.piece + piece.len});
    }
}

/* Sends the next group, or goes on to what comes next. */
static void step(struct feeder *feeder)
{
    struct segment_piece next;

    feeder->at_group = feeder->at;
    feeder->account_at_group = feeder->account;
    next = fill_group(feeder);
    if (feeder->group->count > 0 || next.kind == SEGMENT_RECORD)
        send_group(feeder);
    else if (next.kind == SEGMENT_MORE)
        start_read(feeder);
    else
        start(feeder, FINISH);
}

/* The group once more, when the gate is open: a smaller one, if that may help, at once. */
static void on_refused(struct feeder *feeder, enum err_code code)
{
    bool was_single = feeder->group->count == 1;
    int64_t suppressed;

    go_back(feeder);
    if (code != ERR_TOO_BIG)
        return;
    if (!was_single) {
        step(feeder);
        return;
    }
    wait_in(feeder, READY, REST_MS);
    if (log_gate_open(&feeder->full_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "Redis has no memory for events of the spool",
                 LOG_FIELDS(log_int("suppressed", suppressed)));
}

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct feeder *feeder = group->owner;
    int64_t now_ms = (int64_t)uv_now(feeder->loop);
    enum err_code code;
    struct err err;

    wait_in(feeder, READY, 0);
    code = gate_note(feeder->options.gate, reply, true, now_ms);
    if (!code && FAILPOINT("feeder.confirmed", &err))
        code = ERR_TIMEOUT;
    fit_note(&feeder->fit, code, group_bytes(group), group->count);
    metrics_note_group(feeder->options.metrics, code, group->count > 1);
    if (code) {
        on_refused(feeder, code);
        return;
    }
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

    wait_in(feeder, READY, 0);
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
    go_to(feeder, (struct place){.piece = 0});
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
    else if (feeder->state == READY && now_ms >= feeder->wait_until_ms)
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
