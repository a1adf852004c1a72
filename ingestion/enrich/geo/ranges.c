/* ranges.c -- see ranges.h. */
#include "ingestion/enrich/geo/ranges.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "shared/access/address.h"
#include "shared/base/mem.h"

enum {
    LINE_MAX_BYTES = 256,
    PATH_MAX_BYTES = 4200,
    FIRST_CAPACITY = 1024,
    CHANGES_MAX = 2 * RANGES_MAX, /* a range may end without another one */
    MAPPED_BYTES = 12, /* of an IPv4 address in its IPv6 form, before its own four */
};

/* The key of an address: itself for IPv4, otherwise the upper and the lower half. */
struct key {
    uint64_t high;
    uint64_t low;
};

/* From each key on, up to the next one, the addresses are in one country. */
struct list {
    size_t count;
    size_t capacity;
    struct key *keys;    /* owned */
    uint16_t *countries; /* owned; two letters; 0: none */
};

struct ranges {
    struct list v4;
    struct list v6;
};

struct line {
    struct key first;
    struct key last;
    uint16_t country;
};

typedef bool (*read_key_fn)(const char *text, struct key *ret_key);

static int compare(struct key a, struct key b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    if (a.low != b.low)
        return a.low < b.low ? -1 : 1;
    return 0;
}

static struct key after(struct key key)
{
    key.low++;
    if (key.low == 0)
        key.high++;
    return key;
}

/* False for the last address that there is. */
static bool has_next(struct key key)
{
    return compare(after(key), key) > 0;
}

static uint64_t big_endian(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* 16777216 */
static bool read_v4(const char *text, struct key *ret_key)
{
    uint64_t value = 0;

    if (!text[0])
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > UINT32_MAX)
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *ret_key = (struct key){0, value};
    return value <= UINT32_MAX;
}

static bool read_v6(const char *text, struct key *ret_key)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *ret_key = (struct key){big_endian(bytes), big_endian(bytes + 8)};
    return true;
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* Cuts the line at its commas. */
static bool read_line(char *text, read_key_fn read_key, struct line *ret_line)
{
    char *last = strchr(text, ',');
    char *country = last ? strchr(last + 1, ',') : NULL;

    if (!country)
        return false;
    *last++ = '\0';
    *country++ = '\0';
    country[strcspn(country, "\r\n")] = '\0';
    if (strlen(country) != 2 || !read_key(text, &ret_line->first) ||
        !read_key(last, &ret_line->last) || compare(ret_line->first, ret_line->last) > 0)
        return false;
    ret_line->country = 0; /* "??" */
    if (is_capital(country[0]) && is_capital(country[1]))
        ret_line->country =
            (uint16_t)((unsigned char)country[0] << 8 | (unsigned char)country[1]);
    return true;
}

static bool grow(struct list *list)
{
    size_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
    struct key *keys = mem_realloc(list->keys, capacity * sizeof(*keys));
    uint16_t *countries;

    if (!keys)
        return false;
    list->keys = keys;
    countries = mem_realloc(list->countries, capacity * sizeof(*countries));
    if (!countries)
        return false;
    list->countries = countries;
    list->capacity = capacity;
    return true;
}

/* A change at key, in place of one that is there already; none where nothing changes. */
static bool append(struct list *list, struct key key, uint16_t country)
{
    if (list->count && compare(list->keys[list->count - 1], key) == 0)
        list->count--;
    if (list->count && list->countries[list->count - 1] == country)
        return true;
    if (list->count == list->capacity && !grow(list))
        return false;
    list->keys[list->count] = key;
    list->countries[list->count++] = country;
    return true;
}

/* The range; addresses after it have no place unless another range says so. */
static enum err_code add(struct list *list, const struct line *line, struct err *err)
{
    if (list->count && compare(line->first, list->keys[list->count - 1]) < 0)
        return err_set(err, ERR_CONFIG, "is not in order");
    if (list->count >= CHANGES_MAX)
        return err_set(err, ERR_CONFIG, "is one too many");
    if (!append(list, line->first, line->country) ||
        (has_next(line->last) && !append(list, after(line->last), 0)))
        return err_set(err, ERR_NOMEM, "out of memory");
    return ERR_OK;
}

