/* test_http_head.c -- the verdict on the headers of a request, from a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shared/http/head.h"

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
    {"a space in a name", {{"Host", "a"}, {"Transfer-Encoding ", "chunked"}}, 400, true},
    {"a tab in a name", {{"Host", "a"}, {"Content-Length\t", "1"}}, 400, true},
    {"an 8-bit name", {{"Host", "a"}, {"X-\xe4", "1"}}, 400, true},
    {"an empty name", {{"Host", "a"}, {"", "1"}}, 400, true},
    {"a folded length", {{"Host", "a"}, {"Content-Length5", ""}}, 400, true},
    {"a folded coding", {{"Host", "a"}, {"transfer-encodingchunked", ""}}, 400, true},
    {"a folded host", {{"Hosta", ""}}, 400, true},
    {"a name that begins like a host", {{"Host", "a"}, {"Hostname", "b"}}, 0, false},
    {"a name that begins like a length",
     {{"Host", "a"}, {"Content-Length-Hint", "1"}},
     0,
     false},
    {"a folded negative length", {{"Host", "a"}, {"Content-Length-5", ""}}, 400, true},
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
    {"charset behind another parameter",
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

    http_head_init(&head);
    for (int i = 0; i < HEADERS_MAX && of->headers[i].name; i++) {
        const struct header *header = &of->headers[i];
        http_head_add(&head, header->name, strlen(header->name), header->value,
                      strlen(header->value));
    }
    http_head_end(&head, true);
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

static void test_head_refuses_a_nul_in_a_value(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head);
    http_head_add(&head, "X-A", 3, "a\0b", 3);
    assert_int_equal(head.status, 400);
    assert_true(head.is_hostile);
}

static void test_head_needs_no_host_before_1_1(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head);
    http_head_end(&head, false);
    assert_int_equal(head.status, 0);
    assert_int_equal(head.content_length, -1);
}

static void test_head_reads_the_length(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head);
    http_head_add(&head, "CONTENT-LENGTH", 14, "102400", 6);
    assert_int_equal(head.content_length, 102400);
}

static void test_head_is_bounded(void **state)
{
    struct http_head head;

    (void)state;
    http_head_init(&head);
    http_head_add(&head, "Cookie", 6, "a=b", 3);
    http_head_bound(&head, 16); /* 6, 3, 4, and the cookie once more */
    assert_int_equal(head.status, 0);
    http_head_bound(&head, 15);
    assert_int_equal(head.status, 431);
    assert_true(head.is_hostile);
}

/* --- heads that were cut apart ---------------------------------------------------- */

struct cut {
    char bytes[256]; /* the head */
    char folded[32]; /* the name of a header whose line goes on, as MHD moves it away */
    struct http_head head;
};

static char *end_line(char *line)
{
    char *end = line;

    while (*end != '\n')
        end++;
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return end + 1;
}

/* Cuts a header off as MHD does and adds it.  Returns the next line. */
static char *cut_header(struct cut *of, char *name)
{
    char *next = end_line(name);
    char *value = name + strcspn(name, ":");
    size_t len;

    *value++ = '\0';
    value += strspn(value, " \t");
    while (*next == ' ' || *next == '\t') {
        char *fold = next + strspn(next, " \t");
        next = end_line(next);
        len = strlen(name);
        memmove(of->folded, name, len);
        memcpy(of->folded + len, fold, strlen(fold) + 1);
        name = of->folded;
    }
    http_head_add(&of->head, name, strlen(name), value, strlen(value));
    return next;
}

static struct http_head cut_head(const char *bytes, size_t len)
{
    struct cut of = {.folded = ""};
    char *target;
    char *target_end;
    char *version;
    char *line;

    assert_true(len < sizeof(of.bytes));
    memcpy(of.bytes, bytes, len);
    http_head_init(&of.head);
    line = end_line(of.bytes);
    for (target = of.bytes; *target != ' ';)
        target++;
    *target++ = '\0';
    target += strspn(target, " ");
    version = line - 1;
    while (version[-1] != ' ')
        version--;
    version[-1] = '\0';
    target_end = target + strlen(target);
    http_head_follow(&of.head, of.bytes, target, target_end, version);
    while (*line && *line != '\r' && *line != '\n')
        line = cut_header(&of, line);
    line = end_line(line);
    http_head_follow_end(&of.head, line);
    http_head_end(&of.head, true);
    return of.head;
}

#define HEAD(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t len;
    unsigned status;
} heads[] = {
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\n\r\n"), 0},
    {HEAD("POST   /event HTTP/1.1\r\nHost: x\r\nX: y\r\nA:\r\n\r\n"), 0},
    {HEAD("POST /event HTTP/1.1\nHost:x\nX: \t y \t\nA:\n\n"), 0},
    {HEAD("POST /event HTTP/1.1\nHost: x\r\nX:y\n\r\n"), 0},
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\nX: y\r\n z\r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\nX: y\r\n \r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\nX:\r\n\tz\r\nA: b\r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\nX: y\n z\n z\nHost: x\n\n"), 400},
    {HEAD("POST /event HTTP/1.1\r\nX: y\0z\r\nHost: x\r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\r\nHost: x\r\nX: y\0\0\r\nA: b\r\n\r\n"), 400},
    {HEAD("POST /event HTTP/1.1\nHost: x\nX: y\0\0z\n\n"), 400},
    {HEAD("POST /event\0x HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
    {HEAD("POST\0x /event HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
};

static void test_head_lets_nothing_hide_between_its_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct http_head head = cut_head(heads[i].bytes, heads[i].len);
        if (head.status != heads[i].status)
            fail_msg("case %zu: status %u (%s), wanted %u", i, head.status,
                     head.sentence ? head.sentence : "-", heads[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_gives_each_case_its_verdict),
        cmocka_unit_test(test_head_refuses_a_nul_in_a_value),
        cmocka_unit_test(test_head_needs_no_host_before_1_1),
        cmocka_unit_test(test_head_reads_the_length),
        cmocka_unit_test(test_head_is_bounded),
        cmocka_unit_test(test_head_lets_nothing_hide_between_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
