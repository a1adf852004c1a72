/* referrer.h -- the page that a visitor came from, in the form that is stored.
 *
 *   https://www.example.org:8443/a/?b#c          ->  example.org/a
 *   android-app://com.google.android.gm/         ->  android-app://com.google.android.gm
 *   example.org/a  (as it has been stored once)  ->  example.org/a
 *
 * An app of Android keeps its scheme, because its name is no host.  Pure.
 */
#ifndef INGESTION_ENRICH_REFERRER_H
#define INGESTION_ENRICH_REFERRER_H

#include <stdbool.h>

#include "shared/event/event.h"

struct arena;

enum {
    REFERRER_MAX = EVENT_REFERRER_MAX /* characters that are stored */
};

struct referrer {
    struct event_text text; /* as it is stored; host and scheme in lower case */
    struct event_text host; /* its start: without "www.", an app's with its scheme */
    bool is_app;
};

/* Reads valid UTF-8 without NUL.  False when it is no such thing, or the arena is full. */
bool referrer_read(const struct event_text *text, struct arena *arena,
                   struct referrer *ret_referrer);

/* Whether that is the host of the event's own page; "www." and case do not matter. */
bool referrer_is_own(const struct referrer *referrer, const struct event_text *hostname);

#endif