static enum err_code read_lines(FILE *file, read_key_fn read_key, struct list *list,
                                struct err *err)
{
    char text[LINE_MAX_BYTES];

    for (unsigned long number = 1; fgets(text, sizeof(text), file); number++) {
        struct line line;
        if (text[0] == '#' || text[0] == '\n' || text[0] == '\r')
            continue;
        if (!read_line(text, read_key, &line))
            return err_set(err, ERR_CONFIG, "line %lu is no range of addresses", number);
        if (add(list, &line, err))
            return err_wrap(err, "line %lu", number);
    }
    if (ferror(file))
        return err_set(err, ERR_CONFIG, "%s", strerror(errno));
    if (list->count == 0)
        return err_set(err, ERR_CONFIG, "it has no ranges");
    return ERR_OK;
}

static void shrink(struct list *list)
{
    struct key *keys = mem_realloc(list->keys, list->count * sizeof(*keys));
    uint16_t *countries = mem_realloc(list->countries, list->count * sizeof(*countries));

    if (keys)
        list->keys = keys;
    if (countries)
        list->countries = countries;
}

/* ERR_NOT_FOUND: there is no such file. */
static enum err_code load(const char *folder, const char *name, read_key_fn read_key,
                          struct list *list, struct err *err)
{
    char path[PATH_MAX_BYTES];
    enum err_code code;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "re");
    if (!file)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_CONFIG,
                       "could not open \"%s\": %s", path, strerror(errno));
    code = read_lines(file, read_key, list, err);
    (void)fclose(file); /* it was only read */
    if (code)
        return err_wrap(err, "could not read \"%s\"", path);
    shrink(list);
    return ERR_OK;
}

enum err_code ranges_load(const char *folder, struct ranges **ret_ranges, struct err *err)
{
    struct ranges *ranges = mem_calloc(1, sizeof(*ranges));
    enum err_code v4;
    enum err_code v6 = ERR_OK;

    if (!ranges)
        return err_set(err, ERR_NOMEM, "out of memory");
    v4 = load(folder, "geoip", read_v4, &ranges->v4, err);
    if (!v4 || v4 == ERR_NOT_FOUND)
        v6 = load(folder, "geoip6", read_v6, &ranges->v6, err);
    /* One of the two may be missing. */
    if (v6 == ERR_NOT_FOUND && !v4)
        v6 = ERR_OK;
    if (v4 == ERR_NOT_FOUND && !v6)
        v4 = ERR_OK;
    if (v4 || v6) {
        ranges_free(ranges);
        return v6 ? v6 : v4;
    }
    *ret_ranges = ranges;
    return ERR_OK;
}

static void release(struct list *list)
{
    mem_free(list->keys);
    mem_free(list->countries);
}

void ranges_free(struct ranges *ranges)
{
    if (!ranges)
        return;
    release(&ranges->v4);
    release(&ranges->v6);
    mem_free(ranges);
}

size_t ranges_count(const struct ranges *ranges)
{
    return ranges->v4.count + ranges->v6.count;
}

/* The country of the last change at or before key; 0: none. */
static uint16_t find(const struct list *list, struct key key)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(list->keys[middle], key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? list->countries[low - 1] : 0;
}

static uint64_t v4_of(const struct address *address)
{
    uint64_t value = 0;

    for (int i = MAPPED_BYTES; i < 16; i++)
        value = value << 8 | address->bytes[i];
    return value;
}

bool ranges_find(const struct ranges *ranges, const struct address *address,
                 char ret_country[3])
{
    uint16_t country;

    if (address_is_v4(address))
        country = find(&ranges->v4, (struct key){0, v4_of(address)});
    else
        country = find(&ranges->v6, (struct key){big_endian(address->bytes),
                                                 big_endian(address->bytes + 8)});
    if (country == 0)
        return false;
    ret_country[0] = (char)(country >> 8);
    ret_country[1] = (char)(country & 0xff);
    ret_country[2] = '\0';
    return true;
}
