/* fuzz_agent.c -- a User-Agent header of any bytes, and client hints after a NUL each.
 *
 * What is named comes from the tables, a version has digits and points alone or is a word of
 * the tables, and the same bytes are always the same. */
#include <stdbool.h>
#include <string.h>

#include "ingestion/enrich/agent.h"
#include "ingestion/enrich/bots.h"
#include "tests/fuzz/fuzz.h"

static void check_version(const char *version, bool is_major)
{
    size_t len = strlen(version);

    MUST(len < AGENT_VERSION_MAX);
    if (is_major)
        MUST(strspn(version, "0123456789") == len);
}

static void check(const struct agent *agent)
{
    MUST(!agent->browser || agent->browser[0]);
    MUST(!agent->os || agent->os[0]);
    MUST(agent->browser || !agent->browser_version[0]);
    MUST(agent->os || !agent->os_version[0]);
    MUST(agent->device < AGENT_DEVICE_COUNT && agent_device_name(agent->device)[0]);
    check_version(agent->browser_version, true);
    check_version(agent->os_version, false);
}

static bool is_same(const struct agent *a, const struct agent *b)
{
    return a->browser == b->browser && a->os == b->os && a->device == b->device &&
           strcmp(a->browser_version, b->browser_version) == 0 &&
           strcmp(a->os_version, b->os_version) == 0;
}

/* The text up to the next NUL, which *at moves past; NULL at the end. */
static const char *take(const char **at, const char *end)
{
    const char *text = *at;

    if (text >= end)
        return NULL;
    *at += strlen(text) + 1;
    return text;
}

static void check_hints(struct agent agent, const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    const char *at = text;
    struct agent_hints hints;

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    hints.brands = take(&at, text + size);
    hints.platform = take(&at, text + size);
    hints.mobile = take(&at, text + size);
    agent_apply_hints(&agent, &hints);
    check(&agent);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct agents *agents;
    static struct bot_names *names;
    struct err err;
    char *bytes = malloc(size ? size : 1); /* of its size, for the sanitizer */
    struct agent first;
    struct agent second;

    if (!agents)
        MUST(agents_new(&agents, &err) == ERR_OK &&
             bot_names_new(&names, &err) == ERR_OK);
    MUST(bytes);
    memcpy(bytes, data, size);
    agent_classify(agents, bytes, size, &first);
    check(&first);
    agent_classify(agents, bytes, size, &second);
    MUST(is_same(&first, &second));
    MUST(bots_of_agent(names, bytes, size) <= BOT_AI);
    check_hints(first, data, size);
    free(bytes);
    return 0;
}
