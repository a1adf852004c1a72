/* raw_lines.c -- the lines of heads and trailers; see raw.h. */
#include <string.h>

#include "shared/wire/raw.h"
#include "shared/wire/raw_internal.h"

enum {
    VERSION_BYTES = 8 /* HTTP/1.1 */
};

static const char bad_end[] = "a line ends without CR and LF";

/* RFC 9110, section 5.6.2: letters, digits and !#$%&'*+-.^_`|~ */
static bool is_token_char(unsigned char c)
{
    static const uint64_t set[4] = {0x03ff6cfa00000000U, 0x57ffffffc7fffffeU, 0, 0};

    return (set[c >> 6] >> (c & 63)) & 1;
}

static size_t token_len(const char *at, size_t len)
{
    size_t i = 0;

    while (i < len && is_token_char((unsigned char)at[i]))
        i++;
    return i;
}

/* Eight bytes at a time: a byte below 0x20 borrows into its highest bit, and DEL is zero
 * after the exclusive or.  A byte of 0x80 and more is neither. */
static bool may_have_control(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101U;
    const uint64_t high = ones << 7;
    uint64_t del = bytes ^ (ones * 0x7f);

    return ((((bytes - ones * ' ') & ~bytes) | ((del - ones) & ~del)) & high) != 0;
}

static bool has_control(const char *at, size_t len)
{
    size_t i = 0;

    for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t bytes;
        memcpy(&bytes, at + i, sizeof(bytes));
        if (may_have_control(bytes))
            break;
    }
    for (; i < len; i++) {
        if (raw_is_control((unsigned char)at[i]))
            return true;
    }
    return false;
}

/* --- the lines of a head -------------------------------------------------------- */

static enum err_code add_text(struct http_raw *raw, const char *text, size_t len)
{
    enum err_code code = buf_reserve(&raw->heads, len + 1);

    if (code)
        return code;
    memcpy(raw->heads.data + raw->heads.len, text, len);
    raw->heads.len += len;
    raw->heads.data[raw->heads.len++] = '\0';
    return ERR_OK;
}

/* Begins a head after the complete ones. */
static enum err_code begin_head(struct http_raw *raw, bool is_http_1_0)
{
    enum err_code code = buf_reserve(&raw->heads, sizeof(struct http_raw_head));
    struct http_raw_head *head;

    if (code)
        return code;
    raw->heads.len += sizeof(*head);
    head = raw_head_at(raw, raw->heads_end);
    memset(head, 0, sizeof(*head));
    http_head_init(&head->head, is_http_1_0);
    return ERR_OK;
}

static size_t text_here(const struct http_raw *raw)
{
    return raw->heads.len - raw->heads_end - sizeof(struct http_raw_head);
}

