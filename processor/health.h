/* health.h -- what is wrong with the server of each thread, for /readyz.
 *
 * Each thread owns one slot for Redis and one for Postgres and says there when its server
 * fails and when it answers again.  The processor is ready while no slot complains.  What
 * /readyz says is made from the error's code alone: the details are for the log.
 *
 * Thread-safe.
 */
#ifndef PROCESSOR_HEALTH_H
#define PROCESSOR_HEALTH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"
#include "shared/base/metrics.h"

enum health_server {
    HEALTH_REDIS,
    HEALTH_POSTGRES,
    HEALTH_SERVERS
};

enum {
    HEALTH_THREADS_MAX = 34 /* the most workers, the lease renewer, the maintainer */
};

struct health {
    pthread_mutex_t lock;
    enum err_code codes[HEALTH_THREADS_MAX][HEALTH_SERVERS]; /* ERR_OK: well */
};

/* ERR_NOMEM. */
enum err_code health_init(struct health *health, struct err *err) MUST_CHECK;
void health_release(struct health *health);

/* How the thread's server is: ERR_OK, or why it fails. */
void health_set(struct health *health, size_t thread, enum health_server server,
                enum err_code code);

/* True while all is well; otherwise the first complaint is written to out, cut at size. */
bool health_is_ready(struct health *health, char *out, size_t size);

/* The worst that any thread says about the server. */
enum metric_trouble health_trouble(struct health *health, enum health_server server);

#endif
