/* daemon.h -- what every daemon does with its process: standard descriptors, signals, the
 * limit of open files, and the time that its end may take.
 *
 *   SIGTERM, SIGINT   the first one: on_stop(); a second one ends the process at once
 *   SIGHUP            on_reload(): settings are read again
 *   SIGUSR1, SIGUSR2, SIGALRM and their kind are ignored; left alone they would end the
 *                     process
 *
 * Signals are handled in the loop's thread.  The functions log, for the daemon as a whole.
 */
#ifndef SHARED_DAEMON_DAEMON_H
#define SHARED_DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"

struct conf_program;

struct daemon_options {
    void (*on_stop)(void *user);
    void (*on_reload)(void *user);
    void (*on_leave)(void *user); /* before an end by force; NULL: nothing to do */
    void *user;
};

struct daemon {
    struct daemon_options options;
    uv_signal_t ends[2];
    uv_signal_t hangup;
    uv_timer_t limit;
    const char *limit_line; /* static: what is logged at the limit */
    int limit_status;
    bool is_stopping;
};

/* The first act of main(), of commands, too.  Opens /dev/null for those of the descriptors
 * 0 to 2 that are closed: the next file or socket would take their place, receive the log,
 * and make libuv abort when it is closed.  Ignores the signals that mean nothing here.
 * Ends the process with status 1 when there is no /dev/null. */
void daemon_prepare(void);

/* Starts the log and ignores SIGPIPE and, until daemon_start(), SIGHUP.  `level` is one of
 * the words that LOG_LEVEL takes. */
void daemon_start_log(const char *name, const char *level);

/* Warns of each file with a secret (INGEST_KEY_FILE, REDIS_URL_FILE) that every user of the
 * machine may read.  No error: in some containers it cannot be helped. */
void daemon_warn_public(const struct conf_program *program, const void *conf);

/* Handles signals on the loop, from now to daemon_close().  ERR_UNAVAILABLE. */
enum err_code daemon_start(struct daemon *daemon, uv_loop_t *loop,
                           const struct daemon_options *options,
                           struct err *err) MUST_CHECK;

/* The end of on_reload(): takes the level for the log, and says in a line, which the old
 * level or the new one lets through, that the settings were read again; or with an error's
 * code that they stay as they were, and why. */
void daemon_end_reload(enum err_code code, const struct err *err, const char *level);

/* Marks the daemon as stopping; true the first time.  For an end without a signal. */
bool daemon_begin_stop(struct daemon *daemon);

/* Ends the process with this status and a warning unless daemon_close() is called within
 * the time.  A later call replaces an earlier one. */
void daemon_limit_end(struct daemon *daemon, int64_t limit_ms, const char *line,
                      int status);
int64_t daemon_end_left_ms(const struct daemon *daemon);

/* Gives up all handles; the loop can end after that. */
void daemon_close(struct daemon *daemon);

/* Raises the limit of open files to the most that is allowed, and returns how many of
 * `wanted` connections fit under it, beside `reserved` other descriptors.  Each of the
 * `servers` that share the connections needs a little more than its share, see
 * http_server_spare().  Logs a warning when they are fewer; at least 1. */
int64_t daemon_fit_connections(int64_t wanted, int64_t servers, int64_t reserved);

#endif
