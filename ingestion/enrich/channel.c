/* channel.c -- see channel.h. */
#include "ingestion/enrich/channel.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum {
    MEDIUM_MAX = 32 /* bytes of a utm_medium that says something; longer ones do not */
};

/* A copy in lower case, with - and _ as blanks; "" when there is none that is known. */
static void copy_medium(const struct event_text *medium, char out[MEDIUM_MAX + 1])
{
    size_t len = medium->bytes && medium->len <= MEDIUM_MAX ? medium->len : 0;

    for (size_t i = 0; i < len; i++) {
        char c = medium->bytes[i];
        out[i] = c >= 'A' && c <= 'Z'   ? (char)(c - 'A' + 'a')
                 : c == '-' || c == '_' ? ' '
                                        : c;
    }
    out[len] = '\0';
}

static bool is_one_of(const char *medium, const char *const *words)
{
    while (*words && strcmp(*words, medium) != 0)
        words++;
    return *words != NULL;
}

static bool is_email(const char *medium)
{
    static const char *const words[] = {"email", "e mail", "mail", "newsletter", NULL};

    return is_one_of(medium, words);
}

static bool is_social(const char *medium)
{
    static const char *const words[] = {"social", "social media", "social network",
                                        "sm",     "socialmedia",  NULL};

    return is_one_of(medium, words);
}

/* cpc, cpm, cpv, ppc, paid, paidsearch, paid social, retargeting. */
static bool is_paid(const char *medium)
{
    return strstr(medium, "cp") || strcmp(medium, "ppc") == 0 ||
           strncmp(medium, "paid", 4) == 0 || strcmp(medium, "retargeting") == 0;
}

static const char *of_paid(const struct channel_facts *facts, const char *medium)
{
    bool is_of_search = facts->source->kind == SOURCE_SEARCH;

    return facts->source->kind == SOURCE_SOCIAL ||
                   (!is_of_search && facts->click &&
                    facts->click->kind == SOURCE_SOCIAL) ||
                   (!is_of_search && strstr(medium, "social"))
               ? "Paid Social"
               : "Paid Search";
}

static const char *of_kind(enum source_kind kind)
{
    switch (kind) {
    case SOURCE_SEARCH:
        return "Organic Search";
    case SOURCE_SOCIAL:
        return "Organic Social";
    case SOURCE_AI:
        return "AI";
    case SOURCE_EMAIL:
        return "Email";
    case SOURCE_OTHER:
        break;
    }
    return NULL;
}

static const char *of_rest(const struct channel_facts *facts, const char *medium)
{
    if (is_social(medium))
        return "Organic Social";
    if (strcmp(medium, "organic") == 0)
        return "Organic Search";
    if (facts->click)
        return "Organic Social";
    if (facts->is_direct && !facts->medium->bytes)
        return "Direct";
    return facts->source->name.bytes || facts->medium->bytes ? "Referral" : NULL;
}

const char *channel_of(const struct channel_facts *facts)
{
    char medium[MEDIUM_MAX + 1];
    const char *channel;

    copy_medium(facts->medium, medium);
    if (is_email(medium))
        return "Email";
    if (is_paid(medium) || facts->source->is_paid || (facts->click && facts->click->pays))
        return of_paid(facts, medium);
    channel = of_kind(facts->source->kind);
    return channel ? channel : of_rest(facts, medium);
}
