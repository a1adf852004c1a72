/* hex.h -- one hexadecimal digit. */
#ifndef SHARED_BASE_HEX_H
#define SHARED_BASE_HEX_H

/* Its value, or -1 for any other character. */
static inline int hex_value(char c)
{
    unsigned digit = (unsigned)c - '0'; /* what is below '0' becomes very large */
    unsigned letter = ((unsigned)c | 0x20) - 'a'; /* upper case has one bit less */

    if (digit < 10)
        return (int)digit;
    return letter < 6 ? (int)letter + 10 : -1;
}

/* The byte that such an escape at text (NUL-terminated), %XX or ~XX, stands for, or -1. */
static inline int hex_escape(const char *text, char escape)
{
    int high = text[0] == escape ? hex_value(text[1]) : -1;
    int low = high < 0 ? -1 : hex_value(text[2]);

    return low < 0 ? -1 : high << 4 | low;
}

static inline int hex_percent(const char *text)
{
    return hex_escape(text, '%');
}

#endif
