/* utf8.c -- see utf8.h. */
#include "shared/text/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The second byte carries the rules against overlong forms, surrogates and what lies above
 * U+10FFFF (table 3-7 of the Unicode standard). */
static bool is_second(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return is_tail(second);
    }
}

size_t utf8_char_len(const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t want;

    if (len == 0)
        return 0;
    if (at[0] < 0x80)
        return 1;
    if (at[0] < 0xc2 || at[0] > 0xf4)
        return 0;
    want = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (len < want || !is_second(at[0], at[1]))
        return 0;
    for (size_t i = 2; i < want; i++) {
        if (!is_tail(at[i]))
            return 0;
    }
    return want;
}

bool utf8_is_valid(const char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        size_t char_len = utf8_char_len(bytes + at, len - at);
        if (char_len == 0)
            return false;
        at += char_len;
    }
    return true;
}

size_t utf8_count(const char *bytes, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += !is_tail((unsigned char)bytes[i]);
    return count;
}

size_t utf8_cut(const char *bytes, size_t len, size_t max_bytes)
{
    if (len <= max_bytes)
        return len;
    while (max_bytes > 0 && is_tail((unsigned char)bytes[max_bytes]))
        max_bytes--;
    return max_bytes;
}
