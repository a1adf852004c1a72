/* json_items.c -- see json_items.h. */
#include "shared/text/json_items.h"

#include <stdint.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/text/json.h"
#include "shared/text/json_plain.h"
#include "shared/text/utf8.h"

enum {
    KEY_SHOWN_MAX = 256 /* bytes of an unknown key in a sentence; err.msg takes 384 */
};

static enum err_code refuse_at(const struct json_items *items, const char *at,
                               const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "body is not valid JSON: %s at byte %zu", what,
                   (size_t)(at - items->start));
}

/* What stands at the reading position has no place there. */
static enum err_code refuse(const struct json_items *items, struct err *err)
{
    return refuse_at(items, items->at,
                     items->at == items->end ? "unexpected end" : "unexpected character",
                     err);
}

static bool is_next(const struct json_items *items, char c)
{
    return items->at < items->end && *items->at == c;
}

static void skip_space(struct json_items *items)
{
    while (items->at < items->end && (*items->at == ' ' || *items->at == '\n' ||
                                      *items->at == '\r' || *items->at == '\t'))
        items->at++;
}

static enum err_code skip_char(struct json_items *items, char c, struct err *err)
{
    skip_space(items);
    if (!is_next(items, c))
        return refuse(items, err);
    items->at++;
    return ERR_OK;
}

/* --- strings, numbers, words ------------------------------------------------ */

static enum err_code skip_escape(struct json_items *items, struct err *err)
{
    const char *from = items->at;

    if (items->end - from < 2) {
        items->at = items->end;
        return refuse(items, err);
    }
    if (from[1] == '\0' || !strchr("\"\\/bfnrtu", from[1]))
        return refuse_at(items, from, "invalid escape", err);
    items->at += 2;
    if (from[1] != 'u')
        return ERR_OK;
    for (int i = 0; i < 4; i++, items->at++) {
        if (items->at == items->end || hex_value(*items->at) < 0)
            return refuse_at(items, from, "invalid escape", err);
    }
    return ERR_OK;
}

/* The opening quote is next. */
static enum err_code skip_string(struct json_items *items, struct err *err)
{
    enum err_code code = ERR_OK;

    items->at++;
    while (!code) {
        items->at += json_plain_len(items->at, (size_t)(items->end - items->at));
        if (items->at == items->end)
            return refuse(items, err);
        if (*items->at == '"')
            break;
        if (*items->at == '\\')
            code = skip_escape(items, err);
        else if ((unsigned char)*items->at < 0x20)
            code = refuse_at(items, items->at, "control character in a string", err);
        else
            items->at++; /* of a character beyond ASCII */
    }
    items->at += !code;
    return code;
}

static bool is_digit_next(const struct json_items *items)
{
    return items->at < items->end && *items->at >= '0' && *items->at <= '9';
}

/* At least one digit. */
static enum err_code skip_digits(struct json_items *items, struct err *err)
{
    if (!is_digit_next(items))
        return refuse(items, err);
    while (is_digit_next(items))
        items->at++;
    return ERR_OK;
}

static enum err_code skip_number(struct json_items *items, struct err *err)
{
    enum err_code code = ERR_OK;

    items->at += is_next(items, '-');
    if (is_next(items, '0'))
        items->at++; /* nothing but . or e may follow: 01 is no number */
    else
        code = skip_digits(items, err);
    if (!code && is_next(items, '.')) {
        items->at++;
        code = skip_digits(items, err);
    }
    if (!code && (is_next(items, 'e') || is_next(items, 'E'))) {
        items->at++;
        items->at += is_next(items, '+') || is_next(items, '-');
        code = skip_digits(items, err);
    }
    return code;
}

static enum err_code skip_word(struct json_items *items, const char *word,
                               struct err *err)
{
    for (; *word; word++) {
        if (!is_next(items, *word))
            return refuse(items, err);
        items->at++;
    }
    return ERR_OK;
}

/* --- values ------------------------------------------------------------------ */

/* The containers that a value is inside of: a bit each, 1 for an object, the innermost
 * lowest. */
struct nest {
    uint64_t objects;
    unsigned depth;
};

/* A key and its colon. */
static enum err_code skip_key(struct json_items *items, struct err *err)
{
    enum err_code code;

