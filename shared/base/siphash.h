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

/* The same for bytes that come in pieces. */
struct siphash_state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
    uint64_t rest; /* the bytes that make no whole word yet */
    uint64_t len;  /* of all bytes so far */
};

struct siphash_state siphash_begin(const struct siphash_key *key);
void siphash_add(struct siphash_state *state, const void *bytes, size_t len);
uint64_t siphash_end(const struct siphash_state *state);

/* The key that 16 bytes are, as the paper reads them. */
struct siphash_key siphash_key_of(const uint8_t bytes[16]);

#endif
