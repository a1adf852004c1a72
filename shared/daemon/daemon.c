/* daemon.c -- see daemon.h. */
#include "shared/daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "shared/base/log.h"
#include "shared/daemon/conf.h"

enum {
    SPARE_SHARE = 64 /* a server takes at most this part of its connections in addition */
};

static const int end_signals[] = {SIGTERM, SIGINT};

/* Their default is to end the process.  SIGXFSZ stands for a limit on the size of files:
 * ignored, the write fails and is handled as any other. */
static const int ignored_signals[] = {SIGUSR1, SIGUSR2,   SIGALRM, SIGVTALRM, SIGPROF,
                                      SIGPOLL, SIGSTKFLT, SIGPWR,  SIGXFSZ};

/* --- before anything else --------------------------------------------------- */

static void open_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is this one; it stays open for a program started by us,
         * as standard files do. */
        if (open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) != fd)
            _exit(EXIT_FAILURE);
    }
}

/* A handler that stands already belongs to a sanitizer or a profiler. */
static void ignore_signal(int number)
{
    struct sigaction before;

    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        (void)signal(number, SIG_IGN); /* fails only for a number that is no signal */
}

void daemon_prepare(void)
{
    open_standard_files();
    for (size_t i = 0; i < sizeof(ignored_signals) / sizeof(ignored_signals[0]); i++)
        ignore_signal(ignored_signals[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        ignore_signal(number);
}

/* --- the log ------------------------------------------------------------------ */

static enum log_level level_of(const char *text)
{
    enum log_level level;

    /* The table of settings lets no other word through. */
    return log_level_parse(text, &level) == ERR_OK ? level : LOG_INFO;
}

void daemon_start_log(const char *name, const char *level)
{
    log_init(name, level_of(level));
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that leaves is no reason to end */
    (void)signal(SIGHUP, SIG_IGN);
}

static void on_public_file(const char *name, const char *path)
{
    log_line(LOG_WARN, "any user of the machine may read a file with a secret",
             LOG_FIELDS(log_text("setting", name), log_text("file", path)));
}

void daemon_warn_public(const struct conf_program *program, const void *conf)
{
    conf_warn_public(program, conf, on_public_file);
}

/* --- signals ------------------------------------------------------------------ */

static void leave(const struct daemon *daemon, int status)
{
    if (daemon->options.on_leave)
        daemon->options.on_leave(daemon->options.user);
    _exit(status); /* threads may be running: no tearing down under them */
}

static void on_end_signal(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    if (!daemon_begin_stop(daemon)) {
        log_line(LOG_WARN, "ended by a second signal", NULL);
        leave(daemon, EXIT_FAILURE);
    }
    log_line(LOG_INFO, "stopping", LOG_FIELDS(log_int("signal", number)));
    daemon->options.on_stop(daemon->options.user);
}

static void on_hangup(uv_signal_t *handle, int number)
{
    struct daemon *daemon = handle->data;

    (void)number;
    if (!daemon->is_stopping)
        daemon->options.on_reload(daemon->options.user);
}

static int start_signal(struct daemon *daemon, uv_loop_t *loop, uv_signal_t *handle,
                        uv_signal_cb callback, int number)
{
    int status = uv_signal_init(loop, handle);

    handle->data = daemon;
    return status ? status : uv_signal_start(handle, callback, number);
}

enum err_code daemon_start(struct daemon *daemon, uv_loop_t *loop,
                           const struct daemon_options *options, struct err *err)
{
    int status = uv_timer_init(loop, &daemon->limit);

    daemon->options = *options;
    daemon->limit.data = daemon;
    daemon->is_stopping = false;
    for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]) && !status; i++)
        status =
            start_signal(daemon, loop, &daemon->ends[i], on_end_signal, end_signals[i]);
    if (!status)
        status = start_signal(daemon, loop, &daemon->hangup, on_hangup, SIGHUP);
    if (status)
        return err_set(err, ERR_UNAVAILABLE, "could not handle signals: %s",
                       uv_strerror(status));
    return ERR_OK;
}

void daemon_end_reload(enum err_code code, const struct err *err, const char *level)
{
    enum log_level now = log_get_level();
    enum log_level next;

    if (code) {
        log_line(LOG_WARN, "could not read the settings again, they stay as they were",
                 LOG_FIELDS(log_text("reason", err->msg)));
        return;
    }
    next = level_of(level);
    log_set_level(next < now ? next : now);
    log_line(LOG_INFO, "read the settings again", NULL);
    log_set_level(next);
}

/* --- the end -------------------------------------------------------------------- */

bool daemon_begin_stop(struct daemon *daemon)
{
    bool is_first = !daemon->is_stopping;

    daemon->is_stopping = true;
    return is_first;
}

static void on_limit(uv_timer_t *timer)
{
    const struct daemon *daemon = timer->data;

    log_line(LOG_WARN, daemon->limit_line, NULL);
    leave(daemon, daemon->limit_status);
}

void daemon_limit_end(struct daemon *daemon, int64_t limit_ms, const char *line,
                      int status)
{
    daemon->limit_line = line;
    daemon->limit_status = status;
    (void)uv_timer_start(&daemon->limit, on_limit, (uint64_t)limit_ms, 0);
}

int64_t daemon_end_left_ms(const struct daemon *daemon)
{
    return (int64_t)uv_timer_get_due_in(&daemon->limit);
}

/* libuv gives a signal back its default, and a SIGHUP between that and the end would kill. */
static void close_hangup(struct daemon *daemon)
{
    sigset_t hangup;

    (void)sigemptyset(&hangup);
    (void)sigaddset(&hangup, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &hangup, NULL);
    uv_close((uv_handle_t *)&daemon->hangup, NULL);
    (void)signal(SIGHUP, SIG_IGN);
}

void daemon_close(struct daemon *daemon)
{
    for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]); i++)
        uv_close((uv_handle_t *)&daemon->ends[i], NULL);
    close_hangup(daemon);
    uv_close((uv_handle_t *)&daemon->limit, NULL);
}

/* --- open files ------------------------------------------------------------------- */

int64_t daemon_fit_connections(int64_t wanted, int64_t servers, int64_t reserved)
{
    struct rlimit limit;
    int64_t room;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* the limit stays what it is, then */
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    room = (int64_t)limit.rlim_cur - reserved - servers;
    room -= room / SPARE_SHARE;
    if (room < 1)
        room = 1;
    if (wanted <= room)
        return wanted;
    log_line(LOG_WARN, "fewer connections than wanted: the limit of open files is low",
             LOG_FIELDS(log_int("wanted", wanted), log_int("possible", room)));
    return room;
}
