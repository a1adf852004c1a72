/* http_head.h -- what the headers of a request say, checked.
 *
 * libmicrohttpd 0.9.75 lets through what makes two servers disagree on where a request
 * ends (both lengths given, two lengths, two hosts, odd transfer codings).  Here is the
 * list of what is refused, applied before a byte of the body is read.
 *
 * Pure: names and values in, verdict out.
 */
#ifndef SHARED_HTTP_HEAD_H
#define SHARED_HTTP_HEAD_H

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

    int lengths; /* how often each header came */
    int codings;
    int hosts;
    int encodings;
    size_t bytes;           /* of the connection's memory; its owner may add to them */
    int64_t content_length; /* -1: not given */
    bool expects_continue;
    enum http_encoding encoding;
};

void http_head_init(struct http_head *head);

/* Takes one header; the first thing wrong stays. */
void http_head_add(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len);

/* With more than `most` bytes it is 431. */
void http_head_bound(struct http_head *head, size_t most);

/* Takes the end of the headers.  needs_host: HTTP/1.1 or later. */
void http_head_end(struct http_head *head, bool needs_host);

#endif
