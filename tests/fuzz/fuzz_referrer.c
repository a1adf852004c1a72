/* fuzz_referrer.c -- a referrer of any valid text: what is stored is within its limits and has
 * no query, and what has been stored once is stored the same again. */
#include <string.h>

#include "ingestion/enrich/channel.h"
#include "ingestion/enrich/referrer.h"
#include "ingestion/enrich/source.h"
#include "shared/base/arena.h"
#include "shared/text/utf8.h"
#include "tests/fuzz/fuzz.h"

enum {
    TEXT_MAX = 16384, /* bytes that 4,096 characters can have */
    ROOM = 8 * TEXT_MAX
};

static bool is_within(const struct event_text *text, size_t max_chars)
{
    return utf8_is_valid(text->bytes, text->len) &&
           utf8_count(text->bytes, text->len) <= max_chars;
}

static bool is_same(const struct event_text *a, const struct event_text *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void check_source(const struct referrer *referrer)
{
    struct source source = source_find(&referrer->host);
    struct event_text medium = {NULL, 0};
    struct channel_facts facts = {.source = &source, .medium = &medium};

    MUST(source.name.bytes && is_within(&source.name, SOURCE_MAX));
    MUST(channel_of(&facts));
    (void)referrer_is_own(referrer, &referrer->host);
}

static void check(const struct event_text *text, struct arena *arena)
{
    struct referrer first;
    struct referrer again;

    if (!referrer_read(text, arena, &first))
        return;
    MUST(first.text.len > 0 && is_within(&first.text, REFERRER_MAX));
    MUST(!memchr(first.text.bytes, '?', first.text.len));
    MUST(!memchr(first.text.bytes, '#', first.text.len));
    if (first.host.len <= first.text.len)
        check_source(&first);
    if (referrer_read(&first.text, arena, &again))
        MUST(again.text.len <= first.text.len &&
             (again.text.len < first.text.len || is_same(&again.text, &first.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_text text;
    struct arena arena;
    char *copy;

    if (size > TEXT_MAX || memchr(data, '\0', size) ||
        !utf8_is_valid((const char *)data, size))
        return 0;
    copy = malloc(size ? size : 1); /* of its size, for the sanitizer */
    MUST(copy && arena_init(&arena, ROOM) == ERR_OK);
    memcpy(copy, data, size);
    text = (struct event_text){copy, size};
    check(&text, &arena);
    arena_release(&arena);
    free(copy);
    return 0;
}
