/* instructions.c -- see instructions.h. */
#include "tests/bench/instructions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAMP ",\"timestamp\":\"2025-11-14T10:00:00"

/* Mostly what a tracker sends, and a little of everything that takes longer to read. */
static const char *const bodies[] = {
    "{\"site_id\":\"site-1\",\"event_type\":\"page_view\",\"path\":\"/\","
    "\"user_id\":\"user-000017\"" STAMP "Z\"}",
    "{\"site_id\":\"site-2\",\"event_type\":\"page_view\",\"path\":\"/articles/17\","
    "\"user_id\":\"user-004711\"" STAMP ".123Z\"}",
    "{\"site_id\":\"site-3\",\"event_type\":\"page_view\",\"path\":\"/articles/2\","
    "\"user_id\":\"user-099999\"" STAMP ".000Z\"}",
    "{\"site_id\":\"site-4\",\"event_type\":\"page_view\",\"path\":\"/articles/333\","
    "\"user_id\":\"user-031415\"" STAMP ".999Z\"}",
    "{\"site_id\":\"site-5\",\"event_type\":\"click\",\"path\":\"/shop/basket?step=2\","
    "\"user_id\":null" STAMP "+05:30\"}",
    "{ \"site_id\": \"site-6\", \"event_type\": \"signup\", \"path\": \"/sp\\u00e4te/"
    "\xc3\xa4\", \"user_id\": \"\"" STAMP "Z\" }",
    "{\"site_id\":\"site-7\",\"event_type\":\"page_view\",\"path\":\"/"
    "search?q=a+rather+long"
    "+question+that+somebody+typed+into+the+field+at+the+top+of+the+page&page=12\","
    "\"user_id\":\"user-000001\"" STAMP ".5Z\"}",
    "{\"event_id\":\"0193A2B4-5C6D-7E8F-9A0B-1C2D3E4F5A6B\",\"site_id\":\"site-8\","
    "\"event_type\":\"page_view\",\"path\":\"/"
    "\\\"quoted\\\"\",\"user_id\":\"user-7\"" STAMP "Z\"}",
};

const char *instructions_body(size_t number, size_t *ret_len)
{
    const char *body = bodies[number % (sizeof(bodies) / sizeof(bodies[0]))];

    *ret_len = strlen(body);
    return body;
}

size_t instructions_rounds(int argc, char **argv)
{
    uintmax_t rounds = argc == 2 ? strtoumax(argv[1], NULL, 10) : 0;

    if (rounds == 0 || rounds > SIZE_MAX) {
        (void)fprintf(stderr, "usage: %s EVENTS\n", argv[0]);
        exit(EXIT_FAILURE);
    }
    return (size_t)rounds;
}

void instructions_must(int code, const char *what)
{
    if (code) {
        (void)fprintf(stderr, "could not %s\n", what);
        exit(EXIT_FAILURE);
    }
}
