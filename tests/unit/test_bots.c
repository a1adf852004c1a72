/* test_bots.c -- what is no visit, and what is one although it looks like none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingestion/enrich/bots.h"
#include "ingestion/enrich/spam.h"
#include "shared/access/address.h"
#include "shared/base/mem.h"

#define CHROME "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"

static const struct {
    const char *sent;
    enum bot_reason wanted;
} agents[] = {
    {"", BOT_NO_AGENT},
    {"-", BOT_NO_AGENT},
    {" \t", BOT_NO_AGENT},
    {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
     BOT_CRAWLER},
    {"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
     BOT_CRAWLER},
    {"Mozilla/5.0 (compatible; SomethingNew-Bot)", BOT_CRAWLER},
    {"Sogou web spider/4.0", BOT_CRAWLER},
    {"facebookexternalhit/1.1", BOT_CRAWLER},
    {"WhatsApp/2.23.20.0", BOT_CRAWLER},
    {"UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/", BOT_CRAWLER},
    {"Mozilla/5.0 " CHROME "; compatible; GPTBot/1.2; +https://openai.com/gptbot",
     BOT_AI},
    {"Mozilla/5.0 " CHROME "; compatible; ClaudeBot/1.0; +claudebot@anthropic.com",
     BOT_AI},
    {"Mozilla/5.0 " CHROME "; compatible; PerplexityBot/1.0", BOT_AI},
    {"CCBot/2.0 (https://commoncrawl.org/faq/)", BOT_AI},
    {"curl/8.5.0", BOT_LIBRARY},
    {"Wget/1.21.3", BOT_LIBRARY},
    {"python-requests/2.31.0", BOT_LIBRARY},
    {"Go-http-client/2.0", BOT_LIBRARY},
    {"okhttp/4.12.0", BOT_LIBRARY},
    {"Java/17.0.10", BOT_LIBRARY},
    {"node", BOT_LIBRARY},
    {"axios/1.6.8", BOT_LIBRARY},
    {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/124.0.0.0",
     BOT_HEADLESS},
    {"Mozilla/5.0 (Unknown; Linux x86_64) PhantomJS/2.1.1 Safari/538.1", BOT_HEADLESS},
    {"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
     BOT_MONITOR},
    {"Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", BOT_MONITOR},
    {"Mozilla/5.0 " CHROME " Chrome-Lighthouse", BOT_MONITOR},
    {"kube-probe/1.29", BOT_MONITOR},

    {"Mozilla/5.0 (Linux; Android 13; wv) " CHROME " Glucose-Monitor-App/2.1", BOT_NONE},
    {"Glucose-Monitor/2.1", BOT_MONITOR},
    {"monitor-app monitor", BOT_MONITOR},
    {"cubot bot", BOT_CRAWLER},
    {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) " CHROME, BOT_NONE},
    {"Mozilla/5.0 (Linux; Android 11; CUBOT KINGKONG 7) " CHROME, BOT_NONE},
    {"Mozilla/5.0 (Linux; Android 9; CUBOT_X19 Build/PPR1) " CHROME, BOT_NONE},
    {"Mozilla/5.0 (Linux; Android 4.2.2; Cubot) " CHROME, BOT_NONE},
    {"Lynx/2.8.7rel.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/1.0.1f", BOT_NONE},
    {"Mozilla/5.0 (Linux; Android 13; botany) " CHROME, BOT_NONE},
    {"Mozilla/5.0 (Linux; Android 10; Nodeless) " CHROME, BOT_NONE},
    {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; .NET CLR 2.0.50727)", BOT_NONE},
};

static void test_user_agents_are_judged_by_their_words(void **state)
{
    struct bot_names *names = NULL;
    struct err err;

    (void)state;
    assert_int_equal(bot_names_new(&names, &err), ERR_OK);
    for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
        enum bot_reason reason =
            bots_of_agent(names, agents[i].sent, strlen(agents[i].sent));
        if (reason != agents[i].wanted)
            fail_msg("%s\nis %s, not %s", agents[i].sent, bot_reason_name(reason),
                     bot_reason_name(agents[i].wanted));
    }
    bot_names_free(names);
}

static void test_bytes_of_any_kind_and_length_are_taken(void **state)
{
    static const size_t lengths[] = {0, 1, 1023, 1024, 1025, 16384};
    struct bot_names *names = NULL;
    struct err err;

    (void)state;
    assert_int_equal(bot_names_new(&names, &err), ERR_OK);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (int filling = 0; filling < 256; filling += 15) {
            char *bytes = malloc(lengths[i] ? lengths[i] : 1);
            assert_non_null(bytes);
            memset(bytes, filling, lengths[i] ? lengths[i] : 1);
            (void)bots_of_agent(names, bytes, lengths[i]);
            free(bytes);
        }
    bot_names_free(names);
}

/* A file of its own for each test, gone with the call that reads it. */
static struct bots *make(const char *ignored, const char *spam)
{
    char path[] = "/tmp/test_bots.XXXXXX";
    struct bots *bots = NULL;
    struct err err;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, spam, strlen(spam)), strlen(spam));
    (void)close(fd);
    assert_int_equal(bots_new(ignored, path, &bots, &err), ERR_OK);
    (void)unlink(path);
    return bots;
}

