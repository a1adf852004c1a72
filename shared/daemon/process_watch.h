/* process_watch.h -- refreshes a struct process_stats each second, beside the loop: a
 * worker thread of libuv reads the figures. */
#ifndef SHARED_DAEMON_PROCESS_WATCH_H
#define SHARED_DAEMON_PROCESS_WATCH_H

#include <stdbool.h>
#include <uv.h>

struct process_stats;

struct process_watch {
    struct process_stats *stats; /* borrowed; must outlive the loop */
    uv_timer_t timer;
    uv_work_t work;
    bool is_working;
};

/* The first figures are read at once, so that none is ever missing. */
void process_watch_start(struct process_watch *watch, uv_loop_t *loop,
                         struct process_stats *stats);

/* The loop gives up its last handle when what is under way has ended, soon. */
void process_watch_stop(struct process_watch *watch);

#endif
