/* hex.h -- one hexadecimal digit. */
#ifndef SHARED_BASE_HEX_H
#define SHARED_BASE_HEX_H

/* Its value, or -1 for any other character. */
static inline int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The byte that the %XX at text (NUL-terminated) stands for, or -1. */
static inline int hex_percent(const char *text)
{
    int high = text[0] == '%' ? hex_value(text[1]) : -1;
    int low = high < 0 ? -1 : hex_value(text[2]);

    return low < 0 ? -1 : high << 4 | low;
}

#endif
