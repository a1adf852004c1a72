/* source.h -- where a visitor came from, by name: "Google" for google, GOOGLE and
 * www.google.de.
 *
 * Who is not in the table of well-known names (source_names.h) keeps his own: a word as it
 * was written, a host as referrer.h has it.  Pure.
 */
#ifndef INGESTION_ENRICH_SOURCE_H
#define INGESTION_ENRICH_SOURCE_H

#include <stdbool.h>

#include "shared/event/event.h"

enum {
    SOURCE_MAX = 255 /* characters */
};

enum source_kind {
    SOURCE_OTHER,
    SOURCE_SEARCH,
    SOURCE_SOCIAL,
    SOURCE_AI,
    SOURCE_EMAIL
};

struct source {
    struct event_text name; /* bytes is NULL: none */
    enum source_kind kind;
    bool is_paid; /* the word says so: googleads, facebook_ad */
};

/* The source that a word of utm_source, ref or source means, or the host of a referrer
 * (struct referrer).  The name is the text itself, cut, or a constant. */
struct source source_find(const struct event_text *text);

/* Of the row with this number the key, NULL after the last one: for the test. */
const char *source_key(size_t row);

#endif
