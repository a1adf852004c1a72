/* gate.c -- see gate.h. */
#include "processor/gate.h"

#include <time.h>

#include "shared/clock.h"

enum err_code gate_init(struct gate *gate, struct err *err)
{
    pthread_condattr_t attr;
    int failed;

    *gate = (struct gate){.is_open = false};
    failed = pthread_condattr_init(&attr);
    if (!failed) {
        failed = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        if (!failed)
            failed = pthread_cond_init(&gate->changed, &attr);
        (void)pthread_condattr_destroy(&attr); /* does nothing on Linux */
    }
    if (!failed) {
        failed = pthread_mutex_init(&gate->lock, NULL);
        if (failed)
            (void)pthread_cond_destroy(&gate->changed);
    }
    return failed ? err_set(err, ERR_NOMEM, "could not make a condition variable")
                  : ERR_OK;
}

void gate_release(struct gate *gate)
{
    (void)pthread_mutex_destroy(&gate->lock); /* nobody holds it any more */
    (void)pthread_cond_destroy(&gate->changed);
}

/* The lock functions fail only for a mutex that is none. */
static void lock(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
}

static void unlock_and_tell(struct gate *gate)
{
    (void)pthread_cond_broadcast(&gate->changed);
    (void)pthread_mutex_unlock(&gate->lock);
}

void gate_open(struct gate *gate)
{
    lock(gate);
    gate->is_open = true;
    unlock_and_tell(gate);
}

void gate_ring(struct gate *gate)
{
    lock(gate);
    gate->rings++;
    unlock_and_tell(gate);
}

void gate_stop(struct gate *gate)
{
    lock(gate);
    gate->is_stopping = true;
    unlock_and_tell(gate);
}

bool gate_is_stopping(struct gate *gate)
{
    bool is_stopping;

    lock(gate);
    is_stopping = gate->is_stopping;
    (void)pthread_mutex_unlock(&gate->lock);
    return is_stopping;
}

bool gate_wait_open(struct gate *gate)
{
    bool is_stopping;

    lock(gate);
    while (!gate->is_open && !gate->is_stopping)
        (void)pthread_cond_wait(&gate->changed, &gate->lock);
    is_stopping = gate->is_stopping;
    (void)pthread_mutex_unlock(&gate->lock);
    return !is_stopping;
}

/* Waits for ms, for the end, or, unless seen is NULL, for a ring. */
static bool wait_for(struct gate *gate, uint64_t *seen, int64_t ms)
{
    int64_t end_us = clock_mono_us() + ms * 1000;
    struct timespec end = {.tv_sec = end_us / 1000000,
                           .tv_nsec = end_us % 1000000 * 1000};
    bool is_stopping;
    int timed_out = 0;

    lock(gate);
    while (!gate->is_stopping && !timed_out && (!seen || *seen == gate->rings))
        timed_out = pthread_cond_timedwait(&gate->changed, &gate->lock, &end);
    if (seen)
        *seen = gate->rings;
    is_stopping = gate->is_stopping;
    (void)pthread_mutex_unlock(&gate->lock);
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
