/* fuzz_url.c -- URLs: what is taken from a text is valid and within its limits.  Sources and
 * languages are looked for in the same bytes. */
#include <string.h>

#include "ingestion/enrich/click.h"
#include "ingestion/enrich/language.h"
#include "ingestion/enrich/source.h"
#include "ingestion/enrich/url.h"
#include "shared/base/arena.h"
#include "shared/base/mem.h"
#include "shared/text/utf8.h"
#include "shared/text/words.h"
#include "tests/fuzz/fuzz.h"

enum {
    TEXT_MAX = 16384, /* bytes that 4,096 characters can have */
    ROOM = 8 * TEXT_MAX,
    PAGE_MAX = 2048
};

static bool is_within(const struct event_text *text, size_t max_chars)
{
    return utf8_is_valid(text->bytes, text->len) &&
           utf8_count(text->bytes, text->len) <= max_chars;
}

static void check_pairs(const struct url *url)
{
    struct event_text rest = url->query;
    struct url_pair pair;

    while (url_next_pair(&rest, &pair)) {
        char out[URL_DECODED_BYTES];
        struct event_text value = {out, url_decode_form(&pair.value, out)};
        MUST(!memchr(pair.key.bytes, '&', pair.key.len));
        MUST(!memchr(pair.key.bytes, '=', pair.key.len));
        MUST(is_within(&value, URL_DECODED_MAX) && !memchr(out, '\0', value.len));
        (void)click_find(&pair.key);
        (void)source_find(&value);
    }
}

static void check_url(const char *bytes, size_t len, struct arena *arena)
{
    struct words keys;
    struct err err;
    struct url url;
    struct event_text page;

    if (!url_parse(bytes, len, &url))
        return;
    MUST(url.host.len > 0 && is_within(&url.host, URL_HOST_MAX));
    MUST(!memchr(url.host.bytes, '/', url.host.len));
    MUST(url.path.len > 0 && url.path.bytes[0] == '/');
    MUST(!memchr(url.path.bytes, '?', url.path.len));
    check_pairs(&url);
    MUST(words_parse("p,q", &keys, &err) == ERR_OK);
    page = url_page(&url, &keys, PAGE_MAX, arena);
    MUST(page.bytes && page.len > 0 && is_within(&page, PAGE_MAX));
    words_release(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char language[LANGUAGE_MAX];
    struct event_text text;
    struct arena arena;
    char *copy;

    if (size > TEXT_MAX || memchr(data, '\0', size) ||
        !utf8_is_valid((const char *)data, size))
        return 0;
    copy = malloc(size + 1);
    MUST(copy && arena_init(&arena, ROOM) == ERR_OK);
    memcpy(copy, data, size);
    text = (struct event_text){copy, size};
    check_url(copy, size, &arena);
    (void)source_find(&text);
    MUST(language_of_header(&text, language) <= LANGUAGE_MAX);
    arena_release(&arena);
    free(copy);
    return 0;
}
