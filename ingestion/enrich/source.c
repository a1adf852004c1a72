/* source.c -- see source.h. */
#include "ingestion/enrich/source.h"

#include <string.h>

#include "ingestion/enrich/source_names.h"
#include "ingestion/enrich/url.h"

enum {
    KEY_MAX = 255,   /* bytes of a text that is looked for; a host has no more */
    COUNTRY_MAX = 3, /* letters of a country or the like at the end of a host */
    APP_SCHEME = 14, /* bytes of "android-app://" */
    ROOM = KEY_MAX + 2
};

struct row {
    const char *key;
    const char *name;
    enum source_kind kind;
};

static const struct row rows[] = {
#define ROW(text, source_name, KIND) {(text), (source_name), SOURCE_##KIND},
    SOURCE_NAMES(ROW)
#undef ROW
};

enum {
    ROW_COUNT = sizeof(rows) / sizeof(rows[0])
};

const char *source_key(size_t row)
{
    return row < ROW_COUNT ? rows[row].key : NULL;
}

static const struct row *find_key(const char *key)
{
    size_t low = 0;
    size_t high = ROW_COUNT;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, rows[middle].key);
        if (order == 0)
            return &rows[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* The host itself, else the nearest one above it.  A word without a dot is no host. */
static const struct row *find_host(const char *host)
{
    const struct row *row = NULL;

    while (!row && host && strchr(host, '.')) {
        row = find_key(host);
        host = strchr(host, '.') + 1;
    }
    return row;
}

/* The same for hosts of all countries: for www.google.de by www.google.*, for
 * www.google.co.uk by www.google.* too. */
static const struct row *find_of_country(char *host)
{
    char *last = strrchr(host, '.');
    size_t last_len = last ? strlen(last + 1) : 0;
    const struct row *row;
    char *second;

    if (last_len < 2)
        return NULL;
    *last = '\0';
    second = strrchr(host, '.');
    memcpy(last, ".*", 3);
    row = find_host(host);
    if (row || !second || last_len != 2 || last - second > COUNTRY_MAX + 1)
        return row;
    memcpy(second, ".*", 3);
    return find_host(host);
}

/* In lower case, NUL-terminated.  False when it is too long to be known. */
static bool copy_key(const struct event_text *text, char key[ROOM])
{
    if (text->len > KEY_MAX)
        return false;
    for (size_t i = 0; i < text->len; i++) {
        char c = text->bytes[i];
        key[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    key[text->len] = '\0';
    return true;
}

static const struct row *find(char key[ROOM])
{
    const struct row *row;

    if (strncmp(key, "android-app://", APP_SCHEME) == 0)
        memmove(key, key + APP_SCHEME, strlen(key + APP_SCHEME) + 1);
    if (strncmp(key, "www.", 4) == 0)
        memmove(key, key + 4, strlen(key + 4) + 1);
    row = find_key(key);
    if (!row)
        row = find_host(key);
    return row ? row : find_of_country(key);
}

/* Cuts "ads" or "ad" off the end, and what separates it. */
static bool cut_ads(char *key)
{
    size_t len = strlen(key);

    if (len > 3 && strcmp(key + len - 3, "ads") == 0)
        len -= 3;
    else if (len > 2 && strcmp(key + len - 2, "ad") == 0)
        len -= 2;
    else
        return false;
    if (strchr("_- .", key[len - 1]))
        len--;
    key[len] = '\0';
    return len > 0;
}

struct source source_find(const struct event_text *text)
{
    struct source source = {.name = url_cut(*text, SOURCE_MAX)};
    char key[ROOM];
    const struct row *row;

    if (!copy_key(text, key))
        return source;
    source.is_paid = strcmp(key, "adwords") == 0;
    row = find(key);
    if (!row && copy_key(text, key) && cut_ads(key)) {
        row = find_key(key);
        source.is_paid = row != NULL;
    }
    if (!row)
        return source;
    source.name = (struct event_text){row->name, strlen(row->name)};
    source.kind = row->kind;
    return source;
}
