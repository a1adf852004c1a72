/* raw_internal.h -- what raw.c and raw_lines.c share; nobody else includes it. */
#ifndef SHARED_WIRE_RAW_INTERNAL_H
#define SHARED_WIRE_RAW_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/base/err.h"
#include "shared/wire/raw.h"

/* Where the output goes: to the caller as far as it has room, then into pending. */
struct raw_sink {
    struct http_raw *raw;
    char *out;
    size_t len;
    size_t cap;
};

static inline bool raw_is_control(unsigned char c)
{
    return (c < ' ' && c != '\t') || c == 0x7f;
}

/* raw.c */
void raw_empty(struct buf *buf); /* and gives back what is too much to be kept */
struct http_raw_head *raw_head_at(const struct http_raw *raw, size_t at);
size_t raw_align(size_t len);
void raw_put_text(struct raw_sink *sink, const char *text);
void raw_put_head(struct raw_sink *sink, const struct http_head *head,
                  const char *method);
/* The request in question ends here, and nothing comes after it. */
void raw_refuse(struct raw_sink *sink, unsigned status, const char *sentence);
void raw_refuse_memory(struct raw_sink *sink, enum err_code code);

/* raw_lines.c: takes what it can from at and returns where it came to. */
const char *raw_take_line(struct raw_sink *sink, const char *at, const char *end);

#endif
