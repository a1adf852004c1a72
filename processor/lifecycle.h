/* lifecycle.h -- what the threads of the processor tell each other.
 *
 * The gate opens once the schema is ready, then lanes may store; it rings when rows were
 * stored, then the roll-up has work; and it closes for good when the process stops.  Every
 * wait of a thread that is not for a server is a wait at the gate, so that stopping wakes
 * them all.
 *
 * Thread-safe.
 */
#ifndef PROCESSOR_LIFECYCLE_H
#define PROCESSOR_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "processor/monitor.h"
#include "shared/base/err.h"

struct gate {
    struct monitor monitor;
    bool is_open;
    bool is_stopping;
    uint64_t rings;
};

/* ERR_NOMEM. */
enum err_code gate_init(struct gate *gate, struct err *err) MUST_CHECK;
void gate_release(struct gate *gate);

void gate_open(struct gate *gate);
void gate_ring(struct gate *gate);
void gate_stop(struct gate *gate);

bool gate_is_stopping(struct gate *gate);

/* Waits until the gate is open.  False: the process stops. */
bool gate_wait_open(struct gate *gate);

/* Waits for ms.  False, and at once, when the process stops. */
bool gate_pause(struct gate *gate, int64_t ms);

/* Waits until the gate has rung since *seen, at most ms; *seen is then up to date.  False,
 * and at once, when the process stops. */
bool gate_wait_ring(struct gate *gate, uint64_t *seen, int64_t ms);

#endif
