/* patterns.c -- see patterns.h. */
#include "ingestion/enrich/tables/patterns.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "shared/base/mem.h"

enum {
    BYTE_VALUES = 256,
    STATES_MAX = 65535, /* a state is 16 bits */
};

/* State 0 is the root.  next is a table of `states` rows with a column for each class of
 * bytes; class 0 is all bytes that stand in no text. */
struct patterns {
    size_t classes;
    size_t states;
    uint8_t class_of[BYTE_VALUES];
    uint16_t *next;  /* owned */
    uint16_t *found; /* owned; by state: the text that ends here, plus 1; 0: none */
    uint16_t
        *also; /* owned; by state: the next shorter state at which a text ends; 0: none */
};

static unsigned char fold(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : byte;
}

static uint16_t *next_of(const struct patterns *p, size_t state, size_t class)
{
    return &p->next[state * p->classes + class];
}

static void assign_classes(struct patterns *p, const char *const *texts, size_t count)
{
    p->classes = 1;
    for (size_t i = 0; i < count; i++)
        for (const char *c = texts[i]; *c; c++) {
            uint8_t *class = &p->class_of[fold((unsigned char)*c)];
            if (*class == 0)
                *class = (uint8_t)p->classes++;
        }
    for (int c = 'A'; c <= 'Z'; c++)
        p->class_of[c] = p->class_of[fold((unsigned char)c)];
}

/* The trie of the texts. */
static void add_texts(struct patterns *p, const char *const *texts, size_t count)
{
    p->states = 1;
    for (size_t i = 0; i < count; i++) {
        size_t state = 0;
        for (const char *c = texts[i]; *c; c++) {
            uint16_t *next = next_of(p, state, p->class_of[(unsigned char)*c]);
            if (*next == 0)
                *next = (uint16_t)p->states++;
            state = *next;
        }
        assert(state != 0 && p->found[state] == 0);
        p->found[state] = (uint16_t)(i + 1);
    }
}

/* Goes through the trie by depth.  What a state has no edge for goes where its longest
 * proper suffix goes, which is shallower and complete by then. */
static void complete(struct patterns *p, uint16_t *queue, uint16_t *suffix)
{
    size_t head = 0;
    size_t tail = 0;

    for (size_t class = 0; class < p->classes; class ++)
        if (*next_of(p, 0, class))
            queue[tail++] = *next_of(p, 0, class);
    while (head < tail) {
        size_t state = queue[head++];
        size_t shorter = suffix[state];

        p->also[state] = p->found[shorter] ? (uint16_t)shorter : p->also[shorter];
        for (size_t class = 0; class < p->classes; class ++) {
            uint16_t *next = next_of(p, state, class);
            uint16_t other = *next_of(p, shorter, class);
            if (*next == 0) {
                *next = other;
                continue;
            }
            suffix[*next] = other;
            queue[tail++] = *next;
        }
    }
}

static bool allocate(struct patterns *p, size_t states)
{
    p->next = mem_calloc(states * p->classes, sizeof(*p->next));
    p->found = mem_calloc(states, sizeof(*p->found));
    p->also = mem_calloc(states, sizeof(*p->also));
    return p->next && p->found && p->also;
}

static size_t most_states(const char *const *texts, size_t count)
{
    size_t states = 1;

    for (size_t i = 0; i < count; i++)
        states += strlen(texts[i]);
    return states;
}

enum err_code patterns_new(const char *const *texts, size_t count,
                           struct patterns **ret_patterns, struct err *err)
{
    size_t states = most_states(texts, count);
    struct patterns *p = NULL;
    uint16_t *work = NULL;
    enum err_code code = ERR_OK;

    if (states > STATES_MAX)
        return err_set(err, ERR_CONFIG, "the texts to look for are too long");
    p = mem_calloc(1, sizeof(*p));
    work = mem_calloc(2 * states, sizeof(*work));
    if (!p || !work) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    assign_classes(p, texts, count);
    if (!allocate(p, states)) {
        code = err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    add_texts(p, texts, count);
    complete(p, work, work + states);
    *ret_patterns = p;
    p = NULL;
out:
    mem_free(work);
    patterns_free(p);
    return code;
}

void patterns_free(struct patterns *patterns)
{
    if (!patterns)
        return;
    mem_free(patterns->next);
    mem_free(patterns->found);
    mem_free(patterns->also);
    mem_free(patterns);
}

void patterns_scan(const struct patterns *patterns, const char *bytes, size_t len,
                   pattern_found_fn found, void *user)
{
    size_t state = 0;

    for (size_t i = 0; i < len; i++) {
        state = *next_of(patterns, state, patterns->class_of[(unsigned char)bytes[i]]);
        for (size_t at = state; at; at = patterns->also[at])
            if (patterns->found[at])
                found(patterns->found[at] - 1U, i + 1, user);
    }
}
