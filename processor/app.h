/* app.h -- the running processor: threads, event loop, start and end.
 *
 *   main thread   libuv loop: signals, /healthz, /readyz and /metrics
 *   workers       worker.c, PROCESSOR_WORKERS of them
 *   renewer       queue/lease.c
 *   maintainer    maintainer.c
 *   sampler       sampler.c
 *
 * At SIGTERM the life cycle ends: workers finish the batch under way or hand it back, and the
 * renewer of the leases hands back what is left after SHUTDOWN_TIMEOUT_MS.  A second signal ends
 * the process at once; no batch is lost by that, its lease just has to run out.
 */
#ifndef PROCESSOR_APP_H
#define PROCESSOR_APP_H

#include "shared/base/err.h"

struct conf_source;
struct processor_conf;

/* Runs until a signal.  Any failure is one of the start, or the maintainer's refusal. */
enum err_code app_run(const struct processor_conf *conf, const struct conf_source *source,
                      struct err *err) MUST_CHECK;

#endif
