/* head.c -- see head.h. */
#include "shared/wire/head.h"

#include <string.h>
#include <strings.h>

void http_head_init(struct http_head *head, bool is_http_1_0)
{
    *head = (struct http_head){.content_length = -1, .is_http_1_0 = is_http_1_0};
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

/* A list of words; those that are not known do not matter. */
static void take_connection(struct http_head *head, const char *value, size_t len)
{
    const char *end = value + len;

    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *word = skip_space(value, end);
        const char *word_end = comma ? comma : end;
        value = comma ? comma + 1 : end;
        while (word_end > word && (word_end[-1] == ' ' || word_end[-1] == '\t'))
            word_end--;
        if (word_end <= word)
            continue;
        if (is_word(word, (size_t)(word_end - word), "close"))
            head->closes = true;
        else if (is_word(word, (size_t)(word_end - word), "keep-alive"))
            head->keeps_alive = true;
    }
}

static void take_expect(struct http_head *head, const char *value, size_t len)
{
    head->expects_continue = is_word(value, len, "100-continue");
    if (!head->expects_continue)
        refuse(head, 417, true, "Expect must be 100-continue");
}

void http_head_add(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len)
{
    if (is_word(name, name_len, "Content-Length"))
        take_length(head, value, value_len);
    else if (is_word(name, name_len, "Transfer-Encoding"))
        take_coding(head, value, value_len);
    else if (is_word(name, name_len, "Content-Encoding"))
        take_encoding(head, value, value_len);
    else if (is_word(name, name_len, "Content-Type"))
        take_type(head, value, value_len);
    else if (is_word(name, name_len, "Connection"))
        take_connection(head, value, value_len);
    else if (is_word(name, name_len, "Expect"))
        take_expect(head, value, value_len);
    else if (is_word(name, name_len, "Host") && ++head->hosts > 1)
        refuse(head, 400, true, "Host is given twice");
}

bool http_head_is_framing(const char *name, size_t len)
{
    return is_word(name, len, "Content-Length") ||
           is_word(name, len, "Transfer-Encoding") || is_word(name, len, "Host");
}

void http_head_end(struct http_head *head)
{
    if (head->lengths && head->codings)
        refuse(head, 400, true,
               "Content-Length and Transfer-Encoding exclude each other");
    if (head->codings && head->is_http_1_0)
        refuse(head, 400, true, "HTTP/1.0 has no Transfer-Encoding");
    if (head->hosts == 0 && !head->is_http_1_0)
        refuse(head, 400, true, "Host is required");
    if (head->is_http_1_0)
        head->expects_continue = false; /* a client of 1.0 knows no interim answer */
}
