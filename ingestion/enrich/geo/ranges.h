/* ranges.h -- ranges of addresses with a country each, from the two text files of Debian's
 * package tor-geoipdb: "16777216,16777471,AU" and "2001:200::,2001:200:ffff:...,JP".
 *
 * Kept as the places at which the country changes, sorted: some 8 MB for both.  Read-only once
 * it is loaded.
 */
#ifndef INGESTION_ENRICH_GEO_RANGES_H
#define INGESTION_ENRICH_GEO_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

struct address;

enum {
    RANGES_MAX = 4 * 1000 * 1000 /* lines of a file */
};

struct ranges; /* opaque */

/* Reads <folder>/geoip and <folder>/geoip6.  ERR_NOT_FOUND: neither is there; ERR_CONFIG: one
 * cannot be read, or has a line that is no range, that is no later than the one before it, or
 * has too many; ERR_NOMEM. */
enum err_code ranges_load(const char *folder, struct ranges **ret_ranges,
                          struct err *err) MUST_CHECK;
void ranges_free(struct ranges *ranges); /* NULL is fine */

/* How many changes of country there are. */
size_t ranges_count(const struct ranges *ranges);

/* Writes two letters and NUL; false when nothing is known. */
bool ranges_find(const struct ranges *ranges, const struct address *address,
                 char ret_country[3]);

#endif
