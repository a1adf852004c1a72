/* event.h -- one event: its rules, and its form as a job in the queue.
 *
 * The rules and their exact sentences are the HTTP contract's (docs/protocol.md).  The
 * same parser reads a client's body and a job of the queue, so what one accepts the other
 * does.  A job is one JSON object in canonical form, always written by us:
 *
 *   {"event_id":"...","site_id":"...","event_type":"...","path":"...","user_id":"..."|null,
 *    "timestamp":"2025-11-14T10:00:00.000Z","received_at":"2025-11-14T10:00:00.123Z"}
 *
 * and after that what few events have, only what is there.
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
    EVENT_BODY_MAX = 102400, /* bytes of a client's JSON text */
    /* Of a job: with what ingestion adds to the longest body, the fields that are derived and
     * the digits of numbers. */
    EVENT_JOB_MAX = EVENT_BODY_MAX + 16384,
    EVENT_REFERRER_MAX = 2048, /* characters of the column: clients may send more */
};

/* What was wrong with a text that was refused, for those who count: the name of the field
 * whose rule it broke, or one of the others. */
#define EVENT_FLAWS(X)                                                                   \
    X(JSON, "json", 0)   /* no JSON text */                                              \
    X(VALUE, "value", 0) /* JSON, but no object */                                       \
    EVENT_FIELDS(X)                                                                      \
    EVENT_CLIENT_FIELDS(X)                                                               \
    X(UNKNOWN_KEY, "unknown_key", 0)

enum event_flaw {
#define EVENT_FLAW_ENUM(NAME, text, ...) EVENT_FLAW_##NAME,
    EVENT_FLAWS(EVENT_FLAW_ENUM)
#undef EVENT_FLAW_ENUM
    EVENT_FLAW_COUNT,
    EVENT_FLAW_JOB = EVENT_FLAW_COUNT /* of a field that only jobs have */
};

/* The fields that few events have, in the order of their tables. */
enum event_more {
#define EVENT_MORE_ENUM(NAME, ...) EVENT_MORE_##NAME,
    EVENT_MORE_FIELDS(EVENT_MORE_ENUM)
#undef EVENT_MORE_ENUM
    EVENT_MORE_COUNT
};

enum event_type {
    EVENT_TEXT,
    EVENT_INT,
    EVENT_PROPS,
    EVENT_ID64
};

/* A row of those tables. */
struct event_more_field {
    const char *key;
    size_t key_len;
    enum event_type type;
    enum event_presence presence;
    int64_t least;
    int64_t most;
    size_t offset; /* of its member in struct event */
};

extern const struct event_more_field event_more_fields[EVENT_MORE_COUNT];

/* Those that are columns of the table, and stand in jobs: a bit each, 1 << EVENT_MORE_... */
extern const uint64_t event_more_columns;

/* UTF-8 without NUL; not NUL-terminated.  bytes is NULL where the field is absent. */
struct event_text {
    const char *bytes; /* borrowed from the parser */
    size_t len;
};

/* A member for each row of fields.h: a TEXT as above; a TIME in milliseconds since
 * 1970-01-01T00:00:00Z, years 0001 to 9999, and received_at_ms 0 where there is none; a
 * UUID with has_event_id before it; an INT; PROPS as the text of a canonical object; an
 * ID64.
 *
 * Of the fields that few events have a member is only valid while its bit is set in `more`,
 * so that nobody has to empty them all: event_has(), event_set_text() and so on. */
#define EVENT_MEMBER_TEXT(member)  struct event_text member;
#define EVENT_MEMBER_TIME(member)  int64_t member;
#define EVENT_MEMBER_INT(member)   int32_t member;
#define EVENT_MEMBER_PROPS(member) struct event_text member;
#define EVENT_MEMBER_ID64(member)  uint64_t member;
#define EVENT_MEMBER_UUID(member)                                                        \
    bool has_##member;                                                                   \
    struct uuid member;
#define EVENT_MEMBER(NAME, key, TYPE, member, ...) EVENT_MEMBER_##TYPE(member)

