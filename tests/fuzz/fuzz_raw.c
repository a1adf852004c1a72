/* fuzz_raw.c -- the raw bytes of a connection: however they are cut, and however little room
 * there is for what comes of them, the verdict, what is shown to libmicrohttpd and the heads
 * that are kept are the same.  What is shown is in the plain form that raw.h promises, judged
 * by a second parser that knows nothing else.  No bound is passed, also when memory ends. */
#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/fnv.h"
#include "shared/base/mem.h"
#include "shared/wire/raw.h"
#include "tests/fuzz/fuzz.h"

enum {
    HEAD_MAX = 512,
    HEADS_MAX = 65536 + HEAD_MAX + 2 * sizeof(struct http_raw_head), /* as in raw.c */
    PIECE_MAX = 4096,
    TEXT_MAX = 16 << 20,
};

/* How a run cuts the bytes. */
struct cuts {
    size_t most;     /* bytes that come at once */
    size_t cap;      /* room for what is shown */
    uint64_t random; /* 0: always as much as that */
    bool is_eager;   /* each head is taken when it is there, and its request over */
};

/* What came of them. */
struct run {
    struct http_raw raw;
    struct buf shown;
    struct buf heads; /* all that were taken, as text */
    struct cuts cuts;
};

static size_t next_size(struct cuts *cuts, size_t most)
{
    if (!cuts->random)
        return most;
    cuts->random ^= cuts->random << 13;
    cuts->random ^= cuts->random >> 7;
    cuts->random ^= cuts->random << 17;
    return 1 + cuts->random % most;
}

/* --- the heads --------------------------------------------------------------------- */

static void check_text(const char *text, bool may_have_blanks)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        MUST(c >= 0x80 || isprint(c) || c == '\t');
        MUST(may_have_blanks || (c != ' ' && c != '\t'));
    }
}

static void add_line(struct buf *heads, const char *text)
{
    MUST(buf_add_text(heads, text) == ERR_OK && buf_add_text(heads, "\n") == ERR_OK);
}

static void take_head(struct run *run)
{
    const struct http_raw_head *head = http_raw_take(&run->raw);
    size_t at = 0;
    const char *name;
    const char *value;

    MUST(head == http_raw_current(&run->raw));
    if (!head) {
        MUST(http_raw_is_refused(&run->raw) && run->raw.refuses_head);
        return;
    }
    MUST(head->text_len <= HEAD_MAX && !head->head.is_hostile);
    check_text(http_raw_method(head), false);
    check_text(http_raw_target(head), false);
    MUST(*http_raw_method(head) && *http_raw_target(head));
    add_line(&run->heads, http_raw_method(head));
    add_line(&run->heads, http_raw_target(head));
    while ((name = http_raw_field(head, &at, &value)) != NULL) {
        check_text(name, false);
        check_text(value, true);
        MUST(*name && !strchr(name, ':'));
        add_line(&run->heads, name);
        add_line(&run->heads, value);
    }
}

static void take_heads(struct run *run)
{
    while (run->raw.taken < run->raw.passed) {
        take_head(run);
        /* A body that is still to come may turn out to be refused. */
        http_raw_done(&run->raw);
    }
}

/* --- one run ------------------------------------------------------------------------- */

static void check_bounds(const struct http_raw *raw)
{
    MUST(raw->head_bytes <= HEAD_MAX);
    MUST(raw->line.len <= HEAD_MAX && raw->line.cap <= HEAD_MAX + 2);
    MUST(raw->heads.cap <= HEADS_MAX && raw->heads_end <= raw->heads.len);
    MUST(raw->next_at <= raw->heads_end && raw->taken <= raw->passed);
    MUST(raw->pending_at <= raw->pending_len && raw->pending_len <= HTTP_RAW_PENDING);
    MUST(raw->state != RAW_REFUSED || (raw->status >= 400 && raw->sentence));
}

/* As wire.c does it: what waits goes first, and bytes that need no look go by. */
static size_t feed(struct run *run, const char *in, size_t len, char *out, size_t cap)
{
    size_t plain = http_raw_plain(&run->raw);
    size_t made;

    if (plain >= len && next_size(&run->cuts, 2) == 2) {
        memcpy(out, in, len);
        http_raw_pass(&run->raw, len);
        return len;
    }
    made = http_raw_feed(&run->raw, in, len, out, cap);
    MUST(made <= cap);
    return made;
}

static void feed_all(struct run *run, const char *in, size_t len)
{
    while (len > 0 || run->raw.pending_len > 0) {
        size_t cap = next_size(&run->cuts, run->cuts.cap);
        char *out = malloc(cap); /* so that a sanitizer sees its end */
        size_t made;

        MUST(out);
        made = http_raw_flush(&run->raw, out, cap);
        MUST(made <= cap);
        if (made < cap && len > 0) {
            size_t now = next_size(&run->cuts, run->cuts.most);
            now = now < len ? now : len;
            now = now < cap - made ? now : cap - made;
            made += feed(run, in, now, out + made, cap - made);
            in += now;
            len -= now;
        }
        MUST(buf_add(&run->shown, out, made) == ERR_OK);
        free(out);
        check_bounds(&run->raw);
        if (run->cuts.is_eager)
            take_heads(run);
    }
    take_heads(run);
}

/* Without memory after so many allocations; -1: there is enough. */
static struct run run_with(const char *in, size_t len, struct cuts cuts, long fail_after)
{
    struct run run = {.cuts = cuts};

