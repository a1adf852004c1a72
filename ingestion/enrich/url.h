/* url.h -- an absolute http(s) URL, taken apart.
 *
 * Lenient where browsers and servers are: any character beyond ASCII may stand in it, and
 * only what would make it end somewhere else is refused (blanks, control characters, < > and
 * quotes).  Nothing is decoded but what url_decode_form() is asked for.
 *
 * Pure.  All results point into the text that was read.
 */
#ifndef INGESTION_ENRICH_URL_H
#define INGESTION_ENRICH_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/event/event.h"

struct arena;
struct words;

struct url {
    struct event_text host;  /* 1 to 255 characters, in any case, without user and port;
                              * IPv6 in its brackets */
    struct event_text path;  /* as it stands, "/" where there is none */
    struct event_text query; /* without the ?; bytes is NULL where there is none */
};

/* A key and its value, as they stand in a query. */
struct url_pair {
    struct event_text key;
    struct event_text value; /* empty where there is no = */
};

enum {
    URL_HOST_MAX = 255,       /* characters */
    URL_DECODED_MAX = 255,    /* characters of a decoded value */
    URL_DECODED_BYTES = 1020, /* of so many */
};

/* Reads valid UTF-8 without NUL.  False when it is no absolute http(s) URL. */
bool url_parse(const char *bytes, size_t len, struct url *ret_url);

/* Reads what follows the scheme: [user@]host[:port][/path][?query][#fragment]. */
bool url_parse_rest(const char *bytes, size_t len, struct url *ret_url);

/* The next pair of a query; *rest is what follows it.  False at the end. */
bool url_next_pair(struct event_text *rest, struct url_pair *ret_pair);

/* Decodes a form's value: + is a blank, %XX a byte; a % that is followed by something else
 * stands for itself.  What is no UTF-8, and NUL, becomes U+FFFD.  Writes at most
 * URL_DECODED_MAX characters, the rest is cut off.  Returns the bytes written. */
size_t url_decode_form(const struct event_text *value, char out[URL_DECODED_BYTES]);

/* The path that is stored, at most max_chars characters: that of the url, and of its query
 * those pairs whose key is one of `keys`, in the url's order.  Taken from the arena where it
 * is not a part of the url; bytes is NULL when the arena is full. */
struct event_text url_page(const struct url *url, const struct words *keys,
                           size_t max_chars, struct arena *arena);

/* A copy in lower case (ASCII); bytes is NULL when the arena is full. */
struct event_text url_lower(const struct event_text *text, struct arena *arena);

/* The first max_chars characters of valid UTF-8. */
struct event_text url_cut(struct event_text text, size_t max_chars);

#endif
