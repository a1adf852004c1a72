/* app.h -- ingestion as a whole: its loops, and the signals that end it. */
#ifndef INGESTION_APP_H
#define INGESTION_APP_H

#include "shared/base/err.h"

struct conf_source;
struct ingestion_conf;

/* Serves until SIGTERM or SIGINT has come and its end is done; a second one ends the process
 * at once.
 * Fails when it cannot start. */
enum err_code app_run(const struct ingestion_conf *conf, const struct conf_source *source,
                      struct err *err) MUST_CHECK;

#endif
