/* redis_setup.h -- whether the Redis that holds the queue is set up to hold one: a queue must
 * never evict, and what was answered 200 has to be in its append-only file.
 */
#ifndef PROCESSOR_QUEUE_REDIS_SETUP_H
#define PROCESSOR_QUEUE_REDIS_SETUP_H

#include <hiredis/hiredis.h>

#include "shared/base/err.h"

/* Asks Redis, and warns in the log of each setting that puts events at risk.  A Redis that
 * does not tell is believed.  ERR_UNAVAILABLE when the connection is lost. */
enum err_code redis_setup_check(redisContext *context) MUST_CHECK;

#endif
