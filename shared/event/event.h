/* event.h -- one event: its rules, and its form as a job in the queue.
 *
 * The rules and their exact sentences are the HTTP contract's (docs/protocol.md).  The
 * same parser reads a client's body and a job of the queue, so what one accepts the other
 * does.  A job is one JSON object in canonical form, always written by us:
 *
 *   {"event_id":"...","site_id":"...","event_type":"...","path":"...","user_id":"..."|null,
 *    "timestamp":"2025-11-14T10:00:00.000Z","received_at":"2025-11-14T10:00:00.123Z"}
 *
 * Pure: bytes in, value out.  A parser belongs to one thread.
 */
#ifndef SHARED_EVENT_EVENT_H
#define SHARED_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/event/fields.h"
#include "shared/text/uuid.h"

struct buf;

enum {
    EVENT_BODY_MAX = 102400, /* bytes of one JSON text */
};

/* What was wrong with a text that was refused, for those who count: the name of the field
 * whose rule it broke, or one of the others. */
#define EVENT_FLAWS(X)                                                                   \
    X(JSON, "json", 0)   /* no JSON text */                                              \
    X(VALUE, "value", 0) /* JSON, but no object */                                       \
    EVENT_FIELDS(X)                                                                      \
    X(UNKNOWN_KEY, "unknown_key", 0)

enum event_flaw {
#define EVENT_FLAW_ENUM(NAME, text, ...) EVENT_FLAW_##NAME,
    EVENT_FLAWS(EVENT_FLAW_ENUM)
#undef EVENT_FLAW_ENUM
    EVENT_FLAW_COUNT,
    EVENT_FLAW_RECEIVED_AT = EVENT_FLAW_COUNT /* of jobs only */
};

/* UTF-8 without NUL; not NUL-terminated.  bytes is NULL where the field is absent. */
struct event_text {
    const char *bytes; /* borrowed from the parser */
    size_t len;
};

/* A member for each row of fields.h: a TEXT as above; a TIME in milliseconds since
 * 1970-01-01T00:00:00Z, years 0001 to 9999, and received_at_ms 0 where there is none; a
 * UUID with has_event_id before it. */
#define EVENT_MEMBER_TEXT(member) struct event_text member;
#define EVENT_MEMBER_TIME(member) int64_t member;
#define EVENT_MEMBER_UUID(member)                                                        \
    bool has_##member;                                                                   \
    struct uuid member;
#define EVENT_MEMBER(NAME, key, TYPE, member, ...) EVENT_MEMBER_##TYPE(member)

struct event {
    EVENT_FIELDS(EVENT_MEMBER)
    EVENT_JOB_FIELDS(EVENT_MEMBER)
};

#undef EVENT_MEMBER
#undef EVENT_MEMBER_UUID
#undef EVENT_MEMBER_TIME
#undef EVENT_MEMBER_TEXT

struct event_parser; /* the memory of one parse, used again for the next */

/* NULL when out of memory. */
struct event_parser *event_parser_new(void) MUST_CHECK;
void event_parser_free(struct event_parser *parser);

/* Parses a client's body.  The texts of *ret_event live until the next call with the same
 * parser.  An empty body, or one that is only a byte order mark, is an object without
 * members.  Of duplicate keys the last one counts, but a \u0000, a lone surrogate or invalid
 * UTF-8 in any of them is refused.  Nothing is allocated.
 *
 * ERR_INVALID  err->msg is the sentence for the client, as the contract gives it
 * ERR_TOO_BIG  len is over EVENT_BODY_MAX */
enum err_code event_parse(struct event_parser *parser, const char *bytes, size_t len,
                          struct event *ret_event, struct err *err) MUST_CHECK;

/* The same for a job of the queue, which may also have received_at. */
enum err_code event_parse_job(struct event_parser *parser, const char *bytes, size_t len,
                              struct event *ret_event, struct err *err) MUST_CHECK;

/* What was wrong in the last text for which one of these returned ERR_INVALID. */
enum event_flaw event_parser_flaw(const struct event_parser *parser);

/* Appends the canonical job; errors as buf_add(). */
enum err_code event_format_job(const struct event *event, struct buf *out) MUST_CHECK;

/* The same for whoever has made room: the bytes of the canonical job; and the job itself,
 * written to out.  Returns what lies after it. */
size_t event_job_size(const struct event *event);
char *event_put_job(const struct event *event, char *out);

#endif
