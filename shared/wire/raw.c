/* raw.c -- see raw.h: memory, output and bodies; raw_lines.c has the lines of heads. */
#include "shared/wire/raw.h"

#include <assert.h>
#include <string.h>

#include "shared/base/hex.h"
#include "shared/wire/raw_internal.h"

enum {
    QUEUE_BYTES = 65536,    /* heads of pipelined requests that wait */
    KEEP_BYTES = 4096,      /* memory that an idle connection keeps */
    EXTENSION_BYTES = 4096, /* of one chunk */
    SIZE_DIGITS = 16,
    ALIGNMENT = 16,
    NUMBER_DIGITS = 20
};

/* --- memory --------------------------------------------------------------------- */

void http_raw_init(struct http_raw *raw, size_t max_head_bytes)
{
    *raw = (struct http_raw){.max_head_bytes = max_head_bytes};
    buf_init(&raw->line, max_head_bytes + 2);
    /* The text of a head is never longer than the head, and begins after its struct. */
    buf_init(&raw->heads,
             QUEUE_BYTES + max_head_bytes + 2 * sizeof(struct http_raw_head));
}

void http_raw_release(struct http_raw *raw)
{
    buf_release(&raw->line);
    buf_release(&raw->heads);
}

void raw_empty(struct buf *buf)
{
    if (buf->cap > KEEP_BYTES)
        buf_release(buf);
    buf_clear(buf);
}

struct http_raw_head *raw_head_at(const struct http_raw *raw, size_t at)
{
    return (struct http_raw_head *)(void *)(raw->heads.data + at);
}

