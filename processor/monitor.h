/* monitor.h -- a lock, and a condition to wait for under it.
 *
 * A thread that must wait until what the lock guards has changed waits here, without the
 * lock; a thread that changes it wakes them all.  Deadlines are of the monotonic clock.
 *
 * Thread-safe.
 */
#ifndef PROCESSOR_MONITOR_H
#define PROCESSOR_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

struct monitor {
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

/* ERR_NOMEM. */
enum err_code monitor_init(struct monitor *monitor, struct err *err) MUST_CHECK;
void monitor_release(struct monitor *monitor);

void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);

/* These three are for the one who has the lock.  A wait may end for no reason: ask again what
 * was waited for.  False: the deadline, see clock_mono_us(), has passed. */
void monitor_tell(struct monitor *monitor);
void monitor_wait(struct monitor *monitor);
bool monitor_wait_until(struct monitor *monitor, int64_t deadline_us);

#endif
