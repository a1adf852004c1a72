/* place.h -- where an address is: country, region and city, as far as a database says.
 *
 * The database is one in MaxMind's format (GEOIP_DB), or else the text files of Debian's
 * package tor-geoipdb (GEOIP_TEXT_DIR), which have countries only; or there is none.  A place
 * is that of the network, not of the person: it is often wrong for cities.
 *
 * Read once; read-only from then on, all loops may share it.
 */
#ifndef INGESTION_ENRICH_PLACE_H
#define INGESTION_ENRICH_PLACE_H

#include "ingestion/enrich/geo/place_text.h"
#include "shared/base/err.h"

struct address;

struct places; /* opaque */

/* Where Debian's package puts its files, the initial value of GEOIP_TEXT_DIR. */
#define PLACES_TEXT_DIR "/usr/share/tor"

/* Opens geoip_db, or where that is "" loads the files in text_dir, or where that is "" or is
 * PLACES_TEXT_DIR and has none, nothing: then no address has a place.  ERR_CONFIG names the
 * setting and the file; ERR_NOMEM. */
enum err_code places_new(const char *geoip_db, const char *text_dir,
                         struct places **ret_places, struct err *err) MUST_CHECK;
void places_free(struct places *places); /* NULL is fine */

/* A sentence on what is used, with its licence; for the log. */
const char *places_origin(const struct places *places);

void place_find(const struct places *places, const struct address *address,
                struct place *ret_place);

#endif
