/* lifecycle.c -- see lifecycle.h. */
#include "processor/lifecycle.h"

#include "shared/base/clock.h"

enum err_code lifecycle_init(struct lifecycle *lifecycle, struct err *err)
{
    *lifecycle = (struct lifecycle){.is_open = false};
    return monitor_init(&lifecycle->monitor, err);
}

void lifecycle_release(struct lifecycle *lifecycle)
{
    monitor_release(&lifecycle->monitor);
}

static void unlock_and_tell(struct lifecycle *lifecycle)
{
    monitor_tell(&lifecycle->monitor);
    monitor_unlock(&lifecycle->monitor);
}

void lifecycle_open(struct lifecycle *lifecycle)
{
    monitor_lock(&lifecycle->monitor);
    lifecycle->is_open = true;
    unlock_and_tell(lifecycle);
}

void lifecycle_note_rows(struct lifecycle *lifecycle)
{
    monitor_lock(&lifecycle->monitor);
    lifecycle->noted++;
    unlock_and_tell(lifecycle);
}

void lifecycle_stop(struct lifecycle *lifecycle)
{
    monitor_lock(&lifecycle->monitor);
    lifecycle->is_stopping = true;
    unlock_and_tell(lifecycle);
}

bool lifecycle_is_stopping(struct lifecycle *lifecycle)
{
    bool is_stopping;

    monitor_lock(&lifecycle->monitor);
    is_stopping = lifecycle->is_stopping;
    monitor_unlock(&lifecycle->monitor);
    return is_stopping;
}

bool lifecycle_wait_open(struct lifecycle *lifecycle)
{
    bool is_stopping;

    monitor_lock(&lifecycle->monitor);
    while (!lifecycle->is_open && !lifecycle->is_stopping)
        monitor_wait(&lifecycle->monitor);
    is_stopping = lifecycle->is_stopping;
    monitor_unlock(&lifecycle->monitor);
    return !is_stopping;
}

/* Waits for ms, for the end, or, unless seen is NULL, for rows. */
static bool wait_for(struct lifecycle *lifecycle, uint64_t *seen, int64_t ms)
{
    int64_t end_us = clock_mono_us() + ms * 1000;
    bool is_stopping;
    bool in_time = true;

    monitor_lock(&lifecycle->monitor);
    while (!lifecycle->is_stopping && in_time && (!seen || *seen == lifecycle->noted))
        in_time = monitor_wait_until(&lifecycle->monitor, end_us);
    if (seen)
        *seen = lifecycle->noted;
    is_stopping = lifecycle->is_stopping;
    monitor_unlock(&lifecycle->monitor);
    return !is_stopping;
}

bool lifecycle_pause(struct lifecycle *lifecycle, int64_t ms)
{
    return wait_for(lifecycle, NULL, ms);
}

bool lifecycle_wait_rows(struct lifecycle *lifecycle, uint64_t *seen, int64_t ms)
{
    return wait_for(lifecycle, seen, ms);
}
