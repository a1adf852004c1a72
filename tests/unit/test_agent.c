/* test_agent.c -- browser, system and device of User-Agents that are sent today; old ones and
 * rare ones are compared with uap-core in test_agents.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/enrich/agent.h"
#include "ingestion/enrich/agent_cache.h"
#include "ingestion/enrich/tables/patterns.h"
#include "shared/base/mem.h"

struct sample {
    const char *sent;
    const char *wanted; /* browser version/system version/device */
};

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define IPHONE                                                                           \
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) AppleWebKit/605.1.15 "
#define IPAD    "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 "
#define ANDROID "Mozilla/5.0 (Linux; Android 10; K) " WEBKIT
#define WINDOWS "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " WEBKIT

static const struct sample samples[] = {
    {WINDOWS "Chrome/124.0.0.0 Safari/537.36", "Chrome 124/Windows 10/desktop"},
    {WINDOWS "Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.67",
     "Edge 124/Windows 10/desktop"},
    {WINDOWS "Chrome/123.0.0.0 Safari/537.36 OPR/109.0.0.0",
     "Opera 109/Windows 10/desktop"},
    {WINDOWS "Chrome/120.0.0.0 Safari/537.36 Vivaldi/6.5.3206.50",
     "Vivaldi 6/Windows 10/desktop"},
    {WINDOWS "Chrome/122.0.0.0 YaBrowser/24.4.0.0 Safari/537.36",
     "Yandex Browser 24/Windows 10/desktop"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
     "Firefox 125/Windows 10/desktop"},
    {"Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
     "Firefox 125/Linux /desktop"},
    {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/124.0.0.0 Safari/537.36",
     "Chrome 124/ChromeOS 14541.0/desktop"},
    {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/17.4.1 Safari/605.1.15",
     "Safari 17/macOS 10.15/desktop"},
    {IPHONE "(KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1",
     "Safari 17/iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) CriOS/124.0.6367.88 Mobile/15E148 Safari/604.1",
     "Chrome 124/iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) FxiOS/125.1 Mobile/15E148 Safari/605.1.15",
     "Firefox 125/iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) EdgiOS/124.0.2478.71 Version/17.0 Mobile/15E148 "
            "Safari/604.1",
     "Edge 124/iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) Mobile/15E148",
     "Mobile Safari UI/WKWebView /iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) Mobile/15E148 "
            "[FBAN/FBIOS;FBAV/460.0.0.32.108;FBBV/586571372]",
     "Facebook 460/iOS 17.4/mobile"},
    {IPHONE "(KHTML, like Gecko) Mobile/15E148 Instagram 329.1.0.28.93 (iPhone14,5)",
     "Instagram 329/iOS 17.4/mobile"},
    {IPAD "(KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
     "Safari 17/iPadOS 17.4/tablet"},
    {"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
     "Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1",
     "Safari 12/iOS 12.5/tablet"},
    {ANDROID "Chrome/124.0.0.0 Mobile Safari/537.36", "Chrome 124/Android 10/mobile"},
    {ANDROID "Chrome/124.0.0.0 Safari/537.36", "Chrome 124/Android 10/tablet"},
    {ANDROID "SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
     "Samsung Internet 24/Android 10/mobile"},
    {ANDROID "Chrome/124.0.0.0 Mobile Safari/537.36 EdgA/124.0.2478.64",
     "Edge 124/Android 10/mobile"},
    {ANDROID "Chrome/122.0.0.0 Mobile Safari/537.36 OPR/81.1.4292.78",
     "Opera 81/Android 10/mobile"},
    {"Mozilla/5.0 (Linux; Android 8.1.0; TA-1024 Build/OPR1.170623.026; wv) " WEBKIT
     "Version/4.0 Chrome/71.0.3578.99 Mobile Safari/537.36",
     "Chrome Mobile WebView 71/Android 8.1/mobile"},
    {"Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0",
     "Firefox 125/Android 14/mobile"},
    {"Mozilla/5.0 (Linux; Android 9; AFTKA Build/PS7285) " WEBKIT
     "Silk/120.4.1 like Chrome/120.0.6099.230 Safari/537.36",
     "Amazon Silk 120/Android 9/tv"},
    {"Mozilla/5.0 (Linux; Android 9; KFMAWI) " WEBKIT
     "Silk/120.4.1 like Chrome/120.0.6099.230 Safari/537.36",
     "Amazon Silk 120/Android 9/tablet"},
    {"Mozilla/5.0 (Web0S; Linux/SmartTV) " WEBKIT "Chrome/79.0.3945.79 Safari/537.36 "
     "WebAppManager",
     "Chrome 79/Web0S /tv"},
    {"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) " WEBKIT
     "76.0.3809.146/6.0 TV Safari/537.36",
     "Safari /Tizen 6.0/tv"},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) " WEBKIT
     "Chrome/44.0.2403.157 Safari/537.36 Edge/12.0",
     "Edge 12/Windows 10/other"},
    {"Mozilla/5.0 (Windows NT 10.0; Trident/7.0; Tablet PC 2.0; rv:11.0) like Gecko",
     "IE 11/Windows 10/desktop"},
    {"", " / /other"},
    {"an agent that nobody knows", " / /other"},
    {"Chrome/12345678901234567890 Firefox/", "Chrome / /other"},
};