static enum bot_reason of_referrer(const struct bots *bots, const char *host)
{
    return bots_of_request(
        bots, &(struct bot_facts){.referrer = host, .referrer_len = strlen(host)});
}

static void test_a_host_of_the_spam_list_stands_for_all_below_it(void **state)
{
    struct bots *bots = make("", "# a list\n  Spam.Example  # the worst\r\n\n"
                                 "other.test\nlast.example");
    char longest[300];

    (void)state;
    assert_int_equal(of_referrer(bots, "spam.example"), BOT_SPAM);
    assert_int_equal(of_referrer(bots, "www.SPAM.example"), BOT_SPAM);
    assert_int_equal(of_referrer(bots, "other.test"), BOT_SPAM);
    assert_int_equal(of_referrer(bots, "last.example"), BOT_SPAM);
    assert_int_equal(of_referrer(bots, "notspam.example"), BOT_NONE);
    assert_int_equal(of_referrer(bots, "spam.example.org"), BOT_NONE);
    assert_int_equal(of_referrer(bots, "example"), BOT_NONE);
    assert_int_equal(of_referrer(bots, "#"), BOT_NONE);
    assert_int_equal(of_referrer(bots, ""), BOT_NONE);
    memset(longest, '.', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(of_referrer(bots, longest), BOT_NONE);
    bots_free(bots);
}

static enum bot_reason of_address(const struct bots *bots, const char *text)
{
    struct address address;

    assert_true(address_parse(text, strlen(text), &address));
    return bots_of_request(bots, &(struct bot_facts){.address = &address});
}

static void test_addresses_of_the_setting_are_ignored(void **state)
{
    struct bots *bots = make("192.0.2.7, 10.0.0.0/8, 2001:db8::/32", "");

    (void)state;
    assert_int_equal(of_address(bots, "192.0.2.7"), BOT_IGNORED);
    assert_int_equal(of_address(bots, "192.0.2.8"), BOT_NONE);
    assert_int_equal(of_address(bots, "10.255.0.1"), BOT_IGNORED);
    assert_int_equal(of_address(bots, "2001:db8:1::1"), BOT_IGNORED);
    assert_int_equal(of_address(bots, "2001:db9::1"), BOT_NONE);
    bots_free(bots);
}

static void test_pages_fetched_ahead_are_no_visits(void **state)
{
    static const struct bot_facts ahead[] = {
        {.purpose = "prefetch"},     {.purpose = "preview"},
        {.sec_purpose = "prefetch"}, {.sec_purpose = "prefetch;prerender"},
        {.x_moz = "prefetch"},
    };
    struct bots *bots = make("", "");

    (void)state;
    for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++)
        assert_int_equal(bots_of_request(bots, &ahead[i]), BOT_PREFETCH);
    assert_int_equal(
        bots_of_request(bots,
                        &(struct bot_facts){.brands = "\"HeadlessChrome\";v=\"1\""}),
        BOT_HEADLESS);
    assert_int_equal(
        bots_of_request(bots, &(struct bot_facts){.purpose = "", .x_moz = ""}), BOT_NONE);
    bots_free(bots);
}

static void test_settings_that_cannot_be_read_are_named(void **state)
{
    struct bots *bots = NULL;
    struct err err;

    (void)state;
    assert_int_equal(bots_new("10.0.0.0/8, nonsense", "", &bots, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "IGNORE_IPS"));
    assert_non_null(strstr(err.msg, "nonsense"));
    assert_int_equal(bots_new("", "/nowhere/spam.txt", &bots, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "REFERRER_SPAM_FILE"));
    assert_non_null(strstr(err.msg, "/nowhere/spam.txt"));
    assert_int_equal(bots_new("", "/dev/zero", &bots, &err), ERR_CONFIG);
    assert_non_null(strstr(err.msg, "more than"));
    assert_null(bots);
}

static void test_memory_may_run_out(void **state)
{
    (void)state;
    for (long after = 0;; after++) {
        struct bots *bots = NULL;
        struct err err;
        enum err_code code;

        mem_fail_after(after);
        code = bots_new("10.0.0.0/8", "/dev/null", &bots, &err);
        mem_fail_after(-1);
        bots_free(bots);
        if (!code)
            return;
        assert_int_equal(code, ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user_agents_are_judged_by_their_words),
        cmocka_unit_test(test_bytes_of_any_kind_and_length_are_taken),
        cmocka_unit_test(test_a_host_of_the_spam_list_stands_for_all_below_it),
        cmocka_unit_test(test_addresses_of_the_setting_are_ignored),
        cmocka_unit_test(test_pages_fetched_ahead_are_no_visits),
        cmocka_unit_test(test_settings_that_cannot_be_read_are_named),
        cmocka_unit_test(test_memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