static enum err_code keep_line(struct http_raw *raw, const char *line, size_t method_len,
                               const char *target, size_t target_len, bool is_http_1_0)
{
    enum err_code code = begin_head(raw, is_http_1_0);

    if (!code)
        code = add_text(raw, line, method_len);
    if (!code) {
        raw_head_at(raw, raw->heads_end)->target_at = text_here(raw);
        code = add_text(raw, target, target_len);
    }
    if (!code)
        raw_head_at(raw, raw->heads_end)->fields_at = text_here(raw);
    return code;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void on_request_line(struct raw_sink *sink, const char *line, size_t len)
{
    static const char malformed[] = "the request line is malformed";
    size_t method_len = token_len(line, len);
    const char *target = line + method_len + 1;
    const char *version = line + len - VERSION_BYTES;
    enum err_code code;

    if (len == 0)
        return;
    if (method_len == 0 || len < method_len + 3 + VERSION_BYTES ||
        line[method_len] != ' ' || version[-1] != ' ' ||
        memchr(target, ' ', (size_t)(version - 1 - target)) ||
        memchr(target, '\t', (size_t)(version - 1 - target)) ||
        memcmp(version, "HTTP/", 5) != 0 || !is_digit(version[5]) || version[6] != '.' ||
        !is_digit(version[7])) {
        raw_refuse(sink, 400, malformed);
        return;
    }
    if (version[5] != '1') {
        raw_refuse(sink, 505, "the HTTP version is not supported");
        return;
    }
    code = keep_line(sink->raw, line, method_len, target, (size_t)(version - 1 - target),
                     version[7] == '0');
    if (code)
        raw_refuse_memory(sink, code);
    else
        sink->raw->state = RAW_FIELDS;
}

/* A name, a colon and the value between its blanks; false when the line has no such form. */
static bool split_field(const char *line, size_t len, size_t *ret_name_len,
                        const char **ret_value, size_t *ret_value_len)
{
    size_t name_len = token_len(line, len);
    const char *value = line + name_len + 1;
    const char *end = line + len;

    if (name_len == 0 || name_len == len || line[name_len] != ':')
        return false;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *ret_name_len = name_len;
    *ret_value = value;
    *ret_value_len = (size_t)(end - value);
    return true;
}

static void refuse_field(struct raw_sink *sink, const char *line, size_t len)
{
    raw_refuse(sink, 400,
               len && (*line == ' ' || *line == '\t')
                   ? "a header is folded"
                   : "a header name has a character that it must not have");
}

static void end_head(struct raw_sink *sink)
{
    struct http_raw *raw = sink->raw;
    struct http_raw_head *kept = raw_head_at(raw, raw->heads_end);
    const struct http_head *head = &kept->head;
    size_t padding = raw_align(raw->heads.len) - raw->heads.len;
    enum err_code code;

    http_head_end(&kept->head);
    if (head->is_hostile) {
        raw_refuse(sink, head->status, head->sentence);
        return;
    }
    code = buf_reserve(&raw->heads, padding);
    if (code) {
        raw_refuse_memory(sink, code);
        return;
    }
    kept = raw_head_at(raw, raw->heads_end);
    kept->text_len = text_here(raw);
    raw->heads.len += padding;
    raw->heads_end = raw->heads.len;
    raw->passed++;
    raw->head_bytes = 0;
    raw_put_head(sink, &kept->head, http_raw_method(kept));
    raw->left = kept->head.content_length > 0 ? (uint64_t)kept->head.content_length : 0;
    raw->line_bytes = 0;
    raw->state = kept->head.codings ? RAW_SIZE : raw->left ? RAW_BODY : RAW_START;
}

static void on_field(struct raw_sink *sink, const char *line, size_t len)
{
    struct http_raw *raw = sink->raw;
    const char *value;
    size_t name_len;
    size_t value_len;
    enum err_code code;

    if (len == 0) {
        end_head(sink);
        return;
    }
    if (!split_field(line, len, &name_len, &value, &value_len)) {
        refuse_field(sink, line, len);
        return;
    }
    http_head_add(&raw_head_at(raw, raw->heads_end)->head, line, name_len, value,
                  value_len);
    code = add_text(raw, line, name_len);
    if (!code)
        code = add_text(raw, value, value_len);
    if (code)
        raw_refuse_memory(sink, code);
}

static void on_trailer(struct raw_sink *sink, const char *line, size_t len)
{
    const char *value;
    size_t name_len;
    size_t value_len;

    if (len == 0) {
        raw_put_text(sink, "0\r\n\r\n");
        sink->raw->head_bytes = 0;
        sink->raw->state = RAW_START;
    } else if (!split_field(line, len, &name_len, &value, &value_len)) {
        refuse_field(sink, line, len);
    } else if (http_head_is_framing(line, name_len)) {
        raw_refuse(sink, 400, "a header that frames the request is a trailer");
    }
}

static void on_line(struct raw_sink *sink, const char *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\r') {
        raw_refuse(sink, 400, bad_end);
        return;
    }
    len--;
    if (sink->raw->state == RAW_START)
        on_request_line(sink, line, len);
    else if (sink->raw->state == RAW_FIELDS)
        on_field(sink, line, len);
    else
        on_trailer(sink, line, len);
}

static void refuse_head_bytes(struct raw_sink *sink)
{
    if (sink->raw->state == RAW_START)
        raw_refuse(sink, 414, "the request line is too long");
    else
        raw_refuse(sink, 431, "the headers are too large");
}

/* Refuses the line for the first byte that it must not have; false when these bytes, which
 * follow those that are kept, have none.  The last one may be the CR of its end. */
static bool refuse_byte(struct raw_sink *sink, const char *at, size_t len)
{
    const struct buf *kept = &sink->raw->line;
    bool is_return = len && kept->len && kept->data[kept->len - 1] == '\r';

    if (len == 0 || (!is_return && !has_control(at, len - (at[len - 1] == '\r'))))
        return false;
    while (!is_return && !raw_is_control((unsigned char)*at))
        at++;
    raw_refuse(sink, 400,
               is_return || *at == '\r' ? bad_end : "the head has a control character");
    return true;
}

/* The rest of a line, or a part of it when the end is still to come. */
static void take_part(struct raw_sink *sink, const char *at, size_t len, bool is_end)
{
    struct buf *line = &sink->raw->line;
    enum err_code code;

    if (is_end && line->len == 0) {
        on_line(sink, at, len);
        return;
    }
    code = buf_add(line, at, len);
    if (code)
        raw_refuse_memory(sink, code);
    else if (is_end)
        on_line(sink, line->data, line->len);
    if (is_end)
        raw_empty(line);
}

/* What is wrong first counts, so that it does not matter how the bytes are cut. */
const char *raw_take_line(struct raw_sink *sink, const char *at, const char *end)
{
    struct http_raw *raw = sink->raw;
    size_t room = raw->max_head_bytes - raw->head_bytes;
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((lf ? lf : end) - at);
    bool is_too_long = len + (lf != NULL) > room;

    if (refuse_byte(sink, at, len < room ? len : room))
        return end;
    if (is_too_long) {
        refuse_head_bytes(sink);
        return end;
    }
    raw->head_bytes += len + (lf != NULL);
    take_part(sink, at, len, lf != NULL);
    return lf ? lf + 1 : end;
}
