/* log.h -- one key=value line per event on stderr, and the lines of stdout.
 *
 *     2026-01-31T10:00:00.123Z warn processor msg="could not connect to Redis" addr=...
 *
 * Only the daemons log, and shared/daemon/ for them; everything else in shared/ returns
 * an error.  Writing never blocks: when the pipe or terminal of the stream is full the line
 * is dropped and counted, and the count is written as soon as there is room.  Bytes of users
 * are quoted and escaped by log_line(), so that no input can forge a line.
 *
 * Thread-safe.
 */
#ifndef SHARED_BASE_LOG_H
#define SHARED_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR
};

/* One longer line is cut: a pipe takes this much in one piece (PIPE_BUF). */
enum {
    LOG_LINE_MAX = 4096
};

/* A value of a line; made with the helpers below. */
struct log_field {
    const char *key; /* NULL ends the list */
    enum {
        LOG_FIELD_TEXT,
        LOG_FIELD_INT
    } kind;
    const char *text;
    size_t len;
    int64_t number;
};

struct log_field log_text(const char *key, const char *text);
struct log_field log_bytes(const char *key, const char *bytes, size_t len);
struct log_field log_int(const char *key, int64_t number);

/* The name in every line, and the lowest level that is written.  Call once at start. */
void log_init(const char *daemon, enum log_level level);

/* Changes the level; from any thread. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "debug", "info", "warn" or "error"; ERR_INVALID otherwise. */
enum err_code log_level_parse(const char *text, enum log_level *ret_level) MUST_CHECK;

/* Writes one line; `fields` ends with a NULL key, or is NULL. */
void log_line(enum log_level level, const char *msg, const struct log_field *fields);

/* The fields of a line: log_line(LOG_WARN, "...", LOG_FIELDS(log_int("n", 1))). */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.key = NULL}})

/* A limit for lines that may repeat: lets one through each interval and counts the rest. */
struct log_limit {
    int64_t next_ms;
    int64_t suppressed;
};
/* True when the line may be written; *ret_suppressed is then the count since the last. */
bool log_limit_allows(struct log_limit *limit, int64_t interval_ms,
                      int64_t *ret_suppressed);

/* Writes text (whole lines, at most LOG_LINE_MAX bytes) to stdout under the same rule. */
void log_stdout(const char *text, size_t len);

/* Lines dropped so far because nobody read them. */
int64_t log_dropped(void);

#endif
