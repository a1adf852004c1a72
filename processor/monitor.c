/* monitor.c -- see monitor.h.  These functions of pthread fail only for what was never made,
 * or, in monitor_wait_until(), at the deadline. */
#include "processor/monitor.h"

#include <time.h>

enum err_code monitor_init(struct monitor *monitor, struct err *err)
{
    pthread_condattr_t attr;
    int failed = pthread_condattr_init(&attr);

    if (!failed) {
        failed = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        if (!failed)
            failed = pthread_cond_init(&monitor->changed, &attr);
        (void)pthread_condattr_destroy(&attr); /* does nothing on Linux */
    }
    if (!failed) {
        failed = pthread_mutex_init(&monitor->lock, NULL);
        if (failed)
            (void)pthread_cond_destroy(&monitor->changed);
    }
    return failed ? err_set(err, ERR_NOMEM, "could not make a condition variable")
                  : ERR_OK;
}

void monitor_release(struct monitor *monitor)
{
    (void)pthread_mutex_destroy(&monitor->lock); /* nobody holds it any more */
    (void)pthread_cond_destroy(&monitor->changed);
}

void monitor_lock(struct monitor *monitor)
{
    (void)pthread_mutex_lock(&monitor->lock);
}

void monitor_unlock(struct monitor *monitor)
{
    (void)pthread_mutex_unlock(&monitor->lock);
}

void monitor_tell(struct monitor *monitor)
{
    (void)pthread_cond_broadcast(&monitor->changed);
}

void monitor_wait(struct monitor *monitor)
{
    (void)pthread_cond_wait(&monitor->changed, &monitor->lock);
}

bool monitor_wait_until(struct monitor *monitor, int64_t deadline_us)
{
    struct timespec end = {.tv_sec = deadline_us / 1000000,
                           .tv_nsec = deadline_us % 1000000 * 1000};

    return !pthread_cond_timedwait(&monitor->changed, &monitor->lock, &end);
}
