/* utf8.h -- UTF-8 as the Unicode standard defines it: no overlong forms, no surrogates,
 * nothing above U+10FFFF.  Pure. */
#ifndef SHARED_TEXT_UTF8_H
#define SHARED_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes (1 to 4) of the valid character that starts at bytes, or 0 when there is none:
 * len is 0, or the bytes are invalid or cut short. */
size_t utf8_char_len(const char *bytes, size_t len);

bool utf8_is_valid(const char *bytes, size_t len);

/* Characters (code points) in valid text. */
size_t utf8_count(const char *bytes, size_t len);

/* The length of the longest prefix of valid text that is at most max_bytes long and ends
 * between two characters. */
size_t utf8_cut(const char *bytes, size_t len, size_t max_bytes);

#endif
