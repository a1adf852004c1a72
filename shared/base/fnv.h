/* fnv.h -- FNV-1a, for what nobody gains by making it collide; otherwise siphash.h. */
#ifndef SHARED_BASE_FNV_H
#define SHARED_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)

/* The hash with one byte more. */
static inline uint64_t fnv_byte(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(0x100000001b3);
}

/* The hash with so many bytes more. */
static inline uint64_t fnv_bytes(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = fnv_byte(hash, (unsigned char)bytes[i]);
    return hash;
}

#endif
