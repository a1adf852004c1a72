/* arrivals.h -- when events arrived that the server gave their time.
 *
 * A page tries again what may not have arrived, with the same event_id.  The time is part of an
 * event's identity, so the second attempt must get that of the first, or it would be stored
 * twice.  A bounded table in memory: of the last few thousand such events of this process,
 * for a day.  Which process an attempt comes to is not our choice, so with several of them, or
 * after a new start, an attempt may still count twice (docs/protocol.md).
 *
 * All loops share one.
 */
#ifndef INGESTION_WAYS_ARRIVALS_H
#define INGESTION_WAYS_ARRIVALS_H

#include <stdint.h>

#include "shared/base/err.h"

struct arrivals; /* opaque */
struct event;

enum {
    ARRIVALS_KEPT_MS = 24 * 60 * 60 * 1000
};

/* ERR_NOMEM, ERR_UNAVAILABLE: no random bytes. */
enum err_code arrivals_new(struct arrivals **ret_arrivals, struct err *err) MUST_CHECK;
void arrivals_free(struct arrivals *arrivals); /* NULL is fine */

/* The time of the first event with that site_id and event_id; now_ms, from then on, when there
 * was none. */
int64_t arrivals_take(struct arrivals *arrivals, const struct event *event,
                      int64_t now_ms);

#endif
