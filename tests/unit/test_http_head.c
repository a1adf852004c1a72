/* test_http_head.c -- the verdict on the headers of a request, from a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/wire/head.h"

enum {
    HEADERS_MAX = 4
};

struct header {
    const char *name;
    const char *value;
};

struct head_case {
    const char *what;
    struct header headers[HEADERS_MAX]; /* a NULL name ends them */
    unsigned status;                    /* 0: accepted */
    bool is_hostile;
};

static const struct head_case cases[] = {
    {"plain", {{"Host", "a"}, {"Content-Length", "12"}}, 0, false},
    {"chunked", {{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, 0, false},
    {"chunked in capitals", {{"Host", "a"}, {"transfer-encoding", "CHUNKED"}}, 0, false},
    {"no host", {{"Content-Length", "12"}}, 400, true},
    {"two hosts", {{"Host", "a"}, {"host", "b"}}, 400, true},
    {"two lengths",
     {{"Host", "a"}, {"Content-Length", "1"}, {"Content-Length", "1"}},
     400,
     true},
    {"a list of lengths", {{"Host", "a"}, {"Content-Length", "1, 1"}}, 400, true},
    {"a signed length", {{"Host", "a"}, {"Content-Length", "+1"}}, 400, true},
    {"a negative length", {{"Host", "a"}, {"Content-Length", "-1"}}, 400, true},
    {"an empty length", {{"Host", "a"}, {"Content-Length", ""}}, 400, true},
    {"a hexadecimal length", {{"Host", "a"}, {"Content-Length", "0x10"}}, 400, true},
    {"a length past 64 bits",
     {{"Host", "a"}, {"Content-Length", "99999999999999999999"}},
     400,
     true},
    {"length and coding",
     {{"Host", "a"}, {"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}},
     400,
     true},
    {"coding and length",
     {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}},
     400,
     true},
    {"two codings",
     {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}},
     400,
     true},
    {"gzip, chunked", {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}, 400, true},
    {"identity coding", {{"Host", "a"}, {"Transfer-Encoding", "identity"}}, 400, true},
    {"chunked with a vertical tab",
     {{"Host", "a"}, {"Transfer-Encoding", "\vchunked"}},
     400,
     true},
    {"a name that begins like a host", {{"Host", "a"}, {"Hostname", "b"}}, 0, false},
    {"a name that begins like a length",
     {{"Host", "a"}, {"Content-Length-Hint", "1"}},
     0,
     false},
    {"a continue", {{"Host", "a"}, {"Expect", "100-Continue"}}, 0, false},
    {"another expectation", {{"Host", "a"}, {"Expect", "200-ok"}}, 417, true},
    {"gzip", {{"Host", "a"}, {"Content-Encoding", "GZIP"}}, 0, false},
    {"deflate", {{"Host", "a"}, {"Content-Encoding", "deflate"}}, 0, false},
    {"identity", {{"Host", "a"}, {"Content-Encoding", "identity"}}, 0, false},
    {"brotli", {{"Host", "a"}, {"Content-Encoding", "br"}}, 415, false},
    {"gzip twice", {{"Host", "a"}, {"Content-Encoding", "gzip, gzip"}}, 415, false},
    {"two encodings",
     {{"Host", "a"}, {"Content-Encoding", "gzip"}, {"Content-Encoding", "gzip"}},
     415,
     false},
    {"json", {{"Host", "a"}, {"Content-Type", "application/json"}}, 0, false},
    {"text", {{"Host", "a"}, {"Content-Type", "text/plain;charset=UTF-8"}}, 0, false},
    {"quoted charset",
     {{"Host", "a"}, {"Content-Type", "application/json; charset=\"utf-8\""}},
     0,
     false},
    {"charset after another parameter",
     {{"Host", "a"}, {"Content-Type", "a/b; x=\"1;charset=latin1\"; charset=utf-8 "}},
     0,
     false},
    {"latin 1",
     {{"Host", "a"}, {"Content-Type", "application/json; charset=iso-8859-1"}},
     415,
     false},
    {"utf-16",
     {{"Host", "a"}, {"Content-Type", "text/plain;CHARSET=utf-16"}},
     415,
     false},
    {"a charset without a value",
     {{"Host", "a"}, {"Content-Type", "text/plain;charset="}},
     415,
     false},
    {"hostile outweighs a mistake",
     {{"Host", "a"},
      {"Content-Encoding", "br"},
      {"Content-Length", "1"},
      {"Content-Length", "1"}},
     400,
     true},
};

static struct http_head judge(const struct head_case *of)
{
    struct http_head head;

    http_head_init(&head, false);
    for (int i = 0; i < HEADERS_MAX && of->headers[i].name; i++) {
        const struct header *header = &of->headers[i];
        http_head_add(&head, header->name, strlen(header->name), header->value,
                      strlen(header->value));
    }
    http_head_end(&head);
    return head;
}

static void test_head_gives_each_case_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_head head = judge(&cases[i]);
        if (head.status != cases[i].status || head.is_hostile != cases[i].is_hostile)
            fail_msg("%s: status %u hostile %d, wanted %u %d (%s)", cases[i].what,
                     head.status, head.is_hostile, cases[i].status, cases[i].is_hostile,
                     head.sentence ? head.sentence : "-");
        assert_true((head.status != 0) == (head.sentence != NULL));
    }
}

static void test_head_needs_no_host_before_1_1(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head, true);
    http_head_end(&head);
    assert_int_equal(head.status, 0);
    assert_int_equal(head.content_length, -1);
}

static void test_head_reads_the_length(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head, false);
    http_head_add(&head, "CONTENT-LENGTH", 14, "102400", 6);
    assert_int_equal(head.content_length, 102400);
}

static void test_head_refuses_a_coding_before_1_1(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head, true);
    http_head_add(&head, "Transfer-Encoding", 17, "chunked", 7);
    http_head_end(&head);
    assert_int_equal(head.status, 400);
    assert_true(head.is_hostile);
}

static void test_head_reads_the_words_of_connection(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head, false);
    http_head_add(&head, "Connection", 10, "upgrade,, Keep-Alive\t, x", 24);
    assert_true(head.keeps_alive && !head.closes);
    http_head_add(&head, "connection", 10, " CLOSE", 6);
    assert_true(head.keeps_alive && head.closes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_gives_each_case_its_verdict),
        cmocka_unit_test(test_head_needs_no_host_before_1_1),
        cmocka_unit_test(test_head_reads_the_length),
        cmocka_unit_test(test_head_refuses_a_coding_before_1_1),
        cmocka_unit_test(test_head_reads_the_words_of_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
