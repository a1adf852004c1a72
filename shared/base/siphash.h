/* siphash.h -- SipHash-2-4, a keyed 64-bit hash: without the key nobody can choose inputs
 * that fall together.  After the paper of Aumasson and Bernstein (2012). */
#ifndef SHARED_BASE_SIPHASH_H
#define SHARED_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t len);

#endif
