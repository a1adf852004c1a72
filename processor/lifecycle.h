/* lifecycle.h -- what the threads of the processor tell each other.
 *
 *   STARTING --lifecycle_open(): the schema is ready--> RUNNING --lifecycle_stop()--> STOPPING
 *
 * Workers may store while it runs.  Whoever has stored rows notes that, and the roll-up has
 * work.  Every wait of a thread that is not for a server is a wait here, so that stopping
 * wakes them all.
 *
 * Thread-safe.
 */
#ifndef PROCESSOR_LIFECYCLE_H
#define PROCESSOR_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "processor/monitor.h"
#include "shared/base/err.h"

struct lifecycle {
    struct monitor monitor;
    bool is_open;
    bool is_stopping;
    uint64_t noted; /* how often rows were stored */
};

/* ERR_NOMEM. */
enum err_code lifecycle_init(struct lifecycle *lifecycle, struct err *err) MUST_CHECK;
void lifecycle_release(struct lifecycle *lifecycle);

void lifecycle_open(struct lifecycle *lifecycle);
void lifecycle_note_rows(struct lifecycle *lifecycle);
void lifecycle_stop(struct lifecycle *lifecycle);

bool lifecycle_is_stopping(struct lifecycle *lifecycle);

/* Waits until it runs.  False: the process stops. */
bool lifecycle_wait_open(struct lifecycle *lifecycle);

/* Waits for ms.  False, and at once, when the process stops. */
bool lifecycle_pause(struct lifecycle *lifecycle, int64_t ms);

/* Waits until rows were stored since *seen, at most ms; *seen is then up to date.  False,
 * and at once, when the process stops. */
bool lifecycle_wait_rows(struct lifecycle *lifecycle, uint64_t *seen, int64_t ms);

#endif
