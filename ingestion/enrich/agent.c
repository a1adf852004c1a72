/* agent.c -- see agent.h. */
#include "ingestion/enrich/agent.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingestion/enrich/tables/agent_rules.h"
#include "ingestion/enrich/tables/agent_texts.h"
#include "ingestion/enrich/tables/patterns.h"
#include "shared/base/mem.h"

enum text_id {
#define TEXT_ENUM(id, text, flags) TEXT_OF_##id,
    AGENT_TEXTS(TEXT_ENUM)
#undef TEXT_ENUM
#define PROGRAM_ENUM(id, text) TEXT_OF_##id,
    AGENT_PROGRAMS(PROGRAM_ENUM)
#undef PROGRAM_ENUM
        TEXT_COUNT,
    TEXT_OF_ANY = TEXT_COUNT, /* always there */
    TEXT_OF_NONE,             /* never there */
    SEEN_COUNT
};

enum {
    WORD_BITS = 64,
    SEEN_WORDS = (SEEN_COUNT + WORD_BITS - 1) / WORD_BITS,
    DIGITS_MAX = 6, /* more are no version */
    IPADOS_FIRST = 13,
};

struct text {
    const char *text;
    unsigned flags;
};

static const struct text texts[] = {
#define TEXT_ROW(id, text, flags) {text, flags},
    AGENT_TEXTS(TEXT_ROW)
#undef TEXT_ROW
#define PROGRAM_ROW(id, text) {text, TEXT_WORD},
        AGENT_PROGRAMS(PROGRAM_ROW)
#undef PROGRAM_ROW
};

/* When a row of the tables holds. */
struct rule {
    uint16_t is_there;
    uint16_t too;
    uint16_t is_not;
};

struct naming {
    struct rule rule;
    uint16_t version_after;
    const char *version; /* in its place; "" */
    const char *name;
};

