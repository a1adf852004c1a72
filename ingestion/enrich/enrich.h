/* enrich.h -- what is derived from an event's inputs and from its request, step by step.
 *
 * The steps are one table (steps.c): each has a name, is timed and counted, and may drop the
 * event with a reason.  Of an event that a server sends, only its own fields are looked at; of
 * one that a page sends, the request too (facts.is_page).  An event without any input costs a
 * look at its mask.
 *
 * What a request tells stays here: no address and no User-Agent gets into the event.
 *
 * Belongs to one loop.
 */
#ifndef INGESTION_ENRICH_ENRICH_H
#define INGESTION_ENRICH_ENRICH_H

#include <stdbool.h>
#include <stddef.h>

#include "ingestion/enrich/bots.h"
#include "shared/access/address.h"
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/base/metrics.h"
#include "shared/event/event.h"

struct agent_cache;
struct places;
struct salts;
struct words;

/* The steps in their order. */
#define ENRICH_STEPS(X)                                                                  \
    X(URL, "url", url)                                                                   \
    X(REFERRER, "referrer", referrer)                                                    \
    X(AGENT, "agent", agent)                                                             \
    X(BOTS, "bots", bots)                                                                \
    X(SOURCE, "source", source)                                                          \
    X(LANGUAGE, "language", language)                                                    \
    X(VISITOR, "visitor", visitor)                                                       \
    X(PLACE, "place", place)

enum enrich_step {
#define ENRICH_STEP_ENUM(NAME, ...) ENRICH_STEP_##NAME,
    ENRICH_STEPS(ENRICH_STEP_ENUM)
#undef ENRICH_STEP_ENUM
    ENRICH_STEP_COUNT
};

struct enrich_metrics {
    struct metric runs[ENRICH_STEP_COUNT];
    struct metric ns[ENRICH_STEP_COUNT];
    struct metric dropped[BOT_REASON_COUNT];
    struct metric own_salts; /* events whose visitor has a salt of this process alone */
};

/* What a request tells, read once for all of its events.  Texts are NULL where there are
 * none; all are borrowed. */
struct request_facts {
    const struct bots *bots; /* what the settings say; never NULL */
    const struct places *places;
    bool is_page; /* the fields are derived from the request */
    const char *user_agent;
    const char *accept_language;
    const char *brands;   /* Sec-CH-UA */
    const char *platform; /* Sec-CH-UA-Platform */
    const char *mobile;   /* Sec-CH-UA-Mobile */
    const char *purpose;
    const char *sec_purpose;
    const char *x_moz;
    const char *country;   /* that a trusted proxy has found */
    bool wants_no_visitor; /* Sec-GPC: 1, where it is respected */
    bool has_address;
    struct address address;
};

struct enrich_options {
    const struct words *url_keys; /* of the query that stay in the path; borrowed, all */
    struct agent_cache *agents;
    struct salts *salts;
    struct enrich_metrics *metrics;
};

struct enricher; /* opaque */

/* ERR_NOMEM. */
enum err_code enricher_new(const struct enrich_options *options,
                           struct enricher **ret_enricher, struct err *err) MUST_CHECK;
void enricher_free(struct enricher *enricher); /* NULL is fine */

/* Forgets the bytes made for earlier events: at the start of each request. */
void enricher_clear(struct enricher *enricher);

/* Fills in what can be derived; received_at_ms is set already.  What it adds lives until
 * enricher_clear(), so long as the event's parser is not used again.  Returns why the event is
 * dropped, counted; BOT_NONE: it is not. */
enum bot_reason enricher_run(struct enricher *enricher, const struct request_facts *facts,
                             struct event *event);

/* For event_parser_check(): what else must be true of a url, a language. */
bool enrich_is_url(const struct event_text *text);
bool enrich_is_language(const struct event_text *text);

#endif
