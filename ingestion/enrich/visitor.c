/* visitor.c -- see visitor.h. */
#include "ingestion/enrich/visitor.h"

#include "shared/access/address.h"
#include "shared/base/siphash.h"

enum {
    HOUR_MS = 3600000,
    DAY_MS = 24 * HOUR_MS,
};

uint64_t visitor_id(const struct siphash_key *salt, const char *site_id, size_t site_len,
                    const struct address *address, const char *agent, size_t agent_len)
{
    static const char between = '\0';
    struct address site = address_of_site(address);
    struct siphash_state state = siphash_begin(salt);

    siphash_add(&state, site_id, site_len);
    siphash_add(&state, &between, 1);
    siphash_add(&state, site.bytes, sizeof(site.bytes));
    siphash_add(&state, &between, 1);
    siphash_add(&state, agent, agent_len);
    return siphash_end(&state);
}

int64_t visitor_day(int64_t wall_ms, int64_t starts_hour)
{
    int64_t shifted_ms = wall_ms - starts_hour * HOUR_MS;
    int64_t day = shifted_ms / DAY_MS;

    return shifted_ms % DAY_MS < 0 ? day - 1 : day;
}