static struct agents *make(void)
{
    struct agents *agents = NULL;
    struct err err;

    assert_int_equal(agents_new(&agents, &err), ERR_OK);
    return agents;
}

static const char *text_of(const struct agent *agent)
{
    static char text[256];

    (void)snprintf(text, sizeof(text), "%s %s/%s %s/%s",
                   agent->browser ? agent->browser : "", agent->browser_version,
                   agent->os ? agent->os : "", agent->os_version,
                   agent_device_name(agent->device));
    return text;
}

static void test_user_agents_of_today_are_told_apart(void **state)
{
    struct agents *agents = make();

    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct agent agent;
        agent_classify(agents, samples[i].sent, strlen(samples[i].sent), &agent);
        if (strcmp(text_of(&agent), samples[i].wanted) != 0)
            fail_msg("%s\nis %s, not %s", samples[i].sent, text_of(&agent),
                     samples[i].wanted);
    }
    agents_free(agents);
}

static void test_hints_correct_what_the_header_says(void **state)
{
    static const char linux_chrome[] =
        "Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "Chrome/124.0.0.0 Safari/537.36";
    static const char ubuntu[] = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64) " WEBKIT
                                 "Chrome/124.0.0.0 Safari/537.36";
    static const char other[] = "Mozilla/5.0 (compatible)";
    static const char chrome[] =
        "\"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\", \"Not-A.Brand\";v=\"99\"";
    static const struct {
        const char *sent;
        struct agent_hints hints;
        const char *wanted;
    } rows[] = {
        {linux_chrome, {chrome, "\"Linux\"", "?0"}, "Chrome 124/Linux /desktop"},
        {linux_chrome,
         {"\"Not A;Brand\";v=\"99\", \"Microsoft Edge\";v=\"123\"", NULL, NULL},
         "Edge 123/Linux /desktop"},
        {linux_chrome, {"\"Brave\";v=\"125\"", NULL, NULL}, "Brave 125/Linux /desktop"},
        /* A phone or a tablet that asks for the desktop's page. */
        {linux_chrome, {chrome, "\"Android\"", "?1"}, "Chrome 124/Android /mobile"},
        {linux_chrome, {chrome, "\"Android\"", "?0"}, "Chrome 124/Android /tablet"},
        {ubuntu, {chrome, "\"Linux\"", "?0"}, "Chrome 124/Ubuntu /desktop"},
        {other, {chrome, "\"Chrome OS\"", "?0"}, "Chrome 124/ChromeOS /desktop"},
        {other, {NULL, NULL, "?1"}, " / /mobile"},
        {IPAD "(KHTML, like Gecko) Version/17.4 Safari/604.1",
         {"\"Microsoft Edge\";v=\"1\"", "\"iOS\"", NULL},
         "Safari 17/iPadOS 17.4/tablet"},
        /* What is no list of brands, and no platform. */
        {linux_chrome, {"", "", ""}, "Chrome 124/Linux /desktop"},
        {linux_chrome, {"\"", "\"", "?"}, "Chrome 124/Linux /desktop"},
        {linux_chrome, {"\"Brave\"", "Windows", "1"}, "Chrome 124/Linux /desktop"},
        {linux_chrome,
         {"\"Brave\";v=\"x\"", "\"Plan 9\"", NULL},
         "Brave /Linux /desktop"},
        {linux_chrome,
         {"\"Brave\";v=\"12345678901234567890\"", NULL, NULL},
         "Brave /Linux /desktop"},
    };
    struct agents *agents = make();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct agent agent;
        agent_classify(agents, rows[i].sent, strlen(rows[i].sent), &agent);
        agent_apply_hints(&agent, &rows[i].hints);
        assert_string_equal(text_of(&agent), rows[i].wanted);
    }
    agents_free(agents);
}

