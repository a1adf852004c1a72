/* channel.h -- the kind of way on which a visitor came: Direct, Organic Search, Paid Search,
 * Organic Social, Paid Social, Email, Referral or AI.  The first rule that holds:
 *
 *   1  utm_medium is of e-mail (email, e-mail, newsletter)             Email
 *   2  it was paid for: utm_medium (cpc, ppc, paid...), the click id
 *      (gclid) or the source (facebook_ads) says so
 *          and one of these is social                                  Paid Social
 *          otherwise                                                   Paid Search
 *   3  the source is well known                                        AI, Email, Organic ...
 *   4  utm_medium says what it is (social, organic)                    Organic ...
 *   5  a click id that stands on every link (fbclid)                   Organic Social
 *   6  the source is Direct, and there is no utm_medium                Direct
 *   7  there is a source or a utm_medium                               Referral
 *
 * Pure.
 */
#ifndef INGESTION_ENRICH_CHANNEL_H
#define INGESTION_ENRICH_CHANNEL_H

#include <stdbool.h>

#include "ingestion/enrich/click.h"
#include "ingestion/enrich/source.h"
#include "shared/event/event.h"

struct channel_facts {
    const struct source *source; /* without a name: none */
    bool is_direct;              /* it is Direct */
    const struct event_text *medium;
    const struct click *click; /* NULL: none */
};

/* A constant, or NULL: nothing is known. */
const char *channel_of(const struct channel_facts *facts);

#endif
