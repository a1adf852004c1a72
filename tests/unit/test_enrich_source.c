/* test_enrich_source.c -- source, channel, click id and language of an event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/enrich/channel.h"
#include "ingestion/enrich/click.h"
#include "ingestion/enrich/language.h"
#include "ingestion/enrich/source.h"
#include "shared/base/mem.h"

static struct event_text text_of(const char *text)
{
    return (struct event_text){text, text ? strlen(text) : 0};
}

static void test_source_names_are_sorted_and_in_lower_case(void **state)
{
    (void)state;
    for (size_t i = 0; source_key(i); i++) {
        for (const char *at = source_key(i); *at; at++)
            assert_false(*at >= 'A' && *at <= 'Z');
        if (i > 0 && strcmp(source_key(i - 1), source_key(i)) >= 0)
            fail_msg("\"%s\" stands before \"%s\"", source_key(i - 1), source_key(i));
    }
}

struct source_case {
    const char *text;
    const char *name;
    enum source_kind kind;
};

static void test_source_has_one_name_for_one_site(void **state)
{
    static const struct source_case cases[] = {
        {"google", "Google", SOURCE_SEARCH},
        {"GOOGLE", "Google", SOURCE_SEARCH},
        {"google.com", "Google", SOURCE_SEARCH},
        {"www.google.de", "Google", SOURCE_SEARCH},
        {"images.google.co.uk", "Google", SOURCE_SEARCH},
        {"google.com.au", "Google", SOURCE_SEARCH},
        {"notgoogle.com", "notgoogle.com", SOURCE_OTHER},
        {"google.evil.com", "google.evil.com", SOURCE_OTHER},
        {"google.", "google.", SOURCE_OTHER},
        {".", ".", SOURCE_OTHER},
        {"..", "..", SOURCE_OTHER},
        {"*", "*", SOURCE_OTHER},
        {"mail.google.com", "Gmail", SOURCE_EMAIL},
        {"gemini.google.com", "Gemini", SOURCE_AI},
        {"android-app://com.google.android.gm", "Gmail", SOURCE_EMAIL},
        {"android-app://some.android.app", "android-app://some.android.app",
         SOURCE_OTHER},
        {"bing.com", "Bing", SOURCE_SEARCH},
        {"r.search.yahoo.com", "Yahoo!", SOURCE_SEARCH},
        {"mail.yahoo.co.jp", "Yahoo! Mail", SOURCE_EMAIL},
        {"yandex.com.tr", "Yandex", SOURCE_SEARCH},
        {"l.facebook.com", "Facebook", SOURCE_SOCIAL},
        {"fb", "Facebook", SOURCE_SOCIAL},
        {"t.co", "X (Twitter)", SOURCE_SOCIAL},
        {"not.co", "not.co", SOURCE_OTHER},
        {"old.reddit.com", "Reddit", SOURCE_SOCIAL},
        {"news.ycombinator.com", "Hacker News", SOURCE_SOCIAL},
        {"chatgpt.com", "ChatGPT", SOURCE_AI},
        {"claude.ai", "Claude", SOURCE_AI},
        {"www.perplexity.ai", "Perplexity", SOURCE_AI},
        {"outlook.live.com", "Outlook", SOURCE_EMAIL},
        {"newsletter", "Newsletter", SOURCE_EMAIL},
        {"de.wikipedia.org", "Wikipedia", SOURCE_OTHER},
        {"My Partner", "My Partner", SOURCE_OTHER},
        {"blog.example.org", "blog.example.org", SOURCE_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_text text = text_of(cases[i].text);
        struct source source = source_find(&text);
        if (source.name.len != strlen(cases[i].name) ||
            memcmp(source.name.bytes, cases[i].name, source.name.len) != 0 ||
            source.kind != cases[i].kind || source.is_paid)
            fail_msg("%s is %.*s (%d)", cases[i].text, (int)source.name.len,
                     source.name.bytes, source.kind);
    }
}

static void test_source_of_advertisements_is_paid(void **state)
{
    static const char *const cases[][2] = {
        {"adwords", "Google"},        {"googleads", "Google"}, {"Google Ads", "Google"},
        {"facebook_ads", "Facebook"}, {"fb-ad", "Facebook"},   {"yt.ads", "YouTube"},
        {"bing_ads", "Bing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_text text = text_of(cases[i][0]);
        struct source source = source_find(&text);
        assert_true(source.is_paid);
        assert_memory_equal(source.name.bytes, cases[i][1], strlen(cases[i][1]));
    }
}

static void test_source_is_cut_at_255_characters(void **state)
{
    char text[600];
    struct event_text long_text = {text, sizeof(text)};

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(source_find(&long_text).name.len, SOURCE_MAX);
}

static void test_click_has_a_name_in_lower_case(void **state)
{
    struct event_text text = text_of("GCLID");

    (void)state;
    assert_string_equal(click_find(&text)->name, "gclid");
    text = text_of("ScCid");
    assert_string_equal(click_find(&text)->name, "sccid");
    text = text_of("gclid2");
    assert_null(click_find(&text));
    text = text_of("");
    assert_null(click_find(&text));
}

struct channel_case {
    const char *source; /* NULL: none; "Direct" is that */
    const char *medium;
    const char *click;
    const char *channel;
};

