/* agent_cache.c -- see agent_cache.h. */
#include "ingestion/enrich/agent_cache.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "shared/base/mem.h"
#include "shared/base/siphash.h"

enum {
    WAYS = 4,
};

struct entry {
    uint64_t hash;
    uint64_t used; /* the call that asked for it last; 0: empty */
    struct agent_facts facts;
};

struct agent_cache {
    const struct agents *agents;   /* borrowed */
    const struct bot_names *names; /* borrowed */
    struct siphash_key key;
    size_t sets; /* a power of two; 0: no entries */
    uint64_t calls;
    uint64_t misses;
    struct agent_facts uncached; /* where there are no entries */
    struct entry entries[];      /* WAYS for each set */
};

static size_t sets_for(size_t entries)
{
    size_t sets = 1;

    if (entries == 0)
        return 0;
    while (sets * WAYS < entries)
        sets *= 2;
    return sets;
}

enum err_code agent_cache_new(size_t entries, const struct agents *agents,
                              const struct bot_names *names,
                              struct agent_cache **ret_cache, struct err *err)
{
    size_t sets = sets_for(entries);
    struct agent_cache *cache =
        mem_calloc(1, sizeof(*cache) + sets * WAYS * sizeof(cache->entries[0]));

    if (!cache)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (getrandom(&cache->key, sizeof(cache->key), 0) != sizeof(cache->key)) {
        mem_free(cache);
        return err_set(err, ERR_UNAVAILABLE, "could not get random bytes: %s",
                       strerror(errno));
    }
    cache->agents = agents;
    cache->names = names;
    cache->sets = sets;
    *ret_cache = cache;
    return ERR_OK;
}

void agent_cache_free(struct agent_cache *cache)
{
    mem_free(cache);
}

static void look(struct agent_cache *cache, const char *user_agent, size_t len,
                 struct agent_facts *ret)
{
    cache->misses++;
    agent_classify(cache->agents, user_agent, len, &ret->agent);
    ret->bot = bots_of_agent(cache->names, user_agent, len);
}

/* The entry of the hash, else the one to give to it. */
static struct entry *entry_for(struct agent_cache *cache, uint64_t hash)
{
    struct entry *set = &cache->entries[(hash & (cache->sets - 1)) * WAYS];
    struct entry *oldest = set;

    for (struct entry *entry = set; entry < set + WAYS; entry++) {
        if (entry->used && entry->hash == hash)
            return entry;
        if (entry->used < oldest->used)
            oldest = entry;
    }
    oldest->used = 0;
    return oldest;
}

const struct agent_facts *agent_cache_get(struct agent_cache *cache,
                                          const char *user_agent, size_t len)
{
    struct entry *entry;
    uint64_t hash;

    if (!cache->sets) {
        look(cache, user_agent, len, &cache->uncached);
        return &cache->uncached;
    }
    hash = siphash(&cache->key, user_agent, len);
    entry = entry_for(cache, hash);
    if (!entry->used) {
        look(cache, user_agent, len, &entry->facts);
        entry->hash = hash;
    }
    entry->used = ++cache->calls;
    return &entry->facts;
}

uint64_t agent_cache_misses(const struct agent_cache *cache)
{
    return cache->misses;
}
