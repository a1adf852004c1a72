/* writer.c -- see writer.h. */
#include "ingestion/spool/writer.h"

#include <assert.h>

#include "ingestion/spool/files.h"
#include "ingestion/spool/records.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"

enum {
    ROOM_MIN = EVENT_JOB_MAX + 4096, /* more than any job has */
    FULL_MS = 200,                   /* until a spool that had no room is tried again */
    FAILED_MS = 1000,                /* until a disk that failed is */
    LOG_EVERY_MS = 10000,
};

struct spool_writer {
    struct spool_writer_options options;
    uv_loop_t *loop; /* borrowed */
    uv_work_t work;
    struct buf gathered; /* records, for the next append */
    bool is_appending;
    bool has_failed;       /* the last append */
    int64_t idle_until_ms; /* after a failure */

    /* Of the append under way; the thread's until it is done. */
    struct spool_file file; /* the segment; none between outages */
    enum err_code code;
    struct err err;

    spool_appended_fn on_appended;
    void *appended_user;
    void (*on_stopped)(void *user);
    void *stopped_user;
    struct log_limit failed_log;
    struct log_limit begun_log;
};

enum err_code spool_writer_add(struct spool_writer *spool, const struct group *group)
{
    return records_add(&spool->gathered, group, spool_files_room(spool->options.dir));
}

/* --- appending -------------------------------------------------------------- */

/* In a thread of the pool. */
static void append(uv_work_t *work)
{
    struct spool_writer *spool = work->data;

    spool->code =
        spool_files_append(spool->options.dir, &spool->file, spool->gathered.data,
                           spool->gathered.len, &spool->err);
    if (!spool->code && spool->file.len >= spool->options.segment_bytes)
        spool_files_release(&spool->file);
}

static void note_failure(struct spool_writer *spool)
{
    bool is_full = spool->code == ERR_BUSY;
    int64_t suppressed;

    spool->idle_until_ms = (int64_t)uv_now(spool->loop) + (is_full ? FULL_MS : FAILED_MS);
    if (log_limit_allows(&spool->failed_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_ERROR, "could not put events into the spool",
                 LOG_FIELDS(log_text("reason", spool->err.msg),
                            log_int("suppressed", suppressed)));
}

static void finish_stop(struct spool_writer *spool)
{
    void (*on_stopped)(void *user) = spool->on_stopped;
    void *user = spool->stopped_user;

    spool_files_release(&spool->file);
    buf_release(&spool->gathered);
    mem_free(spool);
    on_stopped(user);
}

static void on_appended(uv_work_t *work, int status)
{
    struct spool_writer *spool = work->data;

    assert(status == 0); /* it is never cancelled */
    spool->is_appending = false;
    records_clear(&spool->gathered);
    spool->has_failed = spool->code != ERR_OK;
    if (spool->code)
        note_failure(spool);
    spool->on_appended(spool->code, spool->appended_user);
    if (spool->on_stopped)
        finish_stop(spool);
}

void spool_writer_append(struct spool_writer *spool, spool_appended_fn fn, void *user)
{
    int64_t suppressed;
    int status;

    assert(!spool->is_appending && spool->gathered.len > 0);
    if (spool->file.fd < 0 &&
        log_limit_allows(&spool->begun_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "events go to the spool", NULL);
    spool->on_appended = fn;
    spool->appended_user = user;
    spool->is_appending = true;
    status = uv_queue_work(spool->loop, &spool->work, append, on_appended);
    assert(status == 0); /* fails only without a function */
}

/* --- queries ---------------------------------------------------------------- */

bool spool_writer_is_working(const struct spool_writer *spool, int64_t now_ms)
{
    return !spool->on_stopped && now_ms >= spool->idle_until_ms;
}

bool spool_writer_is_ready(const struct spool_writer *spool, int64_t now_ms)
{
    return !spool->is_appending && spool_writer_is_working(spool, now_ms);
}

bool spool_writer_takes_events(const struct spool_writer *spool)
{
    return !spool->has_failed && spool_files_room(spool->options.dir) >= ROOM_MIN;
}

/* --- life ------------------------------------------------------------------- */

bool spool_writer_let_go(struct spool_writer *spool)
{
    if (spool->is_appending || spool->file.fd < 0)
        return false;
    spool_files_release(&spool->file);
    return true;
}

enum err_code spool_writer_start(uv_loop_t *loop,
                                 const struct spool_writer_options *options,
                                 struct spool_writer **ret_spool, struct err *err)
{
    struct spool_writer *spool = mem_calloc(1, sizeof(*spool));

    if (!spool)
        return err_set(err, ERR_NOMEM, "out of memory");
    spool->options = *options;
    spool->loop = loop;
    spool->work.data = spool;
    spool->file.fd = -1;
    records_init(&spool->gathered, options->group_max_bytes);
    *ret_spool = spool;
    return ERR_OK;
}

void spool_writer_stop(struct spool_writer *spool, void (*on_stopped)(void *user),
                       void *user)
{
    spool->on_stopped = on_stopped;
    spool->stopped_user = user;
    if (!spool->is_appending)
        finish_stop(spool);
}