static void test_channel_follows_from_source_medium_and_click(void **state)
{
    static const struct channel_case cases[] = {
        {NULL, NULL, NULL, NULL},
        {"Direct", NULL, NULL, "Direct"},
        {"Direct", "banner", NULL, "Referral"},
        {"google", NULL, NULL, "Organic Search"},
        {"google", "organic", NULL, "Organic Search"},
        {"partner", "organic", NULL, "Organic Search"},
        {"google", "cpc", NULL, "Paid Search"},
        {"google", "CPC", NULL, "Paid Search"},
        {"google", "ppc", NULL, "Paid Search"},
        {"partner", "cpc", NULL, "Paid Search"},
        {"google", NULL, "gclid", "Paid Search"},
        {"Direct", NULL, "gclid", "Paid Search"},
        {NULL, NULL, "msclkid", "Paid Search"},
        {"adwords", NULL, NULL, "Paid Search"},
        {"facebook", NULL, NULL, "Organic Social"},
        {"facebook", NULL, "fbclid", "Organic Social"},
        {"Direct", NULL, "fbclid", "Organic Social"},
        {"facebook", "paid", NULL, "Paid Social"},
        {"facebook", "cpc", "fbclid", "Paid Social"},
        {"partner", "paid_social", NULL, "Paid Social"},
        {"partner", "cpc", "fbclid", "Paid Social"},
        {"google", "paid_social", NULL, "Paid Search"},
        {"facebook_ads", NULL, NULL, "Paid Social"},
        {"Direct", NULL, "ttclid", "Paid Social"},
        {"partner", "social", NULL, "Organic Social"},
        {"partner", "Social-Media", NULL, "Organic Social"},
        {"chatgpt.com", NULL, NULL, "AI"},
        {"chatgpt.com", "referral", NULL, "AI"},
        {"mail.google.com", NULL, NULL, "Email"},
        {"partner", "email", NULL, "Email"},
        {"google", "E-Mail", NULL, "Email"},
        {NULL, "newsletter", NULL, "Email"},
        {"example.org", NULL, NULL, "Referral"},
        {"partner", "affiliate", NULL, "Referral"},
        {NULL, "affiliate", NULL, "Referral"},
        {NULL, "a medium that is longer than anything that is known", NULL, "Referral"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool is_direct = cases[i].source && strcmp(cases[i].source, "Direct") == 0;
        struct event_text text = text_of(cases[i].source);
        struct event_text medium = text_of(cases[i].medium);
        struct event_text click = text_of(cases[i].click);
        struct source source = {.kind = SOURCE_OTHER};
        const char *channel;
        if (cases[i].source)
            source = source_find(&text);
        channel = channel_of(&(struct channel_facts){
            &source, is_direct, &medium, cases[i].click ? click_find(&click) : NULL});
        if (!cases[i].channel || !channel)
            assert_ptr_equal(channel, cases[i].channel);
        else if (strcmp(channel, cases[i].channel) != 0)
            fail_msg("case %zu is %s, not %s", i, channel, cases[i].channel);
    }
}

static void test_language_is_the_first_subtag(void **state)
{
    static const char *const cases[][2] = {
        {"de", "de"},
        {"DE-at", "de"},
        {"zh_Hans_CN", "zh"},
        {"fil-PH", "fil"},
        {"", ""},
        {"d", ""},
        {"*", ""},
        {"de;", ""},
        {"de at", ""},
        {"toolongtag", ""},
        {"12", ""},
        {"pt-BR-x-private", "pt"},
        {"en-", ""},
        {"en--US", ""},
        {"en-!!", ""},
        {"en-US ", ""},
        {"en-US-", ""},
        {"de-CH-1996", "de"},
        {"en-123456789", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[LANGUAGE_MAX];
        struct event_text tag = text_of(cases[i][0]);
        size_t len = language_of_tag(&tag, out);
        if (len != strlen(cases[i][1]) || memcmp(out, cases[i][1], len) != 0)
            fail_msg("%s is %.*s", cases[i][0], (int)len, out);
    }
}

static void test_language_is_the_one_wanted_most(void **state)
{
    static const char *const cases[][2] = {
        {"de-DE,de;q=0.9,en;q=0.8", "de"},
        {"en;q=0.8, de;q=0.9", "de"},
        {"*, fr;q=0.5", "fr"},
        {"fr;q=0, nl;q=0.001", "nl"},
        {"it;q=x, es", "es"},
        {"it-!, es;q=0.1", "es"},
        {" pt-BR ; q=0.3 , sv ; q=0.31", "sv"},
        {",,,", ""},
        {"*", ""},
        {"", ""},
        {"de;q=0.5,en;q=1.0", "en"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[LANGUAGE_MAX];
        struct event_text header = text_of(cases[i][0]);
        size_t len = language_of_header(&header, out);
        if (len != strlen(cases[i][1]) || memcmp(out, cases[i][1], len) != 0)
            fail_msg("%s is %.*s", cases[i][0], (int)len, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_names_are_sorted_and_in_lower_case),
        cmocka_unit_test(test_source_has_one_name_for_one_site),
        cmocka_unit_test(test_source_of_advertisements_is_paid),
        cmocka_unit_test(test_source_is_cut_at_255_characters),
        cmocka_unit_test(test_click_has_a_name_in_lower_case),
        cmocka_unit_test(test_channel_follows_from_source_medium_and_click),
        cmocka_unit_test(test_language_is_the_first_subtag),
        cmocka_unit_test(test_language_is_the_one_wanted_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
