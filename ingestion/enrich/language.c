/* language.c -- see language.h. */
#include "ingestion/enrich/language.h"

#include <stdbool.h>
#include <string.h>

enum {
    LANGUAGE_MIN = 2,
    WEIGHT_ONE = 1000, /* of q=1, in thousandths */
    RANGES_MAX = 32    /* that are looked at */
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* Whether what follows the first subtag is subtags: "-Hant-TW". */
static bool has_subtags(const char *at, const char *end)
{
    while (at < end) {
        const char *start = at + 1;

        if (*at != '-' && *at != '_')
            return false;
        for (at = start; at < end && is_letter_or_digit(*at);)
            at++;
        if (at == start || at - start > LANGUAGE_MAX)
            return false;
    }
    return true;
}

size_t language_of_tag(const struct event_text *tag, char out[LANGUAGE_MAX])
{
    size_t len = 0;

    while (len < tag->len && is_letter(tag->bytes[len]) && len < LANGUAGE_MAX) {
        out[len] = (char)(tag->bytes[len] | 0x20);
        len++;
    }
    return len >= LANGUAGE_MIN && has_subtags(tag->bytes + len, tag->bytes + tag->len)
               ? len
               : 0;
}

static struct event_text trim(const char *bytes, size_t len)
{
    while (len > 0 && (bytes[0] == ' ' || bytes[0] == '\t')) {
        bytes++;
        len--;
    }
    while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == '\t'))
        len--;
    return (struct event_text){bytes, len};
}

/* What follows ";": q=0.8, in thousandths; one that cannot be read counts as none. */
static int weight_of(struct event_text text)
{
    int weight = 0;
    int unit = WEIGHT_ONE;

    text = trim(text.bytes, text.len);
    if (text.len < 3 || (text.bytes[0] | 0x20) != 'q' || text.bytes[1] != '=')
        return 0;
    for (size_t i = 2; i < text.len && unit > 0; i++) {
        if (i == 3 && text.bytes[i] == '.')
            continue;
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return 0;
        weight += (text.bytes[i] - '0') * unit;
        unit /= 10;
    }
    return weight < WEIGHT_ONE ? weight : WEIGHT_ONE;
}

static int read_range(const char *bytes, size_t len, char out[LANGUAGE_MAX],
                      size_t *ret_len)
{
    const char *semicolon = memchr(bytes, ';', len);
    size_t tag_len = semicolon ? (size_t)(semicolon - bytes) : len;
    struct event_text tag = trim(bytes, tag_len);

    *ret_len = language_of_tag(&tag, out);
    if (*ret_len == 0)
        return 0;
    return semicolon ? weight_of((struct event_text){semicolon + 1, len - tag_len - 1})
                     : WEIGHT_ONE;
}

size_t language_of_header(const struct event_text *header, char out[LANGUAGE_MAX])
{
    const char *at = header->bytes;
    size_t left = header->len;
    size_t best_len = 0;
    int best = 0;

    for (int i = 0; i < RANGES_MAX && left > 0; i++) {
        const char *comma = memchr(at, ',', left);
        size_t len = comma ? (size_t)(comma - at) : left;
        char language[LANGUAGE_MAX];
        size_t language_len;
        int weight = read_range(at, len, language, &language_len);
        if (weight > best) {
            best = weight;
            best_len = language_len;
            memcpy(out, language, language_len);
        }
        at += len < left ? len + 1 : len;
        left -= len < left ? len + 1 : len;
    }
    return best_len;
}
