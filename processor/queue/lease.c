/* lease.c -- see lease.h. */
#include "processor/queue/lease.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "processor/health.h"
#include "processor/lifecycle.h"
#include "shared/base/clock.h"
#include "shared/base/failpoint.h"
#include "shared/base/log.h"

enum {
    TURN_MAX_MS = 1000, /* /readyz learns from each turn how Redis is */
    ORPHANS_EVERY_MS = 60000,
    LOG_EVERY_MS = 10000,
};

enum err_code leases_init(struct leases *leases, struct err *err)
{
    *leases = (struct leases){.of_worker = {{0}}};
    return monitor_init(&leases->monitor, err);
}

void leases_release(struct leases *leases)
{
    monitor_release(&leases->monitor);
}

void leases_enter(struct leases *leases)
{
    monitor_lock(&leases->monitor);
    leases->workers_running++;
    monitor_unlock(&leases->monitor);
}

void leases_leave(struct leases *leases)
{
    monitor_lock(&leases->monitor);
    assert(leases->workers_running > 0);
    leases->workers_running--;
    monitor_tell(&leases->monitor);
    monitor_unlock(&leases->monitor);
}

bool leases_hold(struct leases *leases, size_t worker, const char *id, const char *owner)
{
    struct lease *lease = &leases->of_worker[worker];
    bool is_kept;

    assert(worker < LEASES_MAX);
    monitor_lock(&leases->monitor);
    is_kept = !leases->are_over;
    lease->is_held = is_kept;
    lease->is_lost = false;
    (void)snprintf(lease->id, sizeof(lease->id), "%s", id);
    (void)snprintf(lease->owner, sizeof(lease->owner), "%s", owner);
    monitor_unlock(&leases->monitor);
    return is_kept;
}

void leases_drop(struct leases *leases, size_t worker)
{
    monitor_lock(&leases->monitor);
    leases->of_worker[worker].is_held = false;
    monitor_unlock(&leases->monitor);
}

bool leases_is_lost(struct leases *leases, size_t worker)
{
    bool is_lost;

    monitor_lock(&leases->monitor);
    is_lost = leases->of_worker[worker].is_lost;
    monitor_unlock(&leases->monitor);
    return is_lost;
}

/* A copy of a worker's lease, so that Redis is not waited for under the lock. */
static struct lease copy_of(struct leases *leases, size_t worker)
{
    struct lease copy;

    monitor_lock(&leases->monitor);
    copy = leases->of_worker[worker];
    monitor_unlock(&leases->monitor);
    return copy;
}

static void tell_lost(struct leases *leases, size_t worker, const struct lease *which)
{
    struct lease *lease = &leases->of_worker[worker];
    bool is_same;

    monitor_lock(&leases->monitor);
    is_same = lease->is_held && strcmp(lease->id, which->id) == 0;
    if (is_same)
        lease->is_lost = true;
    monitor_unlock(&leases->monitor);
    if (is_same)
        log_line(LOG_WARN, "another processor took a batch over",
                 LOG_FIELDS(log_text("batch", which->id)));
}

static enum err_code renew_all(struct lease_renewer *renewer, struct err *err)
{
    enum err_code code = queue_ping(renewer->queue, err);

    for (size_t worker = 0; worker < LEASES_MAX && !code; worker++) {
        struct lease lease = copy_of(renewer->leases, worker);
        bool is_owned = true;

        if (!lease.is_held || lease.is_lost)
            continue;
        code = FAILPOINT("lease.renew", err);
        if (!code)
            code = queue_renew(renewer->queue, lease.id, lease.owner, &is_owned, err);
        if (!code)
            code = FAILPOINT("lease.renewed", err);
        if (!code && !is_owned)
            tell_lost(renewer->leases, worker, &lease);
    }
    return code;
}

/* True when it has looked at all batches there are; a Redis full of other people's keys
 * takes several turns. */
