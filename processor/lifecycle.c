/* lifecycle.c -- see lifecycle.h. */
#include "processor/lifecycle.h"

#include "shared/base/clock.h"

enum err_code gate_init(struct gate *gate, struct err *err)
{
    *gate = (struct gate){.is_open = false};
    return monitor_init(&gate->monitor, err);
}

void gate_release(struct gate *gate)
{
    monitor_release(&gate->monitor);
}

static void unlock_and_tell(struct gate *gate)
{
    monitor_tell(&gate->monitor);
    monitor_unlock(&gate->monitor);
}

void gate_open(struct gate *gate)
{
    monitor_lock(&gate->monitor);
    gate->is_open = true;
    unlock_and_tell(gate);
}

void gate_ring(struct gate *gate)
{
    monitor_lock(&gate->monitor);
    gate->rings++;
    unlock_and_tell(gate);
}

void gate_stop(struct gate *gate)
{
    monitor_lock(&gate->monitor);
    gate->is_stopping = true;
    unlock_and_tell(gate);
}

bool gate_is_stopping(struct gate *gate)
{
    bool is_stopping;

    monitor_lock(&gate->monitor);
    is_stopping = gate->is_stopping;
    monitor_unlock(&gate->monitor);
    return is_stopping;
}

bool gate_wait_open(struct gate *gate)
{
    bool is_stopping;

    monitor_lock(&gate->monitor);
    while (!gate->is_open && !gate->is_stopping)
        monitor_wait(&gate->monitor);
    is_stopping = gate->is_stopping;
    monitor_unlock(&gate->monitor);
    return !is_stopping;
}

/* Waits for ms, for the end, or, unless seen is NULL, for a ring. */
static bool wait_for(struct gate *gate, uint64_t *seen, int64_t ms)
{
    int64_t end_us = clock_mono_us() + ms * 1000;
    bool is_stopping;
    bool in_time = true;

    monitor_lock(&gate->monitor);
    while (!gate->is_stopping && in_time && (!seen || *seen == gate->rings))
        in_time = monitor_wait_until(&gate->monitor, end_us);
    if (seen)
        *seen = gate->rings;
    is_stopping = gate->is_stopping;
    monitor_unlock(&gate->monitor);
    return !is_stopping;
}

bool gate_pause(struct gate *gate, int64_t ms)
{
    return wait_for(gate, NULL, ms);
}

bool gate_wait_ring(struct gate *gate, uint64_t *seen, int64_t ms)
{
    return wait_for(gate, seen, ms);
}
