/* head.h -- what the headers of a request say, checked.
 *
 * libmicrohttpd 0.9.75 lets through what makes two servers disagree on where a request
 * ends (both lengths given, two lengths, two hosts, odd transfer codings, folded lines, NUL
 * bytes).  Here is the list of what is refused, applied before a byte of the body is read.
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
    const char *line; /* where the next header has to begin; NULL: it is not known */
};

void http_head_init(struct http_head *head);

/* Takes one header; the first thing wrong stays. */
void http_head_add(struct http_head *head, const char *name, size_t name_len,
                   const char *value, size_t value_len);

/* Wants the headers to follow each other without a gap, in the memory in which libmicrohttpd
 * 0.9.75 has cut the head apart: a NUL byte in the place of the blanks of the request line,
 * of each colon, of each CR and LF.  It shows texts up to their first NUL, and keeps a folded
 * line somewhere else; so a gap is the rest of a value that has a NUL byte, or a fold.
 * target_end: where the target ended before it was decoded. */
void http_head_follow(struct http_head *head, const char *method, const char *target,
                      const char *target_end, const char *version);
/* The end of the head is behind its empty line. */
void http_head_follow_end(struct http_head *head, const char *end);

/* With more than `most` bytes it is 431. */
void http_head_bound(struct http_head *head, size_t most);

/* Takes the end of the headers.  needs_host: HTTP/1.1 or later. */
void http_head_end(struct http_head *head, bool needs_host);

#endif
