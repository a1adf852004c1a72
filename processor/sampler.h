/* sampler.h -- the thread that reads, once a second, what no other thread counts: the queue
 * and the process.  /metrics shows what it read last.
 *
 * It has a connection to Redis of its own, so that it delays no worker, and logs nothing when
 * that fails: the workers do.  At each connect it looks at how Redis is set up, and now and
 * then whether its files keep salts that have expired.
 */
#ifndef PROCESSOR_SAMPLER_H
#define PROCESSOR_SAMPLER_H

#include <hiredis/hiredis.h>
#include <stdint.h>

#include "processor/metrics.h"
#include "processor/queue/salt_files.h"
#include "shared/base/err.h"

struct event_parser;
struct lifecycle;
struct processor_conf;
struct redis_url;

struct sampler {
    const struct redis_url *redis_url; /* these two borrowed */
    struct lifecycle *lifecycle;
    int64_t timeout_ms;          /* for Redis */
    redisContext *context;       /* owned; NULL: not connected */
    struct event_parser *parser; /* owned */
    struct salt_files salts;
    struct sampler_metrics metrics;
};

/* Sets up the fields that are not borrowed.  ERR_NOMEM. */
enum err_code sampler_init(struct sampler *sampler, const struct processor_conf *conf,
                           struct err *err) MUST_CHECK;
void sampler_release(struct sampler *sampler);

/* The thread: returns after the process has begun to stop. */
void sampler_run(struct sampler *sampler);

#endif
