/* stopgap.c -- see stopgap.h. */
#include "ingestion/spool/stopgap.h"

#include <assert.h>

#include "ingestion/spool/files.h"
#include "ingestion/spool/records.h"
#include "shared/base/buf.h"
#include "shared/base/failpoint.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"

enum {
    FAILED_MS = 200, /* until a file that could not be written is tried again */
    LOG_EVERY_MS = 10000,
};

enum task {
    NOTHING,
    APPEND,
    DISCARD,
    LET_GO,
    REMOVE
};

struct stopgap {
    struct stopgap_options options;
    uv_loop_t *loop; /* borrowed */
    uv_work_t work;
    struct buf gathered;   /* records, for the next append */
    enum task task;        /* under way */
    enum task due;         /* with the file, after the append under way */
    int64_t idle_until_ms; /* after a failure */

    /* The thread's while a task is under way. */
    struct spool_file file; /* none until it is needed */
    enum err_code code;
    struct err err;

    void (*on_stopped)(void *user);
    void *stopped_user;
    struct log_limit failed_log;
};

/* --- in a thread of the pool ------------------------------------------------- */

static enum err_code append(struct stopgap *gap)
{
    enum err_code code = FAILPOINT("stopgap.append", &gap->err);

    if (!code)
        code = spool_files_write(gap->options.dir, &gap->file, gap->gathered.data,
                                 gap->gathered.len, &gap->err);
    return code ? code : FAILPOINT("stopgap.appended", &gap->err);
}

/* What cannot be emptied is let go of: it is the reader's then. */
static enum err_code discard(struct stopgap *gap)
{
    enum err_code code = FAILPOINT("stopgap.discard", &gap->err);

    if (!code)
        code = spool_files_clear(gap->options.dir, &gap->file, &gap->err);
    if (code)
        spool_files_release(&gap->file);
    else
        (void)FAILPOINT("stopgap.discarded", &gap->err); /* cannot fail any more */
    return code;
}

/* An empty file that stays is no harm: the next look at the directory removes it. */
static enum err_code remove_empty(struct stopgap *gap)
{
    enum err_code code =
        spool_files_finish(gap->options.dir, &gap->file, false, &gap->err);

    spool_files_release(&gap->file);
    return code;
}

static void work(uv_work_t *request)
{
    struct stopgap *gap = request->data;

    switch (gap->task) {
    case NOTHING:
        break;
    case APPEND:
        gap->code = append(gap);
        break;
    case DISCARD:
        gap->code = discard(gap);
        break;
    case LET_GO:
        spool_files_release(&gap->file);
        gap->code = ERR_OK;
        break;
    case REMOVE:
        gap->code = remove_empty(gap);
        break;
    }
}

/* --- one thing at a time ------------------------------------------------------ */

static void finish_stop(struct stopgap *gap)
{
    void (*on_stopped)(void *user) = gap->on_stopped;
    void *user = gap->stopped_user;

    spool_files_release(&gap->file);
    buf_release(&gap->gathered);
    mem_free(gap);
    on_stopped(user);
}

static void note_failure(struct stopgap *gap)
{
    int64_t suppressed;

    gap->idle_until_ms = (int64_t)uv_now(gap->loop) + FAILED_MS;
    if (log_limit_allows(&gap->failed_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_ERROR, "could not put events aside while Redis flushes its file",
                 LOG_FIELDS(log_text("reason", gap->err.msg),
                            log_int("suppressed", suppressed)));
}

static void on_worked(uv_work_t *request, int status);

static void start(struct stopgap *gap, enum task task)
{
    int status;

    gap->task = task;
    status = uv_queue_work(gap->loop, &gap->work, work, on_worked);
    assert(status == 0); /* fails only without a function */
}

static bool is_empty(const struct stopgap *gap)
{
    return gap->file.fd < 0 || gap->file.len == 0;
}

/* An append that begins comes after it, so that the file has nothing else by then. */
static void do_with_file(struct stopgap *gap, enum task task)
{
    if (gap->task == APPEND && gap->due == NOTHING)
        gap->due = task; /* the first counts: it is about all that is in there */
    else if (gap->task == NOTHING && !is_empty(gap))
        start(gap, task);
}

static void end(struct stopgap *gap)
{
    if (gap->file.fd >= 0 && is_empty(gap))
        start(gap, REMOVE);
    else
        finish_stop(gap);
}

static void on_worked(uv_work_t *request, int status)
{
    struct stopgap *gap = request->data;
    enum task done = gap->task;
    enum task due = gap->due;
    enum err_code code = gap->code;

    assert(status == 0); /* it is never cancelled */
    gap->task = NOTHING;
    gap->due = NOTHING;
    if (code)
        note_failure(gap);
    if (due != NOTHING)
        do_with_file(gap, due);
    if (done == APPEND) {
        records_clear(&gap->gathered);
        gap->options.on_appended(code, gap->options.user);
    }
    if (gap->task == NOTHING && gap->on_stopped)
        end(gap);
    else if (gap->task == NOTHING)
        gap->options.on_ready(gap->options.user);
}

/* --- the public face --------------------------------------------------------- */

bool stopgap_is_ready(const struct stopgap *gap)
{
    return gap->task == NOTHING && !gap->on_stopped &&
           (int64_t)uv_now(gap->loop) >= gap->idle_until_ms;
}

enum err_code stopgap_add(struct stopgap *gap, const struct group *group)
{
    return records_add(&gap->gathered, group, spool_files_room(gap->options.dir));
}

void stopgap_append(struct stopgap *gap)
{
    assert(gap->task == NOTHING && gap->gathered.len > 0);
    start(gap, APPEND);
}

bool stopgap_is_filled(const struct stopgap *gap)
{
    return gap->task == APPEND ? gap->due == NOTHING
                               : gap->task == NOTHING && !is_empty(gap);
}

void stopgap_discard(struct stopgap *gap)
{
    do_with_file(gap, DISCARD);
}

void stopgap_let_go(struct stopgap *gap)
{
    do_with_file(gap, LET_GO);
}

enum err_code stopgap_start(uv_loop_t *loop, const struct stopgap_options *options,
                            struct stopgap **ret_gap, struct err *err)
{
    struct stopgap *gap = mem_calloc(1, sizeof(*gap));

    if (!gap)
        return err_set(err, ERR_NOMEM, "out of memory");
    gap->options = *options;
    gap->loop = loop;
    gap->work.data = gap;
    gap->file.fd = -1;
    records_init(&gap->gathered, options->group_max_bytes);
    *ret_gap = gap;
    return ERR_OK;
}

void stopgap_stop(struct stopgap *gap, void (*on_stopped)(void *user), void *user)
{
    gap->on_stopped = on_stopped;
    gap->stopped_user = user;
    if (gap->task == NOTHING)
        end(gap);
}
