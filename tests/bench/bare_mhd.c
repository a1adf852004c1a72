/* bare_mhd.c -- libmicrohttpd and nothing else: reads each body, answers at once.
 *
 * The limit that ingestion is measured against: as many threads as ingestion has loops,
 * each with a daemon of its own that is driven through its epoll descriptor, all on one
 * port by SO_REUSEPORT.  MHD's own epoll threads would be no better limit: they stall when
 * a multiple of 128 connections is ready at once.
 *
 *   bare_mhd PORT THREADS      until a signal ends it; prints "ready" once it listens
 */
#include <inttypes.h>
#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/http/listen.h"

enum {
    THREADS_MAX = 64,
    CONNECTIONS_MAX = 10000,
    CONNECTION_BYTES = 12288, /* as ingestion has it */
};

struct worker {
    pthread_t thread;
    struct MHD_Daemon *daemon;
};

static struct MHD_Response *answer;

/* Called with the headers, then for each piece of the body, then once without any. */
static enum MHD_Result on_access(void *user, struct MHD_Connection *conn, const char *url,
                                 const char *method, const char *version,
                                 const char *bytes, size_t *len, void **state)
{
    static char has_begun;

    (void)user;
    (void)url;
    (void)method;
    (void)version;
    (void)bytes;
    if (!*state) {
        *state = &has_begun;
        return MHD_YES;
    }
    if (*len > 0) {
        *len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(conn, MHD_HTTP_OK, answer);
}

static void *serve(void *user)
{
    struct worker *worker = user;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    struct pollfd waiting = {.fd = info->epoll_fd, .events = POLLIN};

    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout_ms;
        int limit_ms = -1;
        if (MHD_get_timeout(worker->daemon, &timeout_ms) == MHD_YES)
            limit_ms = timeout_ms < INT_MAX ? (int)timeout_ms : INT_MAX;
        if (limit_ms != 0)
            (void)poll(&waiting, 1, limit_ms); /* an interruption is no harm */
        (void)MHD_run(worker->daemon);
    }
    return NULL;
}

static bool start(struct worker *worker, uint16_t port)
{
    struct err err;
    int fd;

    if (listen_open("127.0.0.1", port, true, &fd, &err)) {
        (void)fprintf(stderr, "bare_mhd: %s\n", err.msg);
        return false;
    }
    worker->daemon = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, on_access, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    return worker->daemon && pthread_create(&worker->thread, NULL, serve, worker) == 0;
}

static bool read_number(const char *text, uintmax_t max, uintmax_t *ret_number)
{
    char *end;

    *ret_number = strtoumax(text, &end, 10);
    return *text && !*end && *ret_number > 0 && *ret_number <= max;
}

int main(int argc, char **argv)
{
    static char body[] = "{\"status\":\"ok\"}";
    static struct worker workers[THREADS_MAX];
    uintmax_t port;
    uintmax_t threads;

    if (argc != 3 || !read_number(argv[1], UINT16_MAX, &port) ||
        !read_number(argv[2], THREADS_MAX, &threads)) {
        (void)fprintf(stderr, "usage: bare_mhd PORT THREADS\n");
        return EXIT_FAILURE;
    }
    answer =
        MHD_create_response_from_buffer(sizeof(body) - 1, body, MHD_RESPMEM_PERSISTENT);
    if (!answer || MHD_add_response_header(answer, MHD_HTTP_HEADER_CONTENT_TYPE,
                                           "application/json") != MHD_YES)
        return EXIT_FAILURE;
    for (uintmax_t i = 0; i < threads; i++) {
        if (!start(&workers[i], (uint16_t)port))
            return EXIT_FAILURE;
    }
    (void)puts("ready");
    (void)fflush(stdout);
    (void)pthread_join(workers[0].thread, NULL);
    return EXIT_SUCCESS;
}