/* Each in a block of just its size, so that a sanitizer sees a byte read too many. */
static void test_bytes_of_any_kind_and_length_are_taken(void **state)
{
    static const size_t lengths[] = {
        0, 1, 7, AGENT_BYTES_MAX - 1, AGENT_BYTES_MAX, AGENT_BYTES_MAX + 1, 16384};
    static const char *const fillings[] = {
        "", "\xff\xc0\xaf", "Chrome/1", "(", "Version/", "iPad; CPU OS 99999999_9999999"};
    struct agents *agents = make();

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (size_t f = 0; f < sizeof(fillings) / sizeof(fillings[0]); f++) {
            size_t size = strlen(fillings[f]) + 1; /* its NUL as well */
            char *bytes = malloc(lengths[i] ? lengths[i] : 1);
            struct agent agent;
            assert_non_null(bytes);
            for (size_t b = 0; b < lengths[i]; b++)
                bytes[b] = fillings[f][b % size];
            agent_classify(agents, bytes, lengths[i], &agent);
            assert_true(strlen(agent.browser_version) < AGENT_VERSION_MAX);
            assert_true(strlen(agent.os_version) < AGENT_VERSION_MAX);
            assert_true(agent.device < AGENT_DEVICE_COUNT);
            free(bytes);
        }
    agents_free(agents);
}

static void test_what_stands_past_the_first_bytes_is_not_looked_at(void **state)
{
    static char bytes[AGENT_BYTES_MAX + 16];
    struct agents *agents = make();
    struct agent agent;

    (void)state;
    memset(bytes, ' ', sizeof(bytes));
    memcpy(bytes + AGENT_BYTES_MAX - 9, "Chrome/42", 9);
    agent_classify(agents, bytes, sizeof(bytes), &agent);
    assert_string_equal(text_of(&agent), "Chrome 42/ /other");
    memset(bytes, ' ', sizeof(bytes));
    memcpy(bytes + AGENT_BYTES_MAX - 7, "Chrome/42", 9);
    agent_classify(agents, bytes, sizeof(bytes), &agent);
    assert_string_equal(text_of(&agent), " / /other");
    agents_free(agents);
}

struct cached {
    struct agents *agents;
    struct bot_names *names;
    struct agent_cache *cache;
};

static struct cached make_cache(size_t entries)
{
    struct cached cached = {.agents = make()};
    struct err err;

    assert_int_equal(bot_names_new(&cached.names, &err), ERR_OK);
    assert_int_equal(
        agent_cache_new(entries, cached.agents, cached.names, &cached.cache, &err),
        ERR_OK);
    return cached;
}

static void free_cache(struct cached *cached)
{
    agent_cache_free(cached->cache);
    agents_free(cached->agents);
    bot_names_free(cached->names);
}

