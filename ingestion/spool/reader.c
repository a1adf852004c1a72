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
    NO_ROOM_MS = 250, /* after an event that Redis has no memory for */
    POLL_MS = 2000,   /* between two listings of a directory in which there was nothing */
    RETRY_MS = 2000,  /* until a file that could not be removed is tried again */
    WINDOW_BYTES = SEGMENT_RECORD_MAX,
    GROUP_BYTES = 2 * SEGMENT_JOBS_MAX, /* a record in Redis's form, and more */
    LOG_EVERY_MS = 10000,
};

enum spool_reader_state {
    IDLE,    /* no segment */
    WORKING, /* a task is in the thread pool */
    READY, /* the group waits for the breaker, or there is none because memory is short */
    SENT,  /* the group is under way */
    FINISHED /* the segment could not be removed yet */
};

enum task {
    LIST,
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

struct spool_reader {
    struct spool_reader_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    uv_work_t work;
    enum spool_reader_state state;
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
    struct log_limit failed_log;
    struct log_limit full_log;
};

/* --- tasks ------------------------------------------------------------------ */

static bool is_damaged(const struct account *account)
{
    return account->damaged_bytes > 0 || account->is_unreadable;
}

/* In a thread of the pool. */
static void work(uv_work_t *request)
{
    struct spool_reader *reader = request->data;

    switch (reader->task) {
    case LIST:
        reader->code = spool_files_take(reader->options.dir, &reader->file, &reader->err);
        break;
    case READ:
        reader->code = spool_files_read(&reader->file, reader->offset, reader->window,
                                        WINDOW_BYTES, &reader->window_len, &reader->err);
        break;
    case FINISH:
        reader->code = spool_files_finish(reader->options.dir, &reader->file,
                                          is_damaged(&reader->account), &reader->err);
        break;
    }
}

static void on_worked(uv_work_t *request, int status);

static void start(struct spool_reader *reader, enum task task)
{
    int status;

    reader->state = WORKING;
    reader->task = task;
    status = uv_queue_work(reader->loop, &reader->work, work, on_worked);
    assert(status == 0); /* fails only without a function */
}

static void wait_in(struct spool_reader *reader, enum spool_reader_state state,
                    int64_t wait_ms)
{
    reader->state = state;
    reader->wait_until_ms = (int64_t)uv_now(reader->loop) + wait_ms;
}

static void go_to(struct spool_reader *reader, struct place place)
{
    if (place.piece != reader->at.piece || place.piece == 0)
        reader->piece.len = 0;
    reader->at = place;
}

static void start_read(struct spool_reader *reader)
{
    reader->offset += (int64_t)reader->at.piece;
    go_to(reader, (struct place){.piece = 0});
    start(reader, READ);
}

/* --- sending ---------------------------------------------------------------- */

static void send_group(struct spool_reader *reader);

/* Forgets the group: all of it once more, later. */
static void go_back(struct spool_reader *reader)
{
    group_clear(reader->group);
    reader->account = reader->account_at_group;
    go_to(reader, reader->at_group);
}

static bool has_room(const struct spool_reader *reader, size_t len)
{
    const struct group *group = reader->group;
    size_t bytes = group_bytes(group);

    return group->count == 0 ||
           (group->count < (size_t)reader->options.group_max_events &&
            bytes + len <= SEGMENT_JOBS_MAX &&
            fit_has_room(&reader->fit, bytes, group->count, len));
}

/* Adds the rest of a record to the group; false when some has to wait for the next, or memory
 * ran out. */
static bool add_record(struct spool_reader *reader, const struct segment_piece *record)
{
    size_t offset = reader->at.job;
    const char *job;
    size_t len;

    while (segment_next_job(record, &offset, &job, &len)) {
        if (!has_room(reader, len))
            return false;
        if (group_add(reader->group, job, len) != ERR_OK) {
            go_back(reader);
            return false;
        }
        reader->at.job = offset;
    }
    return true;
}

static void note_damage(struct spool_reader *reader, size_t len)
{
    struct account *account = &reader->account;

    if (account->damaged_bytes == 0)
        account->damaged_at = reader->offset + (int64_t)reader->at.piece;
    account->damaged_bytes += (int64_t)len;
}

/* Fills the group from the window; returns what stands after it there. */
static struct segment_piece fill_group(struct spool_reader *reader)
{
    bool is_last = reader->window_len < WINDOW_BYTES;

