/* test_enrich_url.c -- a URL taken apart, and the referrer of a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingestion/enrich/referrer.h"
#include "ingestion/enrich/url.h"
#include "shared/base/arena.h"
#include "shared/base/mem.h"
#include "shared/text/words.h"

enum {
    ROOM = 65536
};

static struct event_text text_of(const char *text)
{
    return (struct event_text){text, strlen(text)};
}

static void check_text(const struct event_text *text, const char *wanted, const char *of)
{
    if (!wanted) {
        if (text->bytes)
            fail_msg("%s: %.*s", of, (int)text->len, text->bytes);
        return;
    }
    if (!text->bytes || text->len != strlen(wanted) ||
        memcmp(text->bytes, wanted, text->len) != 0)
        fail_msg("%s: \"%.*s\", not \"%s\"", of, (int)text->len,
                 text->bytes ? text->bytes : "", wanted);
}

struct url_case {
    const char *url;
    const char *host;
    const char *path;
    const char *query; /* NULL: none */
};

static void test_url_is_taken_apart(void **state)
{
    static const struct url_case cases[] = {
        {"https://shop.example", "shop.example", "/", NULL},
        {"HTTPS://Shop.Example/", "Shop.Example", "/", NULL},
        {"http://shop.example/a/b?c=d#e", "shop.example", "/a/b", "c=d"},
        {"http://shop.example/%C3%A4/../b", "shop.example", "/%C3%A4/../b", NULL},
        {"http://shop.example?c", "shop.example", "/", "c"},
        {"http://shop.example#/hash?x", "shop.example", "/", NULL},
        {"http://shop.example/?", "shop.example", "/", ""},
        {"http://shop.example/?a?b/c", "shop.example", "/", "a?b/c"},
        {"http://shop.example:8080/a", "shop.example", "/a", NULL},
        {"http://shop.example:/a", "shop.example", "/a", NULL},
        {"http://shop.example:65535", "shop.example", "/", NULL},
        {"http://user:pass@shop.example/a", "shop.example", "/a", NULL},
        {"http://a@b@shop.example/a@c", "shop.example", "/a@c", NULL},
        {"http://127.0.0.1:3000/a", "127.0.0.1", "/a", NULL},
        {"http://[2001:DB8::1]/a", "[2001:DB8::1]", "/a", NULL},
        {"http://u@[::1]:80/a?b", "[::1]", "/a", "b"},
        {"http://m\303\274ller.example/\303\274", "m\303\274ller.example", "/\303\274",
         NULL},
        {"http://localhost//a", "localhost", "//a", NULL},
        {"http://shop.example/a|b\\c", "shop.example", "/a|b\\c", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct url url;
        if (!url_parse(cases[i].url, strlen(cases[i].url), &url))
            fail_msg("%s is refused", cases[i].url);
        check_text(&url.host, cases[i].host, cases[i].url);
        check_text(&url.path, cases[i].path, cases[i].url);
        check_text(&url.query, cases[i].query, cases[i].url);
    }
}

static void test_url_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "/a",
        "shop.example/a",
        "//shop.example/a",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "about:blank",
        "file:///etc",
        "http:/shop.example",
        "http://",
        "http:///a",
        "http://?a",
        "http://:80/",
        "http://user@/a",
        "http://shop.example:65536/",
        "http://shop.example:99999999999999999999/",
        "http://shop.example:80a/",
        "http://shop.example:-1/",
        "http://shop example/",
        "http://shop.example/a b",
        "http://shop.example/a\nb",
        "http://shop.example/<script>",
        "http://shop.example/\"",
        "http://shop\\.example/",
        "http://[::1/",
        "http://[::1]a/",
        "http://[1.2.3.4]/",
        "http://[shop]/",
        " http://shop.example/",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct url url;
        if (url_parse(wrong[i], strlen(wrong[i]), &url))
            fail_msg("\"%s\" is taken", wrong[i]);
    }
}