    skip_space(items);
    if (!is_next(items, '"'))
        return refuse(items, err);
    code = skip_string(items, err);
    return code ? code : skip_char(items, ':', err);
}

static char close_of(const struct nest *nest)
{
    return nest->objects & 1 ? '}' : ']';
}

static void leave(struct json_items *items, struct nest *nest, bool *has_value)
{
    items->at++;
    nest->objects >>= 1;
    nest->depth--;
    *has_value = true;
}

/* Enters the container that is next, up to its first value; an empty one is left again. */
static enum err_code enter(struct json_items *items, struct nest *nest, bool *has_value,
                           struct err *err)
{
    bool is_object = *items->at == '{';

    if (nest->depth == JSON_DEPTH_MAX)
        return refuse_at(items, items->at, "too deeply nested", err);
    items->at++;
    nest->objects = nest->objects << 1 | is_object;
    nest->depth++;
    skip_space(items);
    if (is_next(items, close_of(nest)))
        leave(items, nest, has_value);
    else if (is_object)
        return skip_key(items, err);
    return ERR_OK;
}

/* After a value inside a container: to the next one, or out of it. */
static enum err_code go_on(struct json_items *items, struct nest *nest, bool *has_value,
                           struct err *err)
{
    skip_space(items);
    if (is_next(items, close_of(nest))) {
        leave(items, nest, has_value);
        return ERR_OK;
    }
    if (!is_next(items, ','))
        return refuse(items, err);
    items->at++;
    *has_value = false;
    return nest->objects & 1 ? skip_key(items, err) : ERR_OK;
}

static enum err_code skip_scalar(struct json_items *items, struct err *err)
{
    switch (*items->at) {
    case '"':
        return skip_string(items, err);
    case 't':
        return skip_word(items, "true", err);
    case 'f':
        return skip_word(items, "false", err);
    case 'n':
        return skip_word(items, "null", err);
    default:
        return skip_number(items, err);
    }
}

/* Passes one value with all that is inside. */
static enum err_code skip_value(struct json_items *items, struct err *err)
{
    struct nest nest = {.depth = 0};
    bool has_value = false;
    enum err_code code = ERR_OK;

    while (!code && !(has_value && nest.depth == 0)) {
        skip_space(items);
        if (items->at == items->end)
            return refuse(items, err);
        if (has_value) {
            code = go_on(items, &nest, &has_value, err);
        } else if (*items->at == '{' || *items->at == '[') {
            code = enter(items, &nest, &has_value, err);
        } else {
            code = skip_scalar(items, err);
            has_value = true;
        }
    }
    return code;
}

/* --- what is around the items ------------------------------------------------ */

static void begin(struct json_items *items, const char *bytes, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf";

    *items = (struct json_items){.start = bytes, .end = bytes + len};
    if (len >= sizeof(mark) - 1 && memcmp(bytes, mark, sizeof(mark) - 1) == 0)
        items->start += sizeof(mark) - 1;
    items->at = items->start;
}

void json_items_init(struct json_items *items, const char *key, const char *bytes,
                     size_t len)
{
    begin(items, bytes, len);
    items->key = key;
    items->state = JSON_ITEMS_START;
}

void json_items_init_lines(struct json_items *items, const char *bytes, size_t len)
{
    begin(items, bytes, len);
    items->state = JSON_ITEMS_LINES;
}

static void enter_array(struct json_items *items)
{
    items->at++;
    items->state = JSON_ITEMS_ARRAY;
    items->is_first = true;
}

static enum err_code refuse_scalar(struct json_items *items, struct err *err)
{
    enum err_code code = skip_value(items, err);

    skip_space(items);
    if (!code && items->at < items->end)
        code = refuse(items, err);
    return code ? code : err_set(err, ERR_INVALID, "\"value\" must be an array");
}

static enum err_code read_start(struct json_items *items, struct err *err)
{
    skip_space(items);
    if (items->at == items->end) {
        items->state = JSON_ITEMS_END;
    } else if (*items->at == '[') {
        enter_array(items);
    } else if (*items->at == '{') {
        items->at++;
        items->state = JSON_ITEMS_MEMBERS;
        items->is_object = items->is_first = true;
    } else {
        return refuse_scalar(items, err);
    }
    return ERR_OK;
}

/* The value of the member that has the items. */
static enum err_code read_array_member(struct json_items *items, struct err *err)
{
    enum err_code code;

