/* fuzz_json_items.c -- the items of a body with many: found in order, each JSON if they stand
 * in a JSON text, and the text is refused exactly if json_parse() refuses it, in the same
 * words, or it is no array and no object around one. */
#include <stdbool.h>
#include <string.h>

#include "shared/text/json.h"
#include "shared/text/json_items.h"
#include "tests/fuzz/fuzz.h"

enum {
    BODY_MAX = 65536
};

static const char invalid[] = "body is not valid JSON";
static const char deep[] = "body is not valid JSON: too deeply nested";
static struct json_parser *parser;

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* What json_parse() says of it; "" when it is valid. */
static const char *judge(const char *bytes, size_t len)
{
    static struct err err;
    const struct cJSON *root;

    err.msg[0] = '\0';
    if (json_parse(parser, "body", bytes, len, &root, &err) == ERR_OK)
        err.msg[0] = '\0';
    return err.msg;
}

/* The item lies after `from`; returns where it ends. */
static const char *check_place(const struct json_items *items, const char *from,
                               const struct json_item *item)
{
    MUST(item->len > 0 && item->bytes >= from && item->bytes + item->len <= items->end);
    return item->bytes + item->len;
}

static void check_end(struct json_items *items)
{
    struct json_item item;
    struct err err;

    MUST(json_items_next(items, &item, &err) == ERR_OK && !item.bytes);
}

static bool is_space(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", bytes[i]) || bytes[i] == '\0')
            return false;
    return true;
}

static void check_text(const char *bytes, size_t len)
{
    struct json_items items;
    struct json_item item;
    struct err err;
    enum err_code code;
    const char *from;
    const char *verdict;

    json_items_init(&items, "batch", bytes, len);
    from = items.start;
    while ((code = json_items_next(&items, &item, &err)) == ERR_OK && item.bytes) {
        from = check_place(&items, from, &item);
        MUST(*judge(item.bytes, item.len) == '\0');
    }
    check_end(&items);
    len -= (size_t)(items.start - bytes); /* without a byte order mark */
    verdict = judge(items.start, len);
    if (begins(verdict, deep))
        return; /* an item may be as deep as a body, and so has one or two levels more */
    if (code == ERR_OK)
        MUST(*verdict == '\0' || is_space(items.start, len));
    else if (begins(err.msg, invalid) && !begins(err.msg, deep))
        MUST(strcmp(err.msg, verdict) == 0);
}

static void check_lines(const char *bytes, size_t len)
{
    struct json_items items;
    struct json_item item;
    struct err err;
    const char *from;

    json_items_init_lines(&items, bytes, len);
    for (from = items.start;;) {
        MUST(json_items_next(&items, &item, &err) == ERR_OK);
        if (!item.bytes)
            break;
        MUST(is_space(from, (size_t)(item.bytes - from)));
        MUST(!memchr(item.bytes, '\n', item.len) && !is_space(item.bytes, item.len));
        from = check_place(&items, from, &item);
    }
    MUST(is_space(from, (size_t)(items.end - from)));
    check_end(&items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (!parser)
        parser = json_parser_new(BODY_MAX);
    MUST(parser);
    if (size > BODY_MAX)
        return 0;
    text = malloc(size ? size : 1); /* so that a byte too far is noticed */
    MUST(text);
    memcpy(text, data, size);
    check_text(text, size);
    check_lines(text, size);
    free(text);
    return 0;
}
