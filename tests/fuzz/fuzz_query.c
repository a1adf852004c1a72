/* fuzz_query.c -- pairs of a query string: valid text, each name once. */
#include <string.h>

#include "shared/text/query.h"
#include "shared/text/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const struct query *query, const char *text)
{
    const char *start = query->text;

    MUST(*text == '\0' || (text >= start && text < start + sizeof(query->text)));
    MUST(utf8_is_valid(text, strlen(text)));
}

static void check_pairs(const struct query *query)
{
    MUST(query->count <= QUERY_PAIRS_MAX);
    for (size_t i = 0; i < query->count; i++) {
        check_text(query, query->pairs[i].name);
        check_text(query, query->pairs[i].value);
        MUST(query_get(query, query->pairs[i].name) == query->pairs[i].value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct query query;
    char *text = malloc(size + 1);
    struct err err;

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (query_parse(text, &query, &err)) {
        MUST(err.code == ERR_INVALID && utf8_is_valid(err.msg, strlen(err.msg)));
    } else {
        check_pairs(&query);
    }
    free(text);
    return 0;
}
