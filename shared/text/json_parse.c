/* json_parse.c -- JSON in; see json.h.
 *
 * cJSON takes its memory through process-wide hooks.  Ours hand it memory of the arena that
 * the present thread has put up for the time of one parse; outside of a parse they are
 * the ordinary heap.
 */
#include "shared/text/json.h"

#include <pthread.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "shared/base/arena.h"
#include "shared/base/mem.h"
#include "shared/text/json_scan.h"

struct json_parser {
    struct arena arena;
    char *scratch;    /* owned */
    uint8_t *defects; /* owned */
    size_t members;   /* of the object just parsed */
    size_t max_bytes;
};

enum {
    /* The most that cJSON takes for a member besides its strings' bytes: the node, and for
     * the node and each of the two strings a NUL and padding of at most 16 bytes. */
    MEMBER_COST = sizeof(cJSON) + 16 + 16 + 16,
};

static _Thread_local struct arena *current;

static void *hook_alloc(size_t size)
{
    return current ? arena_alloc(current, size) : mem_alloc(size);
}

static void hook_free(void *block)
{
    if (!current || !arena_owns(current, block))
        mem_free(block);
}

static void install_hooks(void)
{
    cJSON_Hooks hooks = {.malloc_fn = hook_alloc, .free_fn = hook_free};

    cJSON_InitHooks(&hooks);
}

struct json_parser *json_parser_new(size_t max_bytes)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t members = JSON_MEMBERS_OF(max_bytes);
    struct json_parser *parser = mem_calloc(1, sizeof(*parser));

    if (!parser)
        return NULL;
    (void)pthread_once(&once, install_hooks); /* fails only for a wrong argument */
    parser->max_bytes = max_bytes;
    parser->scratch = mem_alloc(max_bytes + 1);
    parser->defects = mem_alloc(members);
    if (!parser->scratch || !parser->defects ||
        arena_init(&parser->arena, max_bytes + (members + 1) * MEMBER_COST)) {
        json_parser_free(parser);
        return NULL;
    }
    return parser;
}

void json_parser_free(struct json_parser *parser)
{
    if (!parser)
        return;
    arena_release(&parser->arena);
    mem_free(parser->defects);
    mem_free(parser->scratch);
    mem_free(parser);
}

/* Builds the tree of the prepared text of len bytes, the NUL not counted. */
static const cJSON *build_tree(struct json_parser *parser, size_t len)
{
    const cJSON *root;

    arena_clear(&parser->arena);
    current = &parser->arena;
    root = cJSON_ParseWithLengthOpts(parser->scratch, len + 1, NULL, 1);
    current = NULL;
    return root;
}

enum err_code json_parse(struct json_parser *parser, const char *what, const char *bytes,
                         size_t len, const cJSON **ret_root, struct err *err)
{
    struct json_scan scan = {.start = bytes,
                             .at = bytes,
                             .end = bytes + len,
                             .out = parser->scratch,
                             .defects = parser->defects,
                             .err = err};
    const cJSON *root;

    if (len > parser->max_bytes)
        return err_set(err, ERR_TOO_BIG, "%s is larger than %zu bytes", what,
                       parser->max_bytes);
    if (json_scan_text(&scan))
        return err_wrap(err, "%s is not valid JSON", what);
    root = build_tree(parser, (size_t)(scan.out - parser->scratch) - 1);
    if (!root)
        return err_set(err, ERR_BUG, "%s: cJSON refused what was checked", what);
    parser->members = scan.members;
    *ret_root = root;
    return ERR_OK;
}

enum json_defect json_member_defect(const struct json_parser *parser, size_t index)
{
    return index < parser->members ? (enum json_defect)parser->defects[index]
                                   : JSON_DEFECT_NONE;
}