static void test_url_host_has_at_most_255_characters(void **state)
{
    char text[300] = "http://";
    struct url url;

    (void)state;
    memset(text + 7, 'a', URL_HOST_MAX + 1);
    assert_true(url_parse(text, 7 + URL_HOST_MAX, &url));
    assert_false(url_parse(text, 7 + URL_HOST_MAX + 1, &url));
}

static void test_url_value_is_decoded_as_forms_are(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"spring+sale", "spring sale"},
        {"spring%20sale", "spring sale"},
        {"a%2Bb%2bc", "a+b+c"},
        {"100%", "100%"},
        {"100%2", "100%2"},
        {"100%zz", "100%zz"},
        {"%%41", "%A"},
        {"%C3%BC", "\303\274"},
        {"\303\274", "\303\274"},
        {"%FC", "\357\277\275"},
        {"a%E2%82b", "a\357\277\275\357\277\275b"},
        {"a%00b", "a\357\277\275b"},
        {"%ED%A0%80", "\357\277\275\357\277\275\357\277\275"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[URL_DECODED_BYTES];
        struct event_text value = text_of(cases[i][0]);
        struct event_text decoded = {out, url_decode_form(&value, out)};
        check_text(&decoded, cases[i][1], cases[i][0]);
    }
}

static void test_url_value_is_cut_at_a_character(void **state)
{
    char long_text[4 * URL_DECODED_MAX + 8];
    char out[URL_DECODED_BYTES];
    struct event_text value = {long_text, 0};

    (void)state;
    while (value.len < sizeof(long_text) - 4) {
        memcpy(long_text + value.len, "\360\237\230\200", 4);
        value.len += 4;
    }
    assert_int_equal(url_decode_form(&value, out), URL_DECODED_BYTES);
    memset(long_text, 'a', sizeof(long_text));
    assert_int_equal(url_decode_form(&value, out), URL_DECODED_MAX);
}

static void test_url_keeps_the_query_keys_that_a_setting_names(void **state)
{
    static const char *const cases[][3] = {
        {"", "http://a.example/x?p=1", "/x"},
        {"p,page_id", "http://a.example/x?p=1", "/x?p=1"},
        {"p,page_id", "http://a.example/x?utm_source=b&page_id=%2F&&p=1&q=2#p=3",
         "/x?page_id=%2F&p=1"},
        {"p", "http://a.example?p", "/?p"},
        {"p", "http://a.example/?P=1&pp=2", "/"},
        {"p", "http://a.example/?p=1&p=2", "/?p=1&p=2"},
    };
    struct arena arena;

    (void)state;
    assert_int_equal(arena_init(&arena, ROOM), ERR_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err;
        struct words keys;
        struct url url;
        struct event_text page;
        assert_int_equal(words_parse(cases[i][0], &keys, &err), ERR_OK);
        assert_true(url_parse(cases[i][1], strlen(cases[i][1]), &url));
        page = url_page(&url, &keys, 2048, &arena);
        check_text(&page, cases[i][2], cases[i][1]);
        page = url_page(&url, &keys, 3, &arena);
        assert_true(page.len <= 3);
        words_release(&keys);
    }
    arena_release(&arena);
}

struct referrer_case {
    const char *referrer;
    const char *text; /* NULL: it is unreadable */
    const char *host;
};