#define NAMING(name, there, too, is_not, after, version)                                 \
    {{TEXT_OF_##there, TEXT_OF_##too, TEXT_OF_##is_not}, TEXT_OF_##after, version, name},
#define PROGRAM(id, text) NAMING(text, id, ANY, NONE, id, "")

static const struct naming browsers[] = {AGENT_PROGRAMS(PROGRAM) AGENT_BROWSERS(NAMING)};
static const struct naming systems[] = {AGENT_SYSTEMS(NAMING)};

static const struct {
    struct rule rule;
    enum agent_device device;
} device_rules[] = {
#define DEVICE(device, there, too, is_not)                                               \
    {{TEXT_OF_##there, TEXT_OF_##too, TEXT_OF_##is_not}, AGENT_##device},
    AGENT_DEVICE_RULES(DEVICE)
#undef DEVICE
};

struct agents {
    struct patterns *patterns; /* owned; a pattern for each different text */
    /* Rows of AGENT_TEXTS with the same text and different flags share a pattern: the rows
     * of pattern p are first[p], then other[] of each until TEXT_COUNT. */
    uint16_t first[TEXT_COUNT];
    uint16_t other[TEXT_COUNT];
};

/* The texts that one header has. */
struct seen {
    const struct agents *agents;
    const char *bytes;
    size_t len;
    uint64_t bits[SEEN_WORDS];
    uint16_t end[SEEN_COUNT]; /* of those that are there: where the first one ends */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has(const struct seen *seen, size_t text)
{
    return seen->bits[text / WORD_BITS] >> text % WORD_BITS & 1;
}

static void set(struct seen *seen, size_t text)
{
    seen->bits[text / WORD_BITS] |= UINT64_C(1) << text % WORD_BITS;
}

/* Where a version begins that follows the text ending at `at`: "/1", " 1", "/v1", "1".  The
 * end of the header when there is none. */
static size_t version_at(const struct seen *seen, size_t at)
{
    if (at < seen->len && strchr("/ :-;+_", seen->bytes[at]) && seen->bytes[at])
        at++;
    if (at + 1 < seen->len &&
        (seen->bytes[at] == 'v' || seen->bytes[at] == ' ' || seen->bytes[at] == 'V'))
        at++;
    return at < seen->len && is_digit(seen->bytes[at]) ? at : seen->len;
}

static bool counts(const struct seen *seen, const struct text *text, size_t end)
{
    size_t len = strlen(text->text);
    size_t start = end - len;

    if (!(text->flags & TEXT_ANY_CASE) &&
        memcmp(seen->bytes + start, text->text, len) != 0)
        return false;
    if ((text->flags & TEXT_WORD) && start > 0 &&
        is_letter_or_digit(seen->bytes[start - 1]))
        return false;
    return !(text->flags & TEXT_DIGIT) || version_at(seen, end) < seen->len;
}

static void on_found(size_t pattern, size_t end, void *user)
{
    struct seen *seen = user;
    const struct agents *agents = seen->agents;

    for (size_t i = agents->first[pattern]; i < TEXT_COUNT; i = agents->other[i]) {
        if (has(seen, i) || !counts(seen, &texts[i], end))
            continue;
        set(seen, i);
        seen->end[i] = (uint16_t)end;
    }
}

static bool holds(const struct seen *seen, const struct rule *rule)
{
    return has(seen, rule->is_there) && has(seen, rule->too) && !has(seen, rule->is_not);
}

/* Copies the digits at *at and moves it past them; false when they are too many. */
static bool take_number(const struct seen *seen, size_t *at, char *ret, size_t *len)
{
    size_t start = *at;

    while (*at < seen->len && is_digit(seen->bytes[*at]))
        ++*at;
    if (*at == start || *at - start > DIGITS_MAX)
        return false;
    memcpy(ret + *len, seen->bytes + start, *at - start);
    *len += *at - start;
    return true;
}

/* "10_9_1" as "10.9", or as "10" when only the major one is wanted. */
static void read_version(const struct seen *seen, const struct naming *row,
                         bool has_minor, char ret[AGENT_VERSION_MAX])
{
    size_t len = 0;
    size_t at;

    (void)snprintf(ret, AGENT_VERSION_MAX, "%s", row->version);
    if (!has(seen, row->version_after))
        return;
    at = version_at(seen, seen->end[row->version_after]);
    if (!take_number(seen, &at, ret, &len)) {
        ret[0] = '\0';
        return;
    }
    ret[len] = '\0';
    if (!has_minor || at + 1 >= seen->len ||
        (seen->bytes[at] != '.' && seen->bytes[at] != '_') ||
        !is_digit(seen->bytes[at + 1]))
        return;
    at++;
    ret[len++] = '.';
    if (!take_number(seen, &at, ret, &len))
        len--;
    ret[len] = '\0';
}

static const struct naming *first_that_holds(const struct seen *seen,
                                             const struct naming *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (holds(seen, &rows[i].rule))
            return &rows[i];
    return NULL;
}

static enum agent_device device_of(const struct seen *seen)
{
    for (size_t i = 0; i < sizeof(device_rules) / sizeof(device_rules[0]); i++)
        if (holds(seen, &device_rules[i].rule))
            return device_rules[i].device;
    return AGENT_OTHER;
}

/* Apple calls the system of an iPad iPadOS since version 13. */
static void name_ipados(const struct seen *seen, struct agent *agent)
{
    if (agent->os && strcmp(agent->os, "iOS") == 0 && has(seen, TEXT_OF_IPAD) &&
        strtol(agent->os_version, NULL, 10) >= IPADOS_FIRST)
        agent->os = "iPadOS";
}

void agent_classify(const struct agents *agents, const char *user_agent, size_t len,
                    struct agent *ret_agent)
{
    struct seen seen = {.agents = agents, .bytes = user_agent};
    const struct naming *browser;
    const struct naming *os;

    seen.len = len < AGENT_BYTES_MAX ? len : AGENT_BYTES_MAX;
    set(&seen, TEXT_OF_ANY);
    patterns_scan(agents->patterns, user_agent, seen.len, on_found, &seen);
    *ret_agent = (struct agent){.device = device_of(&seen)};
    browser = first_that_holds(&seen, browsers, sizeof(browsers) / sizeof(browsers[0]));
    if (browser) {
        ret_agent->browser = browser->name;
        read_version(&seen, browser, false, ret_agent->browser_version);
    }
    os = first_that_holds(&seen, systems, sizeof(systems) / sizeof(systems[0]));
    if (os) {
        ret_agent->os = os->name;
        read_version(&seen, os, true, ret_agent->os_version);
        name_ipados(&seen, ret_agent);
    }
}

const char *agent_device_name(enum agent_device device)
{
    static const char *const names[] = {
#define DEVICE_NAME(id, name) [AGENT_##id] = (name),
        AGENT_DEVICES(DEVICE_NAME)
#undef DEVICE_NAME
    };

    return names[device];
}

/* The patterns to look for: each text once.  Returns how many. */
static size_t list_patterns(struct agents *agents, const char *list[TEXT_COUNT])
{
    size_t count = 0;

    for (size_t i = 0; i < TEXT_COUNT; i++) {
        size_t p = 0;
        while (p < count && strcmp(list[p], texts[i].text) != 0)
            p++;
        agents->other[i] = p < count ? agents->first[p] : TEXT_COUNT;
        agents->first[p] = (uint16_t)i;
        list[p] = texts[i].text;
        if (p == count)
            count++;
    }
    return count;
}

enum err_code agents_new(struct agents **ret_agents, struct err *err)
{
    struct agents *agents = mem_calloc(1, sizeof(*agents));
    const char *list[TEXT_COUNT];
    enum err_code code;

    if (!agents)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = patterns_new(list, list_patterns(agents, list), &agents->patterns, err);
    if (code) {
        agents_free(agents);
        return code;
    }
    *ret_agents = agents;
    return ERR_OK;
}

void agents_free(struct agents *agents)
{
    if (!agents)
        return;
    patterns_free(agents->patterns);
    mem_free(agents);
}
