/* click.h -- which click id a url has; the id itself is nowhere stored.  Pure. */
#ifndef INGESTION_ENRICH_CLICK_H
#define INGESTION_ENRICH_CLICK_H

#include <stdbool.h>

#include "ingestion/enrich/source.h"
#include "shared/event/event.h"

struct click {
    const char *name; /* a constant, in lower case */
    enum source_kind kind;
    bool pays; /* it stands on advertisements alone */
};

/* The click id that has this key; NULL: none. */
const struct click *click_find(const struct event_text *key);

#endif
