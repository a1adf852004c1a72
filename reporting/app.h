/* app.h -- the reporting daemon from start to end: loop, pool, HTTP server, signals. */
#ifndef REPORTING_APP_H
#define REPORTING_APP_H

#include <stdbool.h>

#include "shared/base/err.h"

struct app; /* opaque */
struct conf_source;
struct guard;
struct pool;
struct reporting_metrics;
struct reporting_conf;

/* Who waits in one of them waits for nobody in the others. */
enum app_pool {
    APP_HEALTH, /* /readyz alone */
    APP_STATS,  /* what the rollups answer */
    APP_RAW,    /* what takes as long as there are raw events */
    APP_POOL_COUNT
};

/* Serves until SIGTERM or SIGINT, then answers who waits and returns.  A second signal ends
 * the process at once.  Fails when the port is not to be had or memory is short. */
enum err_code app_run(const struct reporting_conf *conf, const struct conf_source *source,
                      struct err *err) MUST_CHECK;

/* For handlers, which get the struct app * as `user`. */
struct pool *app_pool(const struct app *app, enum app_pool which);
bool app_raw_is_denied(const struct app *app); /* for want of a token */
struct guard *app_guard(const struct app *app);
struct reporting_metrics *app_metrics(struct app *app);

#endif