static void test_a_header_is_looked_at_once_while_it_is_cached(void **state)
{
    struct cached cached = make_cache(64);

    (void)state;
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 8; i++) {
            const struct agent_facts *facts =
                agent_cache_get(cached.cache, samples[i].sent, strlen(samples[i].sent));
            assert_string_equal(text_of(&facts->agent), samples[i].wanted);
            assert_int_equal(facts->bot, BOT_NONE);
        }
    /* Eight in sixteen sets of four: it would be odd if five fell into one. */
    assert_true(agent_cache_misses(cached.cache) <= 10);
    assert_int_equal(agent_cache_get(cached.cache, "curl/8", 6)->bot, BOT_LIBRARY);
    assert_int_equal(agent_cache_get(cached.cache, "curl/8", 6)->bot, BOT_LIBRARY);
    free_cache(&cached);
}

static void test_without_entries_each_header_is_looked_at(void **state)
{
    struct cached cached = make_cache(0);

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_string_equal(text_of(&agent_cache_get(cached.cache, samples[0].sent,
                                                     strlen(samples[0].sent))
                                         ->agent),
                            samples[0].wanted);
    assert_int_equal(agent_cache_misses(cached.cache), 3);
    free_cache(&cached);
}

/* No allocation at all, so no growth: the next one would fail. */
static void test_a_million_different_headers_take_no_memory(void **state)
{
    struct cached cached = make_cache(1024);
    char text[64];

    (void)state;
    mem_fail_after(0);
    for (int i = 0; i < 1000000; i++) {
        int len = snprintf(text, sizeof(text), "Mozilla/5.0 (%d) Chrome/%d", i, i % 100);
        const struct agent_facts *facts =
            agent_cache_get(cached.cache, text, (size_t)len);
        assert_string_equal(facts->agent.browser, "Chrome");
    }
    mem_fail_after(-1);
    assert_int_equal(agent_cache_misses(cached.cache), 1000000);
    free_cache(&cached);
}

static void test_memory_may_run_out_while_the_tables_are_made(void **state)
{
    (void)state;
    for (long after = 0;; after++) {
        struct agents *agents = NULL;
        struct bot_names *names = NULL;
        struct agent_cache *cache = NULL;
        struct err err;
        enum err_code code;

        mem_fail_after(after);
        code = agents_new(&agents, &err);
        if (!code)
            code = bot_names_new(&names, &err);
        if (!code)
            code = agent_cache_new(4, agents, names, &cache, &err);
        mem_fail_after(-1);
        agent_cache_free(cache);
        bot_names_free(names);
        agents_free(agents);
        if (!code)
            return;
        assert_int_equal(code, ERR_NOMEM);
    }
}

struct found {
    size_t count;
    size_t pattern[8];
    size_t end[8];
};

static void on_found(size_t pattern, size_t end, void *user)
{
    struct found *found = user;

    assert_true(found->count < 8);
    found->pattern[found->count] = pattern;
    found->end[found->count++] = end;
}

static void test_texts_within_texts_are_found_in_one_pass(void **state)
{
    static const char *const texts[] = {"he", "she", "his", "hers"};
    struct patterns *patterns = NULL;
    struct found found = {0};
    struct err err;

    (void)state;
    assert_int_equal(patterns_new(texts, 4, &patterns, &err), ERR_OK);
    patterns_scan(patterns, "uSHERS\0his", 10, on_found, &found);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.pattern[0], 1);
    assert_int_equal(found.end[0], 4);
    assert_int_equal(found.pattern[1], 0);
    assert_int_equal(found.pattern[2], 3);
    assert_int_equal(found.end[2], 6);
    assert_int_equal(found.pattern[3], 2);
    assert_int_equal(found.end[3], 10);
    patterns_free(patterns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_agents_of_today_are_told_apart),
        cmocka_unit_test(test_hints_correct_what_the_header_says),
        cmocka_unit_test(test_bytes_of_any_kind_and_length_are_taken),
        cmocka_unit_test(test_what_stands_past_the_first_bytes_is_not_looked_at),
        cmocka_unit_test(test_a_header_is_looked_at_once_while_it_is_cached),
        cmocka_unit_test(test_without_entries_each_header_is_looked_at),
        cmocka_unit_test(test_a_million_different_headers_take_no_memory),
        cmocka_unit_test(test_memory_may_run_out_while_the_tables_are_made),
        cmocka_unit_test(test_texts_within_texts_are_found_in_one_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