static void test_referrer_is_stored_without_scheme_and_query(void **state)
{
    static const struct referrer_case cases[] = {
        {"https://www.google.com/", "google.com", "google.com"},
        {"https://www.google.com/search?q=secret#x", "google.com/search", "google.com"},
        {"http://WWW.Example.ORG:8080/A/b/", "example.org/A/b", "example.org"},
        {"https://user:pass@example.org/a", "example.org/a", "example.org"},
        {"https://www.example", "example", "example"},
        {"https://www.", "www.", "www."},
        {"https://example.org///", "example.org", "example.org"},
        {"https://[::1]:3000/a", "[::1]/a", "[::1]"},
        {"android-app://com.google.android.gm/", "android-app://com.google.android.gm",
         "android-app://com.google.android.gm"},
        {"ANDROID-APP://Some.App/http/x", "android-app://some.app/http/x",
         "android-app://some.app"},
        {"example.org/a", "example.org/a", "example.org"},
        {"www.example.org", "example.org", "example.org"},
        {"/only/a/path", NULL, NULL},
        {"google", NULL, NULL},
        {".example", NULL, NULL},
        {"not a url", NULL, NULL},
        {"ftp://example.org/", NULL, NULL},
        {"about:client", NULL, NULL},
        {"javascript:alert(document.domain)", NULL, NULL},
        {"android-app://", NULL, NULL},
        {"https://", NULL, NULL},
    };
    struct arena arena;

    (void)state;
    assert_int_equal(arena_init(&arena, ROOM), ERR_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_text text = text_of(cases[i].referrer);
        struct referrer referrer = {.is_app = false};
        if (referrer_read(&text, &arena, &referrer) != (cases[i].text != NULL))
            fail_msg("\"%s\"", cases[i].referrer);
        check_text(&referrer.text, cases[i].text, cases[i].referrer);
        check_text(&referrer.host, cases[i].host, cases[i].referrer);
    }
    arena_release(&arena);
}

static void test_referrer_of_the_own_host_is_known(void **state)
{
    static const char *const own[][2] = {
        {"https://shop.example/a", "shop.example"},
        {"https://www.shop.example/a", "SHOP.example"},
        {"https://shop.example:8443/", "www.shop.example"},
    };
    static const char *const other[][2] = {
        {"https://blog.shop.example/", "shop.example"},
        {"https://shop.example.evil/", "shop.example"},
        {"android-app://shop.example", "shop.example"},
    };
    struct arena arena;
    struct event_text none = {NULL, 0};

    (void)state;
    assert_int_equal(arena_init(&arena, ROOM), ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        struct referrer referrer;
        struct event_text text = text_of(own[i][0]);
        struct event_text host = text_of(own[i][1]);
        assert_true(referrer_read(&text, &arena, &referrer));
        assert_true(referrer_is_own(&referrer, &host));
        assert_false(referrer_is_own(&referrer, &none));
        text = text_of(other[i][0]);
        host = text_of(other[i][1]);
        assert_true(referrer_read(&text, &arena, &referrer));
        assert_false(referrer_is_own(&referrer, &host));
    }
    arena_release(&arena);
}

static void test_referrer_is_cut_at_a_character(void **state)
{
    char text[4 * REFERRER_MAX] = "https://a.example/";
    struct event_text long_text = {text, strlen(text)};
    struct referrer referrer;
    struct arena arena;

    (void)state;
    assert_int_equal(arena_init(&arena, ROOM), ERR_OK);
    while (long_text.len < sizeof(text) - 2) {
        memcpy(text + long_text.len, "\303\274", 2);
        long_text.len += 2;
    }
    assert_true(referrer_read(&long_text, &arena, &referrer));
    assert_int_equal(referrer.text.len, 10 + 2 * (REFERRER_MAX - 10));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url_is_taken_apart),
        cmocka_unit_test(test_url_that_is_none_is_refused),
        cmocka_unit_test(test_url_host_has_at_most_255_characters),
        cmocka_unit_test(test_url_value_is_decoded_as_forms_are),
        cmocka_unit_test(test_url_value_is_cut_at_a_character),
        cmocka_unit_test(test_url_keeps_the_query_keys_that_a_setting_names),
        cmocka_unit_test(test_referrer_is_stored_without_scheme_and_query),
        cmocka_unit_test(test_referrer_of_the_own_host_is_known),
        cmocka_unit_test(test_referrer_is_cut_at_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
