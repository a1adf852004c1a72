/* answers.c -- see answers.h. */
#include "tests/fuzz/answers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEAD_MAX = 4096,
    VERSION_LEN = sizeof("HTTP/1.1 ") - 1
};

struct headers {
    long length; /* -1: none */
    bool has_origin;
    bool closes;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A status line: HTTP/1.x, a status from 100 to 599, a reason. */
static bool read_status(const char *line, unsigned *ret_status)
{
    if (strncmp(line, "HTTP/1.0 ", VERSION_LEN) != 0 &&
        strncmp(line, "HTTP/1.1 ", VERSION_LEN) != 0)
        return false;
    line += VERSION_LEN;
    if (!is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2]) || line[3] != ' ')
        return false;
    *ret_status = (unsigned)strtoul(line, NULL, 10);
    return *ret_status >= 100 && *ret_status < 600;
}

/* The value of a header line when it has this name, or NULL. */
static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len] == ':'
               ? line + len + 1 + strspn(line + len + 1, " ")
               : NULL;
}

/* Reads the headers, which it cuts into lines; false when one of them is none. */
static bool read_headers(char *head, struct headers *ret)
{
    char *rest = head;

    for (char *line = strtok_r(head, "\r\n", &rest); line;
         line = strtok_r(NULL, "\r\n", &rest)) {
        const char *length = value_of(line, "Content-Length");
        char *end;

        if (line[0] == ':' || !strchr(line, ':') || strpbrk(line, "\t\v\f"))
            return false;
        ret->has_origin |= value_of(line, "Access-Control-Allow-Origin") != NULL;
        ret->closes |= value_of(line, "Connection") != NULL;
        if (!length)
            continue;
        if (ret->length >= 0 || !is_digit(length[0]))
            return false;
        ret->length = strtol(length, &end, 10);
        if (*end)
            return false;
    }
    return true;
}

/* Whether there is only the head of the answer, and the next one, or nothing, follows.
 * libmicrohttpd refuses what it cannot read with a head, the same head again, and the body;
 * then it closes. */
static bool is_head_alone(const char *rest, size_t len, bool may_be_head,
                          const struct headers *headers, unsigned status)
{
    bool is_next = len > 5 && memcmp(rest, "HTTP/", 5) == 0;

    return (may_be_head && (len == 0 || is_next)) ||
           (is_next && status >= 400 && headers->closes && !headers->has_origin);
}

bool answer_next(const char *bytes, size_t len, bool may_be_head,
                 struct answer *ret_answer)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    size_t head_len = end ? (size_t)(end - bytes) : 0;
    struct headers headers = {.length = -1};
    char head[HEAD_MAX];
    char *line_end;
    size_t body_len;

    if (!end || head_len >= sizeof(head) || memchr(bytes, '\0', head_len))
        return false;
    memcpy(head, bytes, head_len);
    head[head_len] = '\0';
    *ret_answer = (struct answer){.len = head_len + 4};
    line_end = strstr(head, "\r\n");
    if (!read_status(head, &ret_answer->status) ||
        (line_end && !read_headers(line_end, &headers)))
        return false;
    ret_answer->is_stored = ret_answer->status == 200 && headers.has_origin;
    if (ret_answer->status < 200 || ret_answer->status == 204)
        return true;
    len -= ret_answer->len;
    if (headers.length < 0)
        return false; /* nobody could tell where it ends */
    if (is_head_alone(bytes + ret_answer->len, len, may_be_head, &headers,
                      ret_answer->status))
        return true;
    body_len = (size_t)headers.length;
    ret_answer->len += body_len;
    return body_len <= len;
}
