/* head.h -- what the headers of a request say, checked.
 *
 * The list of what makes two servers disagree on where a request ends (both lengths given,
 * two lengths, two hosts, odd transfer codings), and of what else is refused by the headers
 * alone.  The lines themselves are cut and checked by raw.c.
 *
 * Pure: names and values in, verdict out.
 */
#ifndef SHARED_WIRE_HEAD_H
#define SHARED_WIRE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_encoding {
    HTTP_IDENTITY,
    HTTP_GZIP,
    HTTP_DEFLATE
};

struct http_head {
    unsigned status;      /* 0 while nothing is wrong, else the refusal's */
    const char *sentence; /* of the refusal; static */
    bool is_hostile;      /* the refusal must close the connection */

    bool is_http_1_0;
    bool closes;      /* Connection: close */
    bool keeps_alive; /* Connection: keep-alive, which HTTP/1.0 needs */
    bool expects_continue;
    int lengths; /* how often each header came */
    int codings;
    int hosts;
    int encodings;
    int64_t content_length; /* -1: not given */
    enum http_encoding encoding;
};

void http_head_init(struct http_head *head, bool is_http_1_0);

/* Takes one header, without the blanks around its value; the first thing wrong stays. */
void http_head_add(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len);

/* True for a header that says where its request ends, or whose it is: no trailer may. */
bool http_head_is_framing(const char *name, size_t len);

/* Takes the end of the headers. */
void http_head_end(struct http_head *head);

#endif
