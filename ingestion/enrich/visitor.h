/* visitor.h -- who a visitor is, without a cookie: a number made of his address and his
 * browser, and of a salt that changes every day, after which nobody can make it again.
 *
 * Pure.  salts.h has the salts.
 */
#ifndef INGESTION_ENRICH_VISITOR_H
#define INGESTION_ENRICH_VISITOR_H

#include <stddef.h>
#include <stdint.h>

struct address;
struct siphash_key;

/* SipHash-2-4 of site_id, NUL, the address as 16 bytes (an IPv6 one cut to its /64, which is
 * what a provider gives to one household), NUL, User-Agent.  So the same visitor has another
 * number on each site, and no two texts run together. */
uint64_t visitor_id(const struct siphash_key *salt, const char *site_id, size_t site_len,
                    const struct address *address, const char *agent, size_t agent_len);

/* The day, in days since 1970, whose salt holds at this time: it begins at that hour of UTC,
 * and has the date on which it begins. */
int64_t visitor_day(int64_t wall_ms, int64_t starts_hour);

#endif
