/* json_plain.h -- how much of a text stands in a JSON string as it is.
 *
 * Both directions spend most of their time on it, so it looks at eight bytes at once.
 */
#ifndef SHARED_TEXT_JSON_PLAIN_H
#define SHARED_TEXT_JSON_PLAIN_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Neither a control character nor a quote, a backslash or a byte beyond ASCII. */
static inline bool json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Eight bytes, the first one lowest, in which the top bit of the lowest one that is not
 * plain is set, and no bit below that; 0 when all are plain.  A subtraction sets the top
 * bit of a byte that was too small; what it borrows spoils only the bytes above. */
static inline uint64_t json_special_bits(const char *bytes)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    word = le64toh(word);
    return (word | (word - each * 0x20) | ((word ^ each * '"') - each) |
            ((word ^ each * '\\') - each)) &
           each * 0x80;
}

/* The plain bytes at the start. */
static inline size_t json_plain_len(const char *bytes, size_t len)
{
    size_t at = 0;

    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t special = json_special_bits(bytes + at);
        if (special)
            return at + (size_t)__builtin_ctzll(special) / 8;
    }
    while (at < len && json_is_plain((unsigned char)bytes[at]))
        at++;
    return at;
}

#endif
