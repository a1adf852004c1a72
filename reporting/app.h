/* app.h -- the reporting daemon from start to end: loop, pool, HTTP server, signals. */
#ifndef REPORTING_APP_H
#define REPORTING_APP_H

#include "shared/base/err.h"

struct conf_source;
struct reporting_conf;

/* Serves until SIGTERM or SIGINT, then answers who waits and returns.  A second signal ends
 * the process at once.  Fails when the port cannot be had or memory is short. */
enum err_code app_run(const struct reporting_conf *conf, const struct conf_source *source,
                      struct err *err) MUST_CHECK;

#endif