struct event {
    EVENT_FIELDS(EVENT_MEMBER)
    EVENT_JOB_FIELDS(EVENT_MEMBER)
    uint64_t more; /* bits, 1 << EVENT_MORE_... */
    EVENT_MORE_FIELDS(EVENT_MEMBER)
};

#undef EVENT_MEMBER
#undef EVENT_MEMBER_UUID
#undef EVENT_MEMBER_ID64
#undef EVENT_MEMBER_PROPS
#undef EVENT_MEMBER_INT
#undef EVENT_MEMBER_TIME
#undef EVENT_MEMBER_TEXT

static inline bool event_has(const struct event *event, enum event_more field)
{
    return (event->more >> field & 1) != 0;
}

static inline void event_unset(struct event *event, enum event_more field)
{
    event->more &= ~(UINT64_C(1) << field);
}

/* The text of a TEXT or PROPS; bytes is NULL where it is absent. */
struct event_text event_text_of(const struct event *event, enum event_more field);

/* The bytes stay the caller's and must outlive the event; NULL is absent. */
void event_set_text(struct event *event, enum event_more field, struct event_text text);
void event_set_int(struct event *event, enum event_more field, int32_t value);
void event_set_id(struct event *event, enum event_more field, uint64_t value);

struct event_parser; /* the memory of one parse, used again for the next */

/* NULL when out of memory. */
struct event_parser *event_parser_new(void) MUST_CHECK;
void event_parser_free(struct event_parser *parser);

/* Has one more rule judged for a TEXT that few events have, from clients: false of is_valid
 * is answered `"key" <complaint>`.  The complaint is static. */
typedef bool (*event_check_fn)(const struct event_text *text);
void event_parser_check(struct event_parser *parser, enum event_more field,
                        event_check_fn is_valid, const char *complaint);

/* Parses a client's body.  The texts of *ret_event live until the next call with the same
 * parser.  An empty body, or one that is only a byte order mark, is an object without
 * members.  Of duplicate keys the last one counts, but a \u0000, a lone surrogate or invalid
 * UTF-8 in any of them is refused.  Nothing is allocated.
 *
 * ERR_INVALID  err->msg is the sentence for the client, as the contract gives it
 * ERR_TOO_BIG  len is over EVENT_BODY_MAX, or of a job EVENT_JOB_MAX
 *
 * *ret_event is of no use after a failure. */
enum err_code event_parse(struct event_parser *parser, const char *bytes, size_t len,
                          struct event *ret_event, struct err *err) MUST_CHECK;

/* The same for an event that is a part of a body, which its sentences call "event". */
enum err_code event_parse_part(struct event_parser *parser, const char *bytes, size_t len,
                               struct event *ret_event, struct err *err) MUST_CHECK;

/* The same for what a page sends, of which little is refused: event_type is page_view where
 * there is none, timestamp_ms is EVENT_NO_TIME where there is none, and EVENT_NOT_A_TIME where
 * the string says none; a path, a utm and a referrer that are too long are cut, and empty ones
 * are absent, as is a language that is none. */
#define EVENT_NO_TIME    INT64_MIN
#define EVENT_NOT_A_TIME (INT64_MIN + 1)
enum err_code event_parse_page(struct event_parser *parser, const char *bytes, size_t len,
                               struct event *ret_event, struct err *err) MUST_CHECK;

/* Whether such a text of a page may be anything: it is cut, or absent where it is of no use. */
bool event_page_forgives(enum event_more field);

/* The same for a job of the queue, which may also have received_at. */
enum err_code event_parse_job(struct event_parser *parser, const char *bytes, size_t len,
                              struct event *ret_event, struct err *err) MUST_CHECK;

/* What was wrong in the last text for which one of these returned ERR_INVALID. */
enum event_flaw event_parser_flaw(const struct event_parser *parser);

/* Appends the canonical job; errors as buf_add(). */
enum err_code event_format_job(const struct event *event, struct buf *out) MUST_CHECK;

/* The same for a caller that has reserved the memory: the bytes of the canonical job; and
 * the job itself, written to out.  Returns the end of it. */
size_t event_job_size(const struct event *event);
char *event_put_job(const struct event *event, char *out);

#endif
