/* verdicts.c -- what the event parser says to each text, for comparison with others.
 *
 * Reads one text a line on stdin, in hexadecimal, and writes one line for each:
 * "accepted " and the canonical job, or "refused " and the error body.
 */
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/hex.h"
#include "shared/event/event.h"
#include "shared/text/json.h"
#include "tests/fuzz/fuzz.h"

static size_t decode_hex(char *line, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        int high = hex_value(line[i]);
        int low = hex_value(line[i + 1]);
        MUST(high >= 0 && low >= 0);
        line[count++] = (char)(high << 4 | low);
    }
    return count;
}

static void answer(struct event_parser *parser, const char *bytes, size_t len)
{
    struct event event;
    struct err err;
    struct buf out;
    enum err_code code = event_parse(parser, bytes, len, &event, &err);

    buf_init(&out, 1 << 20);
    MUST((code ? json_add_error(&out, err.msg) : event_format_job(&event, &out)) ==
         ERR_OK);
    (void)printf("%s %.*s\n", code ? "refused" : "accepted", (int)out.len, out.data);
    buf_release(&out);
}

int main(void)
{
    struct event_parser *parser = event_parser_new();
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    MUST(parser);
    for (len = getline(&line, &cap, stdin); len > 0; len = getline(&line, &cap, stdin))
        answer(parser, line, decode_hex(line, (size_t)len));
    free(line);
    event_parser_free(parser);
    return 0;
}
