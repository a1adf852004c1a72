/* app.h -- the reporting daemon from start to end: loop, pool, HTTP server, signals. */
#ifndef REPORTING_APP_H
#define REPORTING_APP_H

#include "shared/base/err.h"

struct app; /* opaque */
struct conf_source;
struct guard;
struct pool;
struct reporting_metrics;
struct reporting_conf;

/* Serves until SIGTERM or SIGINT, then answers who waits and returns.  A second signal ends
 * the process at once.  Fails when the port is not to be had or memory is short. */
enum err_code app_run(const struct reporting_conf *conf, const struct conf_source *source,
                      struct err *err) MUST_CHECK;

/* For handlers, which get the struct app * as `user`. */
struct pool *app_pool(const struct app *app);
struct guard *app_guard(const struct app *app);
struct reporting_metrics *app_metrics(struct app *app);

#endif
