/* mmdb.h -- a database in MaxMind's format: GeoLite2, GeoIP2, DB-IP, IPinfo and others.
 *
 * The only file that includes libmaxminddb.  The file is mapped into memory: whoever replaces
 * it while the daemon runs must do it by renaming another one to its name.
 *
 * Read-only, all loops may share it.
 */
#ifndef INGESTION_ENRICH_GEO_MMDB_H
#define INGESTION_ENRICH_GEO_MMDB_H

#include <stdbool.h>

#include "shared/base/err.h"

struct address;
struct mmdb; /* opaque */
struct place;

/* ERR_CONFIG: the file cannot be opened, or is no such database; ERR_NOMEM. */
enum err_code mmdb_open(const char *path, struct mmdb **ret_mmdb,
                        struct err *err) MUST_CHECK;
void mmdb_close(struct mmdb *mmdb); /* NULL is fine */

/* What the file calls itself, such as "GeoLite2-City". */
const char *mmdb_type(const struct mmdb *mmdb);

/* Fills what the database has for the address; the rest stays "". */
void mmdb_find(const struct mmdb *mmdb, const struct address *address,
               struct place *ret_place);

#endif