size_t raw_align(size_t len)
{
    return (len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

const struct http_raw_head *http_raw_current(const struct http_raw *raw)
{
    if (raw->heads.len == 0 || (http_raw_is_refused(raw) && raw->refuses_head))
        return NULL;
    return raw_head_at(raw, raw->current_at);
}

const struct http_raw_head *http_raw_take(struct http_raw *raw)
{
    assert(raw->taken < raw->passed);
    raw->taken++;
    if (http_raw_is_refused(raw) && raw->refuses_head)
        return NULL;
    raw->current_at = raw->next_at;
    raw->next_at += raw_align(sizeof(struct http_raw_head) +
                              raw_head_at(raw, raw->current_at)->text_len);
    return http_raw_current(raw);
}

/* What is after the heads that are over moves to the front once it is less than they. */
void http_raw_done(struct http_raw *raw)
{
    size_t rest = raw->heads.len - raw->next_at;

    if (rest > raw->next_at)
        return;
    if (rest == 0) {
        raw_empty(&raw->heads);
        raw->heads_end = 0;
    } else {
        memmove(raw->heads.data, raw->heads.data + raw->next_at, rest);
        raw->heads.len = rest;
        raw->heads_end -= raw->next_at;
    }
    raw->next_at = raw->current_at = 0;
}

bool http_raw_is_refused(const struct http_raw *raw)
{
    return raw->state == RAW_REFUSED && raw->taken == raw->passed;
}

bool http_raw_is_in_head(const struct http_raw *raw)
{
    return raw->state == RAW_FIELDS || (raw->state == RAW_START && raw->line.len > 0);
}

/* --- output --------------------------------------------------------------------- */

static void raw_put(struct raw_sink *sink, const char *bytes, size_t len)
{
    struct http_raw *raw = sink->raw;
    size_t now = sink->cap - sink->len < len ? sink->cap - sink->len : len;

    if (now) {
        memcpy(sink->out + sink->len, bytes, now);
        sink->len += now;
    }
    if (now == len)
        return;
    assert(raw->pending_len + len - now <= sizeof(raw->pending));
    memcpy(raw->pending + raw->pending_len, bytes + now, len - now);
    raw->pending_len += len - now;
}

void raw_put_text(struct raw_sink *sink, const char *text)
{
    raw_put(sink, text, strlen(text));
}

static void put_number(struct raw_sink *sink, uint64_t number, unsigned base)
{
    char text[NUMBER_DIGITS];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    raw_put(sink, text + at, sizeof(text) - at);
}

size_t http_raw_flush(struct http_raw *raw, char *out, size_t cap)
{
    size_t len = raw->pending_len - raw->pending_at;

    if (len == 0)
        return 0;
    len = len < cap ? len : cap;
    memcpy(out, raw->pending + raw->pending_at, len);
    raw->pending_at += len;
    if (raw->pending_at == raw->pending_len)
        raw->pending_at = raw->pending_len = 0;
    return len;
}

/* The plainest form of a head.  It is never longer than the head it stands for, so that
 * what is written never overtakes what is read by more than one head or chunk line. */
void raw_put_head(struct raw_sink *sink, const struct http_head *head, const char *method)
{
    raw_put_text(sink, strcmp(method, "HEAD") == 0 ? "HEAD / HTTP/1." : "P / HTTP/1.");
    raw_put_text(sink, head->is_http_1_0 ? "0\r\n" : "1\r\nHost:\r\n");
    if (head->closes)
        raw_put_text(sink, "Connection:close\r\n");
    else if (head->keeps_alive)
        raw_put_text(sink, "Connection:keep-alive\r\n");
    if (head->expects_continue)
        raw_put_text(sink, "Expect:100-continue\r\n");
    if (head->codings) {
        raw_put_text(sink, "Transfer-Encoding:chunked\r\n");
    } else if (head->lengths) {
        raw_put_text(sink, "Content-Length:");
        put_number(sink, (uint64_t)head->content_length, 10);
        raw_put_text(sink, "\r\n");
    }
    raw_put_text(sink, "\r\n");
}

/* Whether the head that is being read is one of HEAD. */
static bool is_head_method(const struct http_raw *raw)
{
    return raw->state == RAW_FIELDS && raw->heads.len > raw->heads_end &&
           strcmp(http_raw_method(raw_head_at(raw, raw->heads_end)), "HEAD") == 0;
}

/* The request in question ends here, and nothing comes after it. */
void raw_refuse(struct raw_sink *sink, unsigned status, const char *sentence)
{
    static const struct http_head bare = {.closes = true};
    struct http_raw *raw = sink->raw;
    bool is_head = is_head_method(raw);

    switch (raw->state) {
    case RAW_START:
    case RAW_FIELDS:
        raw->refuses_head = true;
        raw->heads.len = raw->heads_end;
        raw->passed++;
        raw_put_head(sink, &bare, is_head ? "HEAD" : "P");
        break;
    case RAW_DATA_CR:
    case RAW_DATA_LF:
        raw_put_text(sink, "\r\n0\r\n\r\n");
        break;
    case RAW_SIZE:
    case RAW_SIZE_BLANK:
    case RAW_SIZE_EXTENSION:
    case RAW_SIZE_LF:
    case RAW_TRAILERS:
        raw_put_text(sink, "0\r\n\r\n");
        break;
    case RAW_BODY:
    case RAW_DATA:
    case RAW_REFUSED:
        break; /* there is nothing to refuse in these */
    }
    raw->status = status;
    raw->sentence = sentence;
    raw->refuses_answer_body = is_head;
    raw->state = RAW_REFUSED;
    buf_release(&raw->line);
}

void raw_refuse_memory(struct raw_sink *sink, enum err_code code)
{
    raw_refuse(sink, 503,
               code == ERR_TOO_BIG ? "too many requests at once" : "out of memory");
}

/* --- bodies --------------------------------------------------------------------- */

static const char *take_bytes(struct raw_sink *sink, const char *at, const char *end)
{
    size_t len = (size_t)(end - at);

    if (len > sink->raw->left)
        len = (size_t)sink->raw->left;
    raw_put(sink, at, len);
    http_raw_pass(sink->raw, len);
    return at + len;
}

/* What begins with the byte after the last digit; RAW_REFUSED: nothing that may. */
static enum http_raw_state state_after_digits(char c)
{
    switch (c) {
    case '\r':
        return RAW_SIZE_LF;
    case ';':
        return RAW_SIZE_EXTENSION;
    case ' ':
    case '\t':
        return RAW_SIZE_BLANK;
    default:
        return RAW_REFUSED;
    }
}

static void take_digit(struct raw_sink *sink, char c)
{
    struct http_raw *raw = sink->raw;
    enum http_raw_state next = raw->line_bytes ? state_after_digits(c) : RAW_REFUSED;
    int value = hex_value(c);

    if (value >= 0) {
        raw->left = raw->left * 16 + (unsigned)value;
        if (++raw->line_bytes > SIZE_DIGITS || raw->left > INT64_MAX)
            raw_refuse(sink, 400, "the size of a chunk is too large");
    } else if (next == RAW_REFUSED) {
        raw_refuse(sink, 400, "the size of a chunk is no number");
    } else {
        raw->state = next;
    }
}

static void end_size(struct raw_sink *sink)
{
    struct http_raw *raw = sink->raw;

    raw->line_bytes = 0;
    raw->head_bytes = 0;
    if (raw->left == 0) {
        raw->state = RAW_TRAILERS;
        return;
    }
    put_number(sink, raw->left, 16);
    raw_put_text(sink, "\r\n");
    raw->state = RAW_DATA;
}

/* One byte of a chunk's line, after the size. */
static void take_size_rest(struct raw_sink *sink, char c)
{
    struct http_raw *raw = sink->raw;

    if (raw->state == RAW_SIZE_LF) {
        if (c == '\n')
            end_size(sink);
        else
            raw_refuse(sink, 400, "a chunk line ends without CR and LF");
    } else if (raw->state == RAW_SIZE_BLANK && c == ';') {
        raw->state = RAW_SIZE_EXTENSION;
    } else if (raw->state == RAW_SIZE_BLANK && c != ' ' && c != '\t') {
        raw_refuse(sink, 400, "the size of a chunk is no number");
    } else if (c == '\r') {
        raw->state = RAW_SIZE_LF;
    } else if (raw_is_control((unsigned char)c)) {
        raw_refuse(sink, 400, "a chunk line ends without CR and LF");
    } else if (++raw->line_bytes > EXTENSION_BYTES) {
        raw_refuse(sink, 400, "the extension of a chunk is too long");
    }
}

static void take_data_end(struct raw_sink *sink, char c)
{
    struct http_raw *raw = sink->raw;

    if (c != (raw->state == RAW_DATA_CR ? '\r' : '\n')) {
        raw_refuse(sink, 400, "a chunk is longer than its size");
        return;
    }
    if (raw->state == RAW_DATA_CR) {
        raw->state = RAW_DATA_LF;
        return;
    }
    raw_put_text(sink, "\r\n");
    raw->state = RAW_SIZE;
}

size_t http_raw_plain(const struct http_raw *raw)
{
    if (raw->state != RAW_BODY && raw->state != RAW_DATA)
        return 0;
    return raw->left < SIZE_MAX ? (size_t)raw->left : SIZE_MAX;
}

void http_raw_pass(struct http_raw *raw, size_t len)
{
    raw->left -= len;
    if (raw->left == 0)
        raw->state = raw->state == RAW_BODY ? RAW_START : RAW_DATA_CR;
}

size_t http_raw_feed(struct http_raw *raw, const char *in, size_t len, char *out,
                     size_t cap)
{
    struct raw_sink sink = {.raw = raw, .out = out, .cap = cap};
    const char *end = in + len;

    assert(raw->pending_len == 0 && len <= cap);
    while (in < end) {
        switch (raw->state) {
        case RAW_START:
        case RAW_FIELDS:
        case RAW_TRAILERS:
            in = raw_take_line(&sink, in, end);
            break;
        case RAW_BODY:
        case RAW_DATA:
            in = take_bytes(&sink, in, end);
            break;
        case RAW_SIZE:
            take_digit(&sink, *in++);
            break;
        case RAW_SIZE_BLANK:
        case RAW_SIZE_EXTENSION:
        case RAW_SIZE_LF:
            take_size_rest(&sink, *in++);
            break;
        case RAW_DATA_CR:
        case RAW_DATA_LF:
            take_data_end(&sink, *in++);
            break;
        case RAW_REFUSED:
            return sink.len; /* whatever comes is thrown away */
        }
    }
    return sink.len;
}

/* --- the text of a head ---------------------------------------------------------- */

static const char *text_of(const struct http_raw_head *head)
{
    return (const char *)(head + 1);
}

const char *http_raw_method(const struct http_raw_head *head)
{
    return text_of(head);
}

const char *http_raw_target(const struct http_raw_head *head)
{
    return text_of(head) + head->target_at;
}

const char *http_raw_field(const struct http_raw_head *head, size_t *at,
                           const char **ret_value)
{
    const char *name = text_of(head) + head->fields_at + *at;

    if (head->fields_at + *at >= head->text_len)
        return NULL;
    *ret_value = name + strlen(name) + 1;
    *at =
        (size_t)(*ret_value + strlen(*ret_value) + 1 - (text_of(head) + head->fields_at));
    return name;
}