    if (items->has_array)
        return err_set(err, ERR_INVALID, "\"%s\" must not be given twice", items->key);
    items->has_array = true;
    skip_space(items);
    if (is_next(items, '[')) {
        enter_array(items);
        return ERR_OK;
    }
    code = skip_value(items, err);
    return code ? code : err_set(err, ERR_INVALID, "\"%s\" must be an array", items->key);
}

static enum err_code read_member(struct json_items *items, struct err *err)
{
    const char *key;
    size_t len;
    enum err_code code;

    skip_space(items);
    key = items->at + 1;
    code = is_next(items, '"') ? skip_string(items, err) : refuse(items, err);
    if (code)
        return code;
    len = (size_t)(items->at - key) - 1;
    code = skip_char(items, ':', err);
    if (code)
        return code;
    if (len == strlen(items->key) && memcmp(key, items->key, len) == 0)
        return read_array_member(items, err);
    if (!items->unknown_key) {
        items->unknown_key = key;
        items->unknown_key_len = len;
    }
    return skip_value(items, err);
}

/* The text is over; what was missing or too much in the object? */
static enum err_code read_end(struct json_items *items, struct err *err)
{
    size_t len = items->unknown_key_len;
    size_t shown;

    skip_space(items);
    if (items->at < items->end)
        return refuse(items, err);
    items->state = JSON_ITEMS_END;
    if (items->is_object && !items->has_array)
        return err_set(err, ERR_INVALID, "\"%s\" is required", items->key);
    if (!items->unknown_key)
        return ERR_OK;
    shown = utf8_cut(items->unknown_key, len, KEY_SHOWN_MAX);
    return err_set(err, ERR_INVALID, "\"%.*s%s\" is not allowed", (int)shown,
                   items->unknown_key, shown < len ? "..." : "");
}

static enum err_code read_members(struct json_items *items, struct err *err)
{
    enum err_code code = ERR_OK;

    skip_space(items);
    if (is_next(items, '}')) {
        items->at++;
        return read_end(items, err);
    }
    if (!items->is_first)
        code = skip_char(items, ',', err);
    items->is_first = false;
    return code ? code : read_member(items, err);
}

static enum err_code read_array(struct json_items *items, struct json_item *ret_item,
                                struct err *err)
{
    enum err_code code = ERR_OK;
    const char *from;

    skip_space(items);
    if (is_next(items, ']')) {
        items->at++;
        items->is_first = false;
        items->state = JSON_ITEMS_MEMBERS;
        return items->is_object ? ERR_OK : read_end(items, err);
    }
    if (!items->is_first)
        code = skip_char(items, ',', err);
    items->is_first = false;
    skip_space(items);
    from = items->at;
    if (!code)
        code = skip_value(items, err);
    if (!code)
        *ret_item = (struct json_item){.bytes = from, .len = (size_t)(items->at - from)};
    return code;
}

/* --- lines ------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void read_line(struct json_items *items, struct json_item *ret_item)
{
    const char *from = items->at;
    const char *end =
        from < items->end ? memchr(from, '\n', (size_t)(items->end - from)) : NULL;

    if (!end)
        end = items->end;
    items->at = end < items->end ? end + 1 : end;
    while (from < end && is_blank(*from))
        from++;
    while (from < end && is_blank(end[-1]))
        end--;
    if (from < end)
        *ret_item = (struct json_item){.bytes = from, .len = (size_t)(end - from)};
    else if (items->at == items->end)
        items->state = JSON_ITEMS_END;
}

enum err_code json_items_next(struct json_items *items, struct json_item *ret_item,
                              struct err *err)
{
    enum err_code code = ERR_OK;

    *ret_item = (struct json_item){.bytes = NULL};
    while (!code && !ret_item->bytes && items->state != JSON_ITEMS_END) {
        switch (items->state) {
        case JSON_ITEMS_START:
            code = read_start(items, err);
            break;
        case JSON_ITEMS_ARRAY:
            code = read_array(items, ret_item, err);
            break;
        case JSON_ITEMS_MEMBERS:
            code = read_members(items, err);
            break;
        case JSON_ITEMS_LINES:
            read_line(items, ret_item);
            break;
        case JSON_ITEMS_END:
            break;
        }
    }
    if (code)
        items->state = JSON_ITEMS_END;
    return code;
}
