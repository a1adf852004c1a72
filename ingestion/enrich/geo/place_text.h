/* place_text.h -- a place as it is stored, and the rules of its parts.  Pure. */
#ifndef INGESTION_ENRICH_GEO_PLACE_TEXT_H
#define INGESTION_ENRICH_GEO_PLACE_TEXT_H

#include <stddef.h>

enum {
    PLACE_COUNTRY_MAX = 3, /* all with the NUL */
    PLACE_REGION_MAX = 7,
    PLACE_CITY_MAX = 256
};

/* "" is what is not known.  A value: it lives on its own. */
struct place {
    char country[PLACE_COUNTRY_MAX]; /* ISO 3166-1 alpha-2: "DE" */
    char region[PLACE_REGION_MAX];   /* ISO 3166-2: "DE-BE" */
    char city[PLACE_CITY_MAX];       /* English, UTF-8; cut when longer */
};

/* Corrects a place by the country that a proxy writes into a header such as CF-IPCountry: in
 * another country region and city are not known.  What is no country ("XX", "T1", nothing at
 * all) changes nothing. */
void place_of_header(const char *header, struct place *place);

/* What is none of these is left out: two letters, which become capitals; after the country
 * one to three letters and digits; valid UTF-8 without control characters. */
void place_set_country(struct place *place, const char *bytes, size_t len);
void place_set_region(struct place *place, const char *bytes, size_t len);
void place_set_city(struct place *place, const char *bytes, size_t len);

#endif
