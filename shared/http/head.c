/* head.c -- see head.h. */
#include "shared/http/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    LINE_BYTES = 4 /* colon, blank and the end of a line */
};

void http_head_init(struct http_head *head)
{
    *head = (struct http_head){.content_length = -1};
}

static void refuse(struct http_head *head, unsigned status, bool is_hostile,
                   const char *sentence)
{
    if (head->status && (head->is_hostile || !is_hostile))
        return; /* the first stays, but a hostile header outweighs a mere mistake */
    head->status = status;
    head->is_hostile = is_hostile;
    head->sentence = sentence;
}

static bool is_word(const char *bytes, size_t len, const char *word)
{
    return len == strlen(word) && strncasecmp(bytes, word, len) == 0;
}

/* RFC 9110 token characters; libmicrohttpd lets spaces and 8-bit bytes through. */
static bool is_token(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return len > 0;
}

static void take_length(struct http_head *head, const char *value, size_t len)
{
    int64_t total = 0;

    if (++head->lengths > 1)
        refuse(head, 400, true, "Content-Length is given twice");
    if (len == 0 || len > 18) {
        refuse(head, 400, true, "Content-Length is not a number");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9') {
            refuse(head, 400, true, "Content-Length is not a number");
            return;
        }
        total = total * 10 + (value[i] - '0');
    }
    head->content_length = total;
}

static void take_coding(struct http_head *head, const char *value, size_t len)
{
    if (++head->codings > 1)
        refuse(head, 400, true, "Transfer-Encoding is given twice");
    if (!is_word(value, len, "chunked"))
        refuse(head, 400, true, "Transfer-Encoding must be chunked");
}

static void take_encoding(struct http_head *head, const char *value, size_t len)
{
    head->encodings++;
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    if (is_word(value, len, "gzip") || is_word(value, len, "x-gzip"))
        head->encoding = HTTP_GZIP;
    else if (is_word(value, len, "deflate"))
        head->encoding = HTTP_DEFLATE;
    else if (!is_word(value, len, "identity") && len > 0)
        refuse(head, 415, false, "Content-Encoding must be gzip, deflate or identity");
    if (head->encodings > 1)
        refuse(head, 415, false, "Content-Encoding must be given once");
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* One parameter of a Content-Type, from its name to the next semicolon (a semicolon in
 * quotes belongs to the value). */
static const char *take_parameter(struct http_head *head, const char *at, const char *end)
{
    const char *name = skip_space(at, end);
    const char *equals = name;
    const char *value;
    const char *value_end;
    bool quoted;

    while (equals < end && *equals != '=' && *equals != ';')
        equals++;
    if (equals == end || *equals == ';')
        return equals;
    value = equals + 1;
    quoted = value < end && *value == '"';
    value += quoted;
    value_end = value;
    while (value_end < end && *value_end != (quoted ? '"' : ';'))
        value_end++;
    at = value_end;
    while (at < end && *at != ';')
        at++;
    while (!quoted && value_end > value &&
           (value_end[-1] == ' ' || value_end[-1] == '\t'))
        value_end--;
    if (is_word(name, (size_t)(equals - name), "charset") &&
        !is_word(value, (size_t)(value_end - value), "utf-8") &&
        !is_word(value, (size_t)(value_end - value), "utf8"))
        refuse(head, 415, false, "the charset of the Content-Type must be UTF-8");
    return at;
}

static void take_type(struct http_head *head, const char *value, size_t len)
{
    const char *end = value + len;
    const char *at = value;

    while (at < end && *at != ';')
        at++;
    while (at < end)
        at = take_parameter(head, at + 1, end);
}

/* libmicrohttpd puts a folded line behind the NAME of its header instead of its value, so
 * a folded length would go unseen: "Content-Length5".  A name that goes on with a hyphen and
 * a letter is another header's.  (A folded Host is a missing one.) */
static bool is_folded(const char *name, size_t len)
{
    static const char *const framing[] = {"Content-Length", "Transfer-Encoding"};

    for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
        size_t word_len = strlen(framing[i]);
        if (len > word_len && strncasecmp(name, framing[i], word_len) == 0)
            return !(name[word_len] == '-' && len > word_len + 1 &&
                     isalpha((unsigned char)name[word_len + 1]));
    }
    return false;
}

static void refuse_gap(struct http_head *head)
{
    refuse(head, 400, true, "a header is folded, or the head has a NUL byte");
}

/* From the NUL byte that ends a text to where the next begins: blanks at the most. */
static bool meets(const char *text_end, const char *next)
{
    return next > text_end && skip_space(text_end + 1, next) == next;
}

/* LF, or CR and LF. */
static const char *skip_line_end(const char *text_end)
{
    return text_end + 1 + (text_end[1] == '\0');
}

void http_head_follow(struct http_head *head, const char *method, const char *target,
                      const char *target_end, const char *version)
{
    if (!meets(method + strlen(method), target) || version != target_end + 1)
        refuse_gap(head);
    head->line = skip_line_end(version + strlen(version));
}

static void follow(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len)
{
    if (name != head->line || !meets(name + name_len, value))
        refuse_gap(head);
    head->line = skip_line_end(value + value_len);
}

/* Behind a bare LF the one byte of an empty line looks like the second of CR and LF. */
void http_head_follow_end(struct http_head *head, const char *end)
{
    if (head->line > end || end - head->line > 2)
        refuse_gap(head);
}

void http_head_add(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len)
{
    head->bytes += name_len + value_len + LINE_BYTES;
    if (head->line)
        follow(head, name, name_len, value, value_len);
    if (!is_token(name, name_len))
        refuse(head, 400, true, "a header name has a character that it must not have");
    if (is_folded(name, name_len))
        refuse(head, 400, true, "a header that frames the request is folded");
    if (value_len && memchr(value, '\0', value_len))
        refuse(head, 400, true, "a header value has a NUL byte");
    if (is_word(name, name_len, "Content-Length"))
        take_length(head, value, value_len);
    else if (is_word(name, name_len, "Transfer-Encoding"))
        take_coding(head, value, value_len);
    else if (is_word(name, name_len, "Content-Encoding"))
        take_encoding(head, value, value_len);
    else if (is_word(name, name_len, "Content-Type"))
        take_type(head, value, value_len);
    else if (is_word(name, name_len, "Host") && ++head->hosts > 1)
        refuse(head, 400, true, "Host is given twice");
    else if (is_word(name, name_len, "Cookie"))
        head->bytes += value_len; /* libmicrohttpd keeps a copy of it */
    else if (is_word(name, name_len, "Expect")) {
        head->expects_continue = is_word(value, value_len, "100-continue");
        if (!head->expects_continue)
            refuse(head, 417, true, "Expect must be 100-continue");
    }
}

void http_head_bound(struct http_head *head, size_t most)
{
    if (head->bytes > most)
        refuse(head, 431, true, "the headers are too large");
}

void http_head_end(struct http_head *head, bool needs_host)
{
    if (head->lengths && head->codings)
        refuse(head, 400, true,
               "Content-Length and Transfer-Encoding exclude each other");
    if (needs_host && head->hosts == 0)
        refuse(head, 400, true, "Host is required");
}
