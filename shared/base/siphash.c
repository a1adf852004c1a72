/* siphash.c -- see siphash.h. */
#include "shared/base/siphash.h"

#include <string.h>

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void rounds(struct siphash_state *s, int count)
{
    while (count-- > 0) {
        s->v0 += s->v1;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v2 = rotate(s->v2, 32);
    }
}

static uint64_t little_endian(const unsigned char *bytes, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

static void take_word(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

struct siphash_state siphash_begin(const struct siphash_key *key)
{
    return (struct siphash_state){
        .v0 = key->k0 ^ 0x736f6d6570736575ULL,
        .v1 = key->k1 ^ 0x646f72616e646f6dULL,
        .v2 = key->k0 ^ 0x6c7967656e657261ULL,
        .v3 = key->k1 ^ 0x7465646279746573ULL,
    };
}

static uint64_t finish(struct siphash_state s, uint64_t rest, uint64_t len)
{
    take_word(&s, rest | len << 56);
    s.v2 ^= 0xff;
    rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, size_t len)
{
    struct siphash_state s = siphash_begin(key);
    const unsigned char *at = bytes;
    size_t left = len;

    for (; left >= 8; left -= 8, at += 8)
        take_word(&s, little_endian(at, 8));
    return finish(s, little_endian(at, left), len);
}

void siphash_add(struct siphash_state *state, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++) {
        state->rest |= (uint64_t)at[i] << (8 * (state->len % 8));
        state->len++;
        if (state->len % 8 > 0)
            continue;
        take_word(state, state->rest);
        state->rest = 0;
    }
}

uint64_t siphash_end(const struct siphash_state *state)
{
    return finish(*state, state->rest, state->len);
}

struct siphash_key siphash_key_of(const uint8_t bytes[16])
{
    return (struct siphash_key){.k0 = little_endian(bytes, 8),
                                .k1 = little_endian(bytes + 8, 8)};
}
