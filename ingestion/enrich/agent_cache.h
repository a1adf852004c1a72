/* agent_cache.h -- what was made of the User-Agents seen last.
 *
 * A table of fixed size, so that a million different headers take no more memory than one:
 * sets of four entries, the one that was not asked for the longest gives way.  An entry holds
 * a 64-bit SipHash of the header under a random key, not the header: nobody can choose
 * headers that fall into one set, and none is kept.
 *
 * Belongs to one loop.
 */
#ifndef INGESTION_ENRICH_AGENT_CACHE_H
#define INGESTION_ENRICH_AGENT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "ingestion/enrich/agent.h"
#include "ingestion/enrich/bots.h"
#include "shared/base/err.h"

struct agent_cache; /* opaque */

/* All that a User-Agent alone tells. */
struct agent_facts {
    struct agent agent;
    enum bot_reason bot; /* BOT_NONE: no bot by its name */
};

/* Holds so many entries, rounded up to a power of two; 0: none, each header is looked at
 * anew.  ERR_NOMEM; ERR_UNAVAILABLE (no entropy).  The tables are borrowed and must outlive the
 * cache. */
enum err_code agent_cache_new(size_t entries, const struct agents *agents,
                              const struct bot_names *names,
                              struct agent_cache **ret_cache, struct err *err) MUST_CHECK;
void agent_cache_free(struct agent_cache *cache); /* NULL is fine */

/* Never NULL; valid until the next call. */
const struct agent_facts *agent_cache_get(struct agent_cache *cache,
                                          const char *user_agent, size_t len);

/* How many calls found nothing and had to look at the header. */
uint64_t agent_cache_misses(const struct agent_cache *cache);

#endif
