/* json_items.h -- the items of a text that has many: a JSON array, an object whose one member
 * is such an array, or a line for each.
 *
 * Items are found one after the other, and what was passed is valid JSON (RFC 8259) by then,
 * but for what a string may hold, which whoever parses the item will see.  Of lines nothing
 * is looked at but where they end.  A byte order mark at the start is passed over, and a text
 * with nothing else but white space has no items.
 *
 *   [START] -- [ --> [ARRAY] -item-> [ARRAY] -- ] --> [END]
 *      |                ^                |
 *      +---- { -> [MEMBERS] <---- ] -----+          [MEMBERS] -- } --> [END]
 *
 * Pure, allocates nothing, and the depth of an item is bounded by JSON_DEPTH_MAX.
 */
#ifndef SHARED_TEXT_JSON_ITEMS_H
#define SHARED_TEXT_JSON_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"

enum json_items_state {
    JSON_ITEMS_START,
    JSON_ITEMS_ARRAY,
    JSON_ITEMS_MEMBERS,
    JSON_ITEMS_LINES,
    JSON_ITEMS_END
};

struct json_items {
    const char *start; /* of the text; borrowed, as all of these */
    const char *at;    /* the next byte to read */
    const char *end;
    const char *key; /* of the member that has the array */
    enum json_items_state state;
    bool is_first;           /* nothing of the present array or object was read */
    bool is_object;          /* the array is a member of one */
    bool has_array;          /* the member was there */
    const char *unknown_key; /* the first other one, or NULL */
    size_t unknown_key_len;
};

struct json_item {
    const char *bytes; /* borrowed from the text; NULL: there are no more */
    size_t len;
};

void json_items_init(struct json_items *items, const char *key, const char *bytes,
                     size_t len);

/* The same for a text with an item on each line; blank ones are passed over. */
void json_items_init_lines(struct json_items *items, const char *bytes, size_t len);

/* Finds the next item.  ERR_INVALID with the sentence for whoever sent the text, after which
 * there are no more items: "body is not valid JSON: unexpected character at byte 12"
 * (the first is byte 0); `"batch" must be an array`. */
enum err_code json_items_next(struct json_items *items, struct json_item *ret_item,
                              struct err *err) MUST_CHECK;

#endif
