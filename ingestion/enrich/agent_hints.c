/* agent_hints.c -- user agent client hints; see agent_apply_hints() of agent.h. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ingestion/enrich/agent.h"

enum {
    MEMBERS_MAX = 16, /* of a list of brands that are looked at */
};

struct word {
    const char *sent;
    const char *name;
};

/* Brands that pose as Chrome in the User-Agent; uap-core's names for them. */
static const struct word brands[] = {
    {"Microsoft Edge", "Edge"},
    {"Opera", "Opera"},
    {"Opera GX", "Opera"},
    {"Samsung Internet", "Samsung Internet"},
    {"Brave", "Brave"},
    {"Vivaldi", "Vivaldi"},
    {"Yandex", "Yandex Browser"},
    {"YaBrowser", "Yandex Browser"},
    {"Whale", "Whale"},
    {"CocCoc", "Coc Coc"},
    {"DuckDuckGo", "DuckDuckGo Mobile"},
    {"HeadlessChrome", "HeadlessChrome"},
    {"Android WebView", "Chrome Mobile WebView"},
    {"Google Chrome", "Chrome"},
};

static const struct word platforms[] = {
    {"Windows", "Windows"},    {"macOS", "macOS"},          {"Mac OS X", "macOS"},
    {"Linux", "Linux"},        {"Android", "Android"},      {"iOS", "iOS"},
    {"Chrome OS", "ChromeOS"}, {"Chromium OS", "ChromeOS"}, {"ChromeOS", "ChromeOS"},
};

static const char *named(const struct word *words, size_t count, const char *sent,
                         size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i].sent) == len && memcmp(words[i].sent, sent, len) == 0)
            return words[i].name;
    return NULL;
}

static const char *platform_named(const char *sent, size_t len)
{
    return named(platforms, sizeof(platforms) / sizeof(platforms[0]), sent, len);
}

/* The next text in quotes from *at on, which moves after it; NULL: there is none. */
static const char *take_quoted(const char **at, size_t *ret_len)
{
    const char *open = strchr(*at, '"');
    const char *close = open ? strchr(open + 1, '"') : NULL;

    if (!close)
        return NULL;
    *at = close + 1;
    *ret_len = (size_t)(close - open) - 1;
    return open + 1;
}

/* Reads the digits at the start of a version; "" when there are none, or too many. */
static void copy_major(char ret[AGENT_VERSION_MAX], const char *version, size_t len)
{
    size_t digits = 0;

    while (digits < len && version[digits] >= '0' && version[digits] <= '9')
        digits++;
    if (digits >= AGENT_VERSION_MAX)
        digits = 0;
    memcpy(ret, version, digits);
    ret[digits] = '\0';
}

/* `"Chromium";v="124", "Microsoft Edge";v="124", "Not-A.Brand";v="99"`: the first member that
 * has a name of ours. */
static void apply_brands(struct agent *agent, const char *list)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        size_t brand_len = 0;
        size_t version_len = 0;
        const char *brand = take_quoted(&list, &brand_len);
        const char *version = brand ? take_quoted(&list, &version_len) : NULL;
        const char *name;
        if (!version)
            return;
        name = named(brands, sizeof(brands) / sizeof(brands[0]), brand, brand_len);
        if (!name)
            continue;
        if (agent->browser && strcmp(agent->browser, name) == 0)
            return; /* the header has it already, and a version that belongs to it */
        agent->browser = name;
        copy_major(agent->browser_version, version, version_len);
        return;
    }
}

static bool is_mobile(const struct agent_hints *hints)
{
    return hints->mobile && strcmp(hints->mobile, "?1") == 0;
}

static enum agent_device device_on(const char *os, const struct agent_hints *hints)
{
    if (is_mobile(hints))
        return AGENT_MOBILE;
    return strcmp(os, "Android") == 0 ? AGENT_TABLET : AGENT_DESKTOP;
}

/* The header keeps what is finer, such as Ubuntu for Linux, and gives way where it names
 * another platform: so does a phone that asks for the desktop's page. */
static void apply_platform(struct agent *agent, const struct agent_hints *hints)
{
    const char *at = hints->platform;
    size_t len = 0;
    const char *sent = take_quoted(&at, &len);
    const char *os = sent ? platform_named(sent, len) : NULL;

    if (!os || (agent->os && (strcmp(agent->os, os) == 0 ||
                              !platform_named(agent->os, strlen(agent->os)))))
        return;
    agent->os = os;
    agent->os_version[0] = '\0';
    if (agent->device != AGENT_TV)
        agent->device = device_on(os, hints);
}

void agent_apply_hints(struct agent *agent, const struct agent_hints *hints)
{
    if (hints->brands && (!agent->browser || strcmp(agent->browser, "Chrome") == 0))
        apply_brands(agent, hints->brands);
    if (hints->platform)
        apply_platform(agent, hints);
    if (is_mobile(hints) &&
        (agent->device == AGENT_DESKTOP || agent->device == AGENT_OTHER))
        agent->device = AGENT_MOBILE;
}
