/* process_watch.c -- see process_watch.h. */
#include "shared/daemon/process_watch.h"

#include "shared/daemon/process_stats.h"

enum {
    REFRESH_MS = 1000
};

static void on_work(uv_work_t *work)
{
    const struct process_watch *watch = work->data;

    process_stats_refresh(watch->stats);
}

static void on_worked(uv_work_t *work, int status)
{
    struct process_watch *watch = work->data;

    (void)status; /* cancelled or not, it is over */
    watch->is_working = false;
}

static void on_timer(uv_timer_t *timer)
{
    struct process_watch *watch = timer->data;

    if (watch->is_working)
        return; /* the workers are busy with something longer */
    watch->is_working = true;
    /* fails only without a callback */
    (void)uv_queue_work(timer->loop, &watch->work, on_work, on_worked);
}

void process_watch_start(struct process_watch *watch, uv_loop_t *loop,
                         struct process_stats *stats)
{
    watch->stats = stats;
    watch->is_working = false;
    watch->work.data = watch;
    process_stats_init(stats);
    (void)uv_timer_init(loop, &watch->timer); /* always 0 */
    watch->timer.data = watch;
    (void)uv_timer_start(&watch->timer, on_timer, REFRESH_MS, REFRESH_MS);
}

void process_watch_stop(struct process_watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, NULL);
    if (watch->is_working)
        (void)uv_cancel((uv_req_t *)&watch->work); /* else it ends by itself */
}