    buf_init(&run.shown, TEXT_MAX);
    buf_init(&run.heads, TEXT_MAX);
    http_raw_init(&run.raw, HEAD_MAX);
    MUST(buf_reserve(&run.shown, 4 * len + 4096) == ERR_OK);
    MUST(buf_reserve(&run.heads, 4 * len + 4096) == ERR_OK);
    mem_fail_after(fail_after);
    feed_all(&run, in, len);
    mem_fail_after(-1);
    return run;
}

static void release(struct run *run)
{
    http_raw_release(&run->raw);
    buf_release(&run->shown);
    buf_release(&run->heads);
}

/* --- the plain form -------------------------------------------------------------------- */

struct shown {
    const char *at;
    const char *end;
};

static bool skip(struct shown *shown, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(shown->end - shown->at) < len || memcmp(shown->at, text, len) != 0)
        return false;
    shown->at += len;
    return true;
}

static uint64_t take_number(struct shown *shown, const char *digits)
{
    uint64_t number = 0;
    const char *start = shown->at;
    const char *digit;

    while (shown->at < shown->end && (digit = strchr(digits, *shown->at)) && *digit) {
        MUST(number < INT64_MAX / 8);
        number = number * strlen(digits) + (uint64_t)(digit - digits);
        shown->at++;
    }
    MUST(shown->at > start && (*start != '0' || shown->at == start + 1));
    MUST(skip(shown, "\r\n"));
    return number;
}

/* False when they end before that. */
static bool skip_bytes(struct shown *shown, uint64_t count)
{
    uint64_t left = (uint64_t)(shown->end - shown->at);

    shown->at += count < left ? count : left;
    return count <= left;
}

/* False when the body does not end. */
static bool skip_chunks(struct shown *shown)
{
    uint64_t size;

    do {
        if (shown->at == shown->end)
            return false;
        size = take_number(shown, "0123456789abcdef");
        if (!skip_bytes(shown, size))
            return false;
        if (shown->at == shown->end)
            return false;
        MUST(skip(shown, "\r\n"));
    } while (size > 0);
    return true;
}

/* False when the request does not end. */
static bool skip_request(struct shown *shown)
{
    bool is_first_version;
    bool is_chunked;
    uint64_t length = 0;

    MUST(skip(shown, "P / HTTP/1.") || skip(shown, "HEAD / HTTP/1."));
    is_first_version = skip(shown, "0\r\n");
    MUST(is_first_version || skip(shown, "1\r\nHost:\r\n"));
    if (!skip(shown, "Connection:close\r\n"))
        (void)skip(shown, "Connection:keep-alive\r\n");
    MUST(!skip(shown, "Expect:100-continue\r\n") || !is_first_version);
    is_chunked = skip(shown, "Transfer-Encoding:chunked\r\n");
    MUST(!is_chunked || !is_first_version);
    if (!is_chunked && skip(shown, "Content-Length:"))
        length = take_number(shown, "0123456789");
    MUST(skip(shown, "\r\n"));
    return is_chunked ? skip_chunks(shown) : skip_bytes(shown, length);
}

static void check_shown(const struct run *run)
{
    struct shown shown = {run->shown.data, run->shown.data + run->shown.len};
    enum http_raw_state state = run->raw.state;
    uint64_t count = 0;
    bool is_whole = true;

    while (is_whole && shown.at < shown.end) {
        is_whole = skip_request(&shown);
        count++;
    }
    MUST(shown.at == shown.end && count == run->raw.passed);
    MUST(is_whole == (state == RAW_START || state == RAW_FIELDS || state == RAW_REFUSED));
}

/* --- the contract ----------------------------------------------------------------------- */

static void check_same(const struct run *a, const struct run *b)
{
    MUST(a->raw.state == b->raw.state && a->raw.passed == b->raw.passed);
    if (a->raw.state == RAW_REFUSED) {
        MUST(a->raw.status == b->raw.status);
        MUST(strcmp(a->raw.sentence, b->raw.sentence) == 0);
        MUST(a->raw.refuses_head == b->raw.refuses_head);
        MUST(a->raw.refuses_answer_body == b->raw.refuses_answer_body);
    } else {
        MUST(a->raw.left == b->raw.left && a->raw.head_bytes == b->raw.head_bytes);
        MUST(http_raw_is_in_head(&a->raw) == http_raw_is_in_head(&b->raw));
    }
    MUST(a->shown.len == b->shown.len && a->heads.len == b->heads.len);
    MUST(!a->shown.len || !memcmp(a->shown.data, b->shown.data, a->shown.len));
    MUST(!a->heads.len || !memcmp(a->heads.data, b->heads.data, a->heads.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *in = (const char *)data;
    uint64_t random = fnv_bytes(FNV_START, in, size) | 1;
    const struct cuts ways[] = {
        {.most = 1, .cap = 1},
        {.most = 1, .cap = PIECE_MAX},
        {.most = PIECE_MAX, .cap = 1 + random % 40},
        {.most = 1 + random % 300, .cap = 1 + random % 700, .random = random},
        {.most = 24, .cap = 24, .random = random, .is_eager = true},
    };
    struct run whole =
        run_with(in, size, (struct cuts){.most = size + 1, .cap = size + 1}, -1);
    struct run failed;

    check_shown(&whole);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct run cut = run_with(in, size, ways[i], -1);
        check_shown(&cut);
        /* Heads that were taken are no more among the too many that wait. */
        if (!ways[i].is_eager || whole.raw.status != 503)
            check_same(&whole, &cut);
        release(&cut);
    }
    failed = run_with(in, size, ways[4], (long)(random % 12));
    check_shown(&failed);
    release(&failed);
    release(&whole);
    return 0;
}
