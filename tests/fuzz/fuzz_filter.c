/* fuzz_filter.c -- filters: whatever is taken becomes arrays of equal length. */
#include <string.h>

#include "reporting/report/filter.h"
#include "shared/base/buf.h"
#include "tests/fuzz/fuzz.h"

enum {
    BYTES_MAX = 1048576
};

typedef enum err_code (*add_fn)(const struct filters *filters, struct buf *out);

/* The elements of an array of Postgres; what is in quotes ends at a quote without a
 * backslash. */
static size_t count_elements(const char *text)
{
    size_t count = 1;
    bool is_quoted = false;

    MUST(text[0] == '{' && text[strlen(text) - 1] == '}');
    for (size_t i = 1; text[i + 1]; i++) {
        if (text[i] == '\\' && is_quoted)
            i++;
        else if (text[i] == '"')
            is_quoted = !is_quoted;
        else if (text[i] == ',' && !is_quoted)
            count++;
    }
    MUST(!is_quoted);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const add_fn add[] = {filters_add_clauses, filters_add_negated,
                                 filters_add_patterns, filters_add_values,
                                 filters_add_properties};
    static struct filters filters;
    char *text = malloc(size + 1);
    struct err err;

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (memchr(data, '\0', size) || filters_parse(text, &filters, &err)) {
        free(text);
        return 0;
    }
    for (size_t i = 0; i < sizeof(add) / sizeof(add[0]); i++) {
        struct buf out;
        buf_init(&out, BYTES_MAX);
        MUST(add[i](&filters, &out) == ERR_OK);
        MUST(out.len == strlen(out.data) + 1);
        MUST(count_elements(out.data) == filters.value_count);
        buf_release(&out);
    }
    free(text);
    return 0;
}
