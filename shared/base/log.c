/* log.c -- see log.h.
 *
 * A pipe that poll(2) calls writable has room for PIPE_BUF bytes, so a line of at most
 * that size goes out without blocking and in one piece.
 */
#include "shared/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shared/base/clock.h"

static struct {
    pthread_mutex_t lock;
    const char *daemon;
    atomic_int level;         /* enum log_level */
    int64_t dropped;          /* in all */
    int64_t dropped_unspoken; /* since the last line that got through */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .daemon = "-", .level = LOG_INFO};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* A line under construction: what does not fit is cut, the newline always fits. */
struct line {
    size_t len;
    char text[LOG_LINE_MAX];
};

struct log_field log_text(const char *key, const char *text)
{
    return log_bytes(key, text ? text : "-", text ? strlen(text) : 1);
}

struct log_field log_bytes(const char *key, const char *bytes, size_t len)
{
    return (struct log_field){
        .key = key, .kind = LOG_FIELD_TEXT, .text = bytes, .len = len};
}

struct log_field log_int(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_INT, .number = number};
}

void log_init(const char *daemon, enum log_level level)
{
    state.daemon = daemon;
    log_set_level(level);
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&state.level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&state.level, memory_order_relaxed);
}

enum err_code log_level_parse(const char *text, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

static void put(struct line *line, const char *bytes, size_t len)
{
    size_t room = sizeof(line->text) - 1 - line->len;

    if (len > room)
        len = room;
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static bool is_plain(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return len > 0;
}

static void put_value(struct line *line, const char *bytes, size_t len)
{
    if (is_plain(bytes, len)) {
        put(line, bytes, len);
        return;
    }
    put(line, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escaped[8];
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
            put(line, bytes + i, 1);
            continue;
        }
        (void)snprintf(escaped, sizeof(escaped),
                       c == '"' || c == '\\' ? "\\%c" : "\\x%02x", c);
        put_text(line, escaped);
    }
    put(line, "\"", 1);
}

static void put_time(struct line *line)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char text[32];
    size_t len;

    (void)gmtime_r(&seconds, &tm); /* cannot fail for the present */
    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(now_ms % 1000));
    put_text(line, text);
}

static void format_line(struct line *line, enum log_level level, const char *msg,
                        const struct log_field *fields)
{
    char number[24];

    line->len = 0;
    put_time(line);
    put(line, " ", 1);
    put_text(line, level_names[level]);
    put(line, " ", 1);
    put_text(line, state.daemon);
    put_text(line, " msg=");
    put_value(line, msg, strlen(msg));
    for (; fields && fields->key; fields++) {
        put(line, " ", 1);
        put_text(line, fields->key);
        put(line, "=", 1);
        if (fields->kind == LOG_FIELD_TEXT) {
            put_value(line, fields->text, fields->len);
            continue;
        }
        (void)snprintf(number, sizeof(number), "%lld", (long long)fields->number);
        put_text(line, number);
    }
    line->text[line->len++] = '\n'; /* put() always leaves room for it */
}

/* True when the whole text went out.  Called with the lock held. */
static bool write_now(int fd, const char *text, size_t len)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    ssize_t written;

    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return false;
    do {
        written = write(fd, text, len);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)len;
}

static void write_or_drop(int fd, const char *text, size_t len)
{
    if (write_now(fd, text, len))
        return;
    state.dropped++;
    state.dropped_unspoken++;
}

static void speak_of_dropped(void)
{
    struct line line;
    const struct log_field fields[] = {log_int("lines", state.dropped_unspoken),
                                       {.key = NULL}};

    if (state.dropped_unspoken == 0)
        return;
    format_line(&line, LOG_WARN, "dropped lines that nobody read", fields);
    if (write_now(STDERR_FILENO, line.text, line.len))
        state.dropped_unspoken = 0;
}

void log_line(enum log_level level, const char *msg, const struct log_field *fields)
{
    struct line line;

    if ((int)level < atomic_load_explicit(&state.level, memory_order_relaxed))
        return;
    format_line(&line, level, msg, fields);
    (void)pthread_mutex_lock(&state.lock);
    speak_of_dropped();
    write_or_drop(STDERR_FILENO, line.text, line.len);
    (void)pthread_mutex_unlock(&state.lock);
}

void log_stdout(const char *text, size_t len)
{
    (void)pthread_mutex_lock(&state.lock);
    write_or_drop(STDOUT_FILENO, text, len);
    (void)pthread_mutex_unlock(&state.lock);
}

bool log_limit_allows(struct log_limit *limit, int64_t interval_ms,
                      int64_t *ret_suppressed)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms < limit->next_ms) {
        limit->suppressed++;
        return false;
    }
    limit->next_ms = now_ms + interval_ms;
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

int64_t log_dropped(void)
{
    int64_t dropped;

    (void)pthread_mutex_lock(&state.lock);
    dropped = state.dropped;
    (void)pthread_mutex_unlock(&state.lock);
    return dropped;
}
