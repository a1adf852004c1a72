/* place_text.c -- see place_text.h. */
#include "ingestion/enrich/geo/place_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "shared/text/utf8.h"

enum {
    REGION_CODE_MAX = 3,
    REGION_CODE_AT = 3, /* after the country and the hyphen */
};

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_letter(char c)
{
    return capital(c) >= 'A' && capital(c) <= 'Z';
}

void place_of_header(const char *header, struct place *place)
{
    struct place said = {.country = ""};

    place_set_country(&said, header, strlen(header));
    if (said.country[0] && strcmp(said.country, place->country) != 0)
        *place = said;
}

/* XX is what proxies write for unknown; so does the standard's user range. */
void place_set_country(struct place *place, const char *bytes, size_t len)
{
    if (len != 2 || !is_letter(bytes[0]) || !is_letter(bytes[1]))
        return;
    if (capital(bytes[0]) == 'X' && capital(bytes[1]) == 'X')
        return;
    place->country[0] = capital(bytes[0]);
    place->country[1] = capital(bytes[1]);
    place->country[2] = '\0';
}

void place_set_region(struct place *place, const char *bytes, size_t len)
{
    if (!place->country[0] || len == 0 || len > REGION_CODE_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        if (!is_letter(bytes[i]) && (bytes[i] < '0' || bytes[i] > '9'))
            return;
    (void)snprintf(place->region, sizeof(place->region), "%s-", place->country);
    for (size_t i = 0; i < len; i++)
        place->region[REGION_CODE_AT + i] = capital(bytes[i]);
    place->region[REGION_CODE_AT + len] = '\0';
}

void place_set_city(struct place *place, const char *bytes, size_t len)
{
    if (!utf8_is_valid(bytes, len))
        return;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f)
            return;
    len = utf8_cut(bytes, len, sizeof(place->city) - 1);
    memcpy(place->city, bytes, len);
    place->city[len] = '\0';
}