static bool look_for_orphans(struct lease_renewer *renewer, int64_t turn_ms)
{
    size_t found = 0;
    struct err err;
    enum err_code code = FAILPOINT("lease.orphans", &err);

    if (!code)
        code =
            queue_adopt_orphans(renewer->queue, renewer->cursor, turn_ms, &found, &err);
    if (!code && found > 0)
        log_line(LOG_WARN, "found batches without a lease",
                 LOG_FIELDS(log_int("batches", (int64_t)found)));
    /* When Redis is away the next turn says so. */
    return !code && renewer->cursor[0] == '\0';
}

/* True when all workers have ended; waits for that until the deadline. */
static bool wait_ended(struct leases *leases, int64_t deadline_us)
{
    bool in_time = true;
    bool have_ended;

    monitor_lock(&leases->monitor);
    while (leases->workers_running > 0 && in_time)
        in_time = monitor_wait_until(&leases->monitor, deadline_us);
    have_ended = leases->workers_running == 0;
    monitor_unlock(&leases->monitor);
    return have_ended;
}

static void hand_back_all(struct lease_renewer *renewer)
{
    monitor_lock(&renewer->leases->monitor);
    renewer->leases->are_over = true;
    monitor_unlock(&renewer->leases->monitor);
    for (size_t worker = 0; worker < LEASES_MAX; worker++) {
        struct lease lease = copy_of(renewer->leases, worker);
        struct err err;
        enum err_code code;

        if (!lease.is_held)
            continue;
        code = FAILPOINT("lease.hand_back", &err);
        if (!code)
            code = queue_hand_back(renewer->queue, lease.id, lease.owner, &err);
        if (code)
            log_line(
                LOG_WARN, "could not hand a batch back",
                LOG_FIELDS(log_text("batch", lease.id), log_text("reason", err.msg)));
        else
            log_line(LOG_INFO, "handed a batch back",
                     LOG_FIELDS(log_text("batch", lease.id)));
    }
}

/* Renews what is held, and says in the log when it cannot. */
static enum err_code take_turn(struct lease_renewer *renewer)
{
    struct err err;
    enum err_code code = renew_all(renewer, &err);
    int64_t suppressed;

    health_set(renewer->health, renewer->thread, HEALTH_REDIS, code);
    if (code && log_limit_allows(&renewer->log, LOG_EVERY_MS, &suppressed))
        log_line(
            LOG_WARN, "could not renew leases",
            LOG_FIELDS(log_text("reason", err.msg), log_int("suppressed", suppressed)));
    return code;
}

/* A worker may be claiming when the process is told to stop, and then stores what it gets: it
 * is waited for, and its lease renewed, until it has ended. */
static void end(struct lease_renewer *renewer, int64_t turn_ms)
{
    int64_t deadline_us = clock_mono_us() + renewer->shutdown_timeout_ms * 1000;

    for (;;) {
        int64_t until_us = clock_mono_us() + turn_ms * 1000;

        if (until_us > deadline_us)
            until_us = deadline_us;
        if (wait_ended(renewer->leases, until_us))
            return;
        if (until_us == deadline_us)
            break;
        (void)take_turn(renewer); /* has said so if it could not */
    }
    hand_back_all(renewer);
}

void lease_renewer_run(struct lease_renewer *renewer)
{
    int64_t turn_ms = renewer->lease_ms / 3;
    int64_t orphans_at_ms = 0;

    if (turn_ms > TURN_MAX_MS)
        turn_ms = TURN_MAX_MS;
    do {
        enum err_code code = take_turn(renewer);

        if (!code && clock_mono_ms() >= orphans_at_ms &&
            look_for_orphans(renewer, turn_ms))
            orphans_at_ms = clock_mono_ms() + ORPHANS_EVERY_MS;
    } while (lifecycle_pause(renewer->lifecycle, turn_ms));
    end(renewer, turn_ms);
}