    for (;;) {
        struct segment_piece piece = reader->piece;

        if (piece.len == 0)
            piece = segment_read(reader->window + reader->at.piece,
                                 reader->window_len - reader->at.piece, is_last);
        reader->piece = piece;
        if (piece.kind == SEGMENT_DAMAGED)
            note_damage(reader, piece.len);
        else if (piece.kind == SEGMENT_TORN)
            reader->account.torn_bytes = (int64_t)piece.len;
        else if (piece.kind != SEGMENT_RECORD || !add_record(reader, &piece))
            return piece;
        go_to(reader, (struct place){.piece = reader->at.piece + piece.len});
    }
}

/* Sends the next group, or goes on to what comes next. */
static void step(struct spool_reader *reader)
{
    struct segment_piece next;

    reader->at_group = reader->at;
    reader->account_at_group = reader->account;
    next = fill_group(reader);
    if (reader->group->count > 0 || next.kind == SEGMENT_RECORD)
        send_group(reader);
    else if (next.kind == SEGMENT_MORE)
        start_read(reader);
    else
        start(reader, FINISH);
}

/* The group once more, when the breaker is closed again; a smaller one, if that may help, at
 * once. */
static void on_refused(struct spool_reader *reader, enum err_code code)
{
    bool was_single = reader->group->count == 1;
    int64_t suppressed;

    go_back(reader);
    if (code != ERR_TOO_BIG)
        return;
    if (!was_single) {
        step(reader);
        return;
    }
    wait_in(reader, READY, NO_ROOM_MS);
    if (log_limit_allows(&reader->full_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "Redis has no memory for events of the spool",
                 LOG_FIELDS(log_int("suppressed", suppressed)));
}

static void on_reply(redisReply *reply, void *user)
{
    struct group *group = user;
    struct spool_reader *reader = group->owner;
    int64_t now_ms = (int64_t)uv_now(reader->loop);
    enum err_code code;
    struct err err;

    wait_in(reader, READY, 0);
    code = breaker_note(reader->options.breaker, reply, true, now_ms);
    if (!code && FAILPOINT("reader.confirmed", &err))
        code = ERR_TIMEOUT;
    fit_note(&reader->fit, code, group_bytes(group), group->count);
    metrics_note_group(reader->options.metrics, code, group->count > 1);
    if (code) {
        on_refused(reader, code);
        return;
    }
    reader->account.events += (int64_t)group->count;
    metric_add(&reader->options.metrics->enqueued, (int64_t)group->count);
    metric_add(&reader->options.metrics->fed, (int64_t)group->count);
    group_clear(group);
    step(reader);
}

static void send_group(struct spool_reader *reader)
{
    struct group *group = reader->group;
    struct err err;

    wait_in(reader, READY, 0);
    if (group->count == 0 ||
        breaker_poll(reader->options.breaker, (int64_t)uv_now(reader->loop)) !=
            BREAKER_CLOSED ||
        FAILPOINT("reader.send", &err) ||
        barrier_send(reader->options.barrier, group, true, on_reply) != ERR_OK)
        return;
    reader->state = SENT;
    redis_uv_flush(reader->options.redis);
}

/* --- the end of a segment --------------------------------------------------- */

static void log_failure(struct spool_reader *reader, const char *msg)
{
    int64_t suppressed;

    if (log_limit_allows(&reader->failed_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_ERROR, msg,
                 LOG_FIELDS(log_text("reason", reader->err.msg),
                            log_int("suppressed", suppressed)));
}

static void log_finished(const struct spool_reader *reader)
{
    const struct account *account = &reader->account;
    struct log_field file = log_text("file", reader->file.name);
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

static void forget_segment(struct spool_reader *reader)
{
    mem_free(reader->window);
    reader->window = NULL;
    reader->offset = 0;
    go_to(reader, (struct place){.piece = 0});
    reader->account = (struct account){.events = 0};
}

static void on_listed(struct spool_reader *reader)
{
    if (reader->code) {
        if (reader->code != ERR_NOT_FOUND)
            log_failure(reader, "could not look into the spool");
        else if (reader->fed > 0)
            log_line(LOG_INFO, "the spool is empty again",
                     LOG_FIELDS(log_int("events", reader->fed)));
        reader->fed = 0;
        wait_in(reader, IDLE, POLL_MS);
        return;
    }
    reader->window = mem_alloc(WINDOW_BYTES);
    if (!reader->window) {
        spool_files_release(&reader->file);
        wait_in(reader, IDLE, POLL_MS);
        return;
    }
    start_read(reader);
}

static void on_finished(struct spool_reader *reader)
{
    if (reader->code) {
        log_failure(reader, "could not put a spool file away");
        wait_in(reader, FINISHED, RETRY_MS);
        return;
    }
    if (is_damaged(&reader->account))
        metric_add(&reader->options.metrics->spool_damaged, 1);
    log_finished(reader);
    reader->fed += reader->account.events;
    forget_segment(reader);
    start(reader, LIST);
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct spool_reader *reader = handle->data;
    void (*on_stopped)(void *user) = reader->on_stopped;
    void *user = reader->stopped_user;

    mem_free(reader);
    on_stopped(user);
}

static void finish_stop(struct spool_reader *reader)
{
    spool_files_release(&reader->file);
    forget_segment(reader);
    group_free(reader->group);
    reader->group = NULL;
    uv_close((uv_handle_t *)&reader->tick, on_tick_closed);
}

static void on_worked(uv_work_t *request, int status)
{
    struct spool_reader *reader = request->data;

    assert(status == 0); /* it is never cancelled */
    if (reader->on_stopped) {
        finish_stop(reader);
        return;
    }
    switch (reader->task) {
    case LIST:
        on_listed(reader);
        break;
    case READ:
        if (reader->code) {
            log_failure(reader, "could not read a spool file");
            reader->account.is_unreadable = true;
            start(reader, FINISH);
        } else {
            step(reader);
        }
        break;
    case FINISH:
        on_finished(reader);
        break;
    }
}

/* --- life ------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct spool_reader *reader = timer->data;
    int64_t now_ms = (int64_t)uv_now(reader->loop);

    if (reader->options.shows_bytes)
        metric_set(&reader->options.metrics->spool_bytes,
                   spool_files_bytes(reader->options.dir));
    if (reader->state == FINISHED && now_ms >= reader->wait_until_ms)
        start(reader, FINISH);
    if (breaker_poll(reader->options.breaker, now_ms) != BREAKER_CLOSED)
        return;
    if (reader->state == READY && reader->group->count > 0)
        send_group(reader);
    else if (reader->state == READY && now_ms >= reader->wait_until_ms)
        step(reader); /* perhaps there is memory now */
    /* With nothing to feed, what this loop has written itself is next. */
    else if (reader->state == IDLE && (spool_writer_let_go(reader->options.spool) ||
                                       now_ms >= reader->wait_until_ms))
        start(reader, LIST);
}

enum err_code spool_reader_start(uv_loop_t *loop,
                                 const struct spool_reader_options *options,
                                 struct spool_reader **ret_reader, struct err *err)
{
    struct spool_reader *reader = mem_calloc(1, sizeof(*reader));

    if (reader)
        reader->group = group_new(reader, GROUP_BYTES);
    if (!reader || !reader->group) {
        mem_free(reader);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    reader->options = *options;
    reader->loop = loop;
    reader->file.fd = -1;
    reader->work.data = reader;
    (void)uv_timer_init(loop, &reader->tick);
    reader->tick.data = reader;
    (void)uv_timer_start(&reader->tick, on_tick, 0, TICK_MS);
    *ret_reader = reader;
    return ERR_OK;
}

void spool_reader_stop(struct spool_reader *reader, void (*on_stopped)(void *user),
                       void *user)
{
    reader->on_stopped = on_stopped;
    reader->stopped_user = user;
    (void)uv_timer_stop(&reader->tick); /* the breaker is of no use without Redis */
    if (reader->state != WORKING)
        finish_stop(reader);
}
