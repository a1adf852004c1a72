/* rebuild.h -- counts a site anew; sql/functions/rebuild.sql says how. */
#ifndef PROCESSOR_SITES_REBUILD_H
#define PROCESSOR_SITES_REBUILD_H

#include "shared/base/err.h"

struct steps;

/* Counts the site anew, in the zone if it is not "", and says on stdout how far it is and which
 * days stay.  ERR_NOT_FOUND: there is no such site, or not any more. */
enum err_code rebuild_site(struct steps *steps, const char *site, const char *zone,
                           struct err *err) MUST_CHECK;

/* Deletes what nobody reads any more, of this site or of others. */
enum err_code rebuild_sweep(struct steps *steps, struct err *err) MUST_CHECK;

#endif
