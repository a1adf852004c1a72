/* language.h -- the language of a visitor: the first subtag of a language tag, in lower
 * case ("pt-BR" -> "pt").  Pure. */
#ifndef INGESTION_ENRICH_LANGUAGE_H
#define INGESTION_ENRICH_LANGUAGE_H

#include <stddef.h>

#include "shared/event/event.h"

enum {
    LANGUAGE_MAX = 8 /* letters of a first subtag */
};

/* The language of a tag; both return the letters written, 0 when there is none. */
size_t language_of_tag(const struct event_text *tag, char out[LANGUAGE_MAX]);

/* The one that an Accept-Language header wants most. */
size_t language_of_header(const struct event_text *header, char out[LANGUAGE_MAX]);

#endif
