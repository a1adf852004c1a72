/* err.h -- the one error vocabulary of the three daemons.
 *
 * A code says what the caller should do, not which library failed.  Every fallible
 * function returns enum err_code (0 is success) and takes a struct err * last, which it
 * fills with one sentence on failure only.  The table below carries everything that is
 * decided from an error: its name in logs and metrics, the HTTP status a server answers
 * with, and what the processor does with the batch that met it.
 *
 * Each library's own vocabulary is translated in exactly one function, in the file that
 * includes that library.
 */
#ifndef SHARED_BASE_ERR_H
#define SHARED_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define MUST_CHECK           __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))

/* What the processor does with a batch that met the error. */
enum err_action {
    ACTION_NONE,    /* nothing went wrong, or the error has no batch */
    ACTION_RETRY,   /* outage: back off with jitter and run the whole batch again */
    ACTION_HALT,    /* a person broke it: alarm, retry slowly, never dead-letter */
    ACTION_ISOLATE, /* poison: move the row to dead_letters, store the rest */
    ACTION_SKIP,    /* already stored: leave the row out */
};

/*    code         name           HTTP status  action */
#define ERR_CODES(X)                                                                     \
    X(OK, "ok", 200, ACTION_NONE)                                                        \
    X(INVALID, "invalid", 400, ACTION_ISOLATE)         /* the input breaks a rule */     \
    X(DENIED, "denied", 403, ACTION_HALT)              /* login, privilege */            \
    X(NOT_FOUND, "not_found", 404, ACTION_NONE)        /* no such thing */               \
    X(TOO_BIG, "too_big", 413, ACTION_ISOLATE)         /* past a limit, for ever */      \
    X(UNSUPPORTED, "unsupported", 415, ACTION_ISOLATE) /* an encoding we do not know */  \
    X(DUPLICATE, "duplicate", 200, ACTION_SKIP)        /* the row is stored already */   \
    X(BUSY, "busy", 503, ACTION_RETRY)                 /* full for now: come back */     \
    X(UNAVAILABLE, "unavailable", 503, ACTION_RETRY)   /* a server is not reachable */   \
    X(TIMEOUT, "timeout", 503, ACTION_RETRY)           /* outcome unknown */             \
    X(READ_ONLY, "read_only", 503, ACTION_RETRY)       /* reconnect to the primary */    \
    X(NOMEM, "no_memory", 503, ACTION_RETRY)           /* try again later */             \
    X(SCHEMA, "schema", 503, ACTION_HALT)              /* table or column is missing */  \
    X(CONFIG, "config", 503, ACTION_HALT)              /* a setting is wrong */          \
    X(CORRUPT, "corrupt", 500, ACTION_HALT)            /* stored bytes are damaged */    \
    X(BUG, "bug", 500, ACTION_HALT)                    /* our own mistake */

enum err_code {
#define ERR_ENUM(code, name, status, action) ERR_##code,
    ERR_CODES(ERR_ENUM)
#undef ERR_ENUM
    ERR_CODE_COUNT
};

enum {
    ERR_MSG_MAX = 384
};

/* An error as a value: the code for the program, the sentence for the person. */
struct err {
    enum err_code code;
    char msg[ERR_MSG_MAX]; /* NUL-terminated, cut at the end when too long */
};

/* Fills *err and returns code, so that a function can end in `return err_set(...)`.  A
 * macro, because static analyzers see no further than a file: so they know that what is
 * returned is not ERR_OK. */
#define err_set(err, code, ...)                                                          \
    (err_fill((err), (code), __VA_ARGS__), (enum err_code)(code))
void err_fill(struct err *err, enum err_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the sentence of a failed *err and returns its code. */
enum err_code err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code's name in logs and metrics, e.g. "unavailable".  Static. */
const char *err_name(enum err_code code);

/* The HTTP status that a server answers with. */
unsigned err_http_status(enum err_code code);

/* What the processor does with a batch that met the error. */
enum err_action err_action(enum err_code code);

#endif
