/* tracker.h -- GET /t.js: the script that pages load (ingestion/tracker/).
 *
 * It sends to the paths that the settings give, relative to its own, so that it works where a
 * proxy puts a prefix in front of all paths, too.
 */
#ifndef INGESTION_WAYS_TRACKER_H
#define INGESTION_WAYS_TRACKER_H

#include "shared/base/err.h"

struct http_request;
struct tracker; /* opaque; read-only, all loops share one */

/* The script for these paths, which are absolute.  ERR_NOMEM. */
enum err_code tracker_new(const char *tracker_path, const char *collect_path,
                          const char *pixel_path, struct tracker **ret_tracker,
                          struct err *err) MUST_CHECK;
void tracker_free(struct tracker *tracker); /* NULL is fine */

void way_tracker(struct http_request *req, const struct tracker *tracker);

#endif
