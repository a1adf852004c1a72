/* fuzz_redis_reply.c -- ingestion's committer, breaker and barrier on a real connection, and Redis
 * is the input.  The input is a word and then steps, parted by the byte 0xff:
 *
 *   word   its bits: the barrier is on; a cap of 3 events; groups in flight, 1 to 4 (two
 *          bits); 0x20: with a stopgap; 0x40: a group waits for those just answered
 *   <...   Redis sends the rest of the step, in one piece
 *   p...   an event comes for each byte
 *   b      a batch of three events comes
 *   t123   so many milliseconds pass
 *   x      Redis closes the connection
 *
 * The clock is the input's as well, so nothing waits.  Whatever the bytes are: nobody is
 * answered 200 unless his LPUSH, with all of his events, on its connection and in its place,
 * was answered by a number and an INFO after it said that it is written, or they stand in a
 * file until one does, at every step's end; and everybody is answered once. */
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ingestion/commit/barrier.h"
#include "ingestion/commit/breaker.h"
#include "ingestion/commit/committer.h"
#include "ingestion/metrics.h"
#include "ingestion/spool/files.h"
#include "shared/base/buf.h"
#include "shared/base/log.h"
#include "shared/event/event.h"
#include "shared/http/http.h"
#include "shared/redis/url.h"
#include "shared/redis/uv.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/resp.h"

enum {
    SEPARATOR = 0xff,
    REQUESTS_MAX = 64,
    BATCH_EVENTS = 3, /* more than a group has otherwise */
    CONNECTIONS_MAX = 16,
    BYTES_MAX = 1 << 20, /* of one connection and direction */
    SPOOL_BYTES_MAX = 1 << 20,
    TURNS_MAX = 64,
    PASS_MAX_MS = 10000
};

struct http_request {
    unsigned number;
    unsigned events;
    bool is_answered;
    bool is_ok;
};

/* Redis's end of a connection, and all that went over it. */
struct peer {
    int fd;
    struct buf commands;
    struct buf replies;
};

static struct {
    uv_loop_t loop;
    struct redis_url url; /* of the listener */
    int listener;
    struct redis_uv *redis;
    struct barrier *barrier;
    struct committer *committer;
    struct spool_files *spool_dir;
    char spool[128];
    struct breaker breaker;
    struct loop_metrics metrics;
    bool is_barrier_on;
    bool has_stopgap;
    struct http_request requests[REQUESTS_MAX];
    unsigned request_count;
    struct peer peers[CONNECTIONS_MAX];
    size_t peer_count;
} world;

/* In the place of ingestion/metrics.c's, which would bring the HTTP server along. */
const struct metric_buckets metric_group_events = {1, {1}};

static int64_t clock_ms = 1000000;

/* In the place of the C library's, for libuv and shared/base/clock.c. */
int clock_gettime(clockid_t id, struct timespec *out)
{
    if (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE)
        return (int)syscall(SYS_clock_gettime, id, out);
    *out = (struct timespec){.tv_sec = clock_ms / 1000,
                             .tv_nsec = clock_ms % 1000 * 1000000};
    return 0;
}

/* --- Redis ----------------------------------------------------------------- */

static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    MUST(strlen(path) < sizeof(address.sun_path));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    MUST(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    MUST(listen(fd, CONNECTIONS_MAX) == 0);
    world.listener = fd;
}

static void accept_peer(void)
{
    int fd = accept4(world.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct peer *peer = &world.peers[world.peer_count];

    if (fd < 0)
        return;
    if (world.peer_count == CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    world.peer_count++;
    peer->fd = fd;
    buf_init(&peer->commands, BYTES_MAX);
    buf_init(&peer->replies, BYTES_MAX);
}

/* Takes what has been written so far; true when there was something. */
static bool listen_to(struct peer *peer)
{
    char bytes[4096];
    ssize_t len;
    bool is_new = false;

    while (peer->fd >= 0 && (len = recv(peer->fd, bytes, sizeof(bytes), 0)) > 0) {
        MUST(buf_add(&peer->commands, bytes, (size_t)len) == ERR_OK);
        is_new = true;
    }
    return is_new;
}

static bool listen_to_all(void)
{
    size_t before = world.peer_count;
    bool is_new = false;

    accept_peer();
    for (size_t i = 0; i < world.peer_count; i++)
        is_new = listen_to(&world.peers[i]) || is_new;
    return is_new || world.peer_count > before;
}

static struct peer *newest_peer(void)
{
    return world.peer_count ? &world.peers[world.peer_count - 1] : NULL;
}

static void hang_up(struct peer *peer)
{
    if (peer->fd >= 0)
        (void)close(peer->fd);
    peer->fd = -1;
}

static void say(struct peer *peer, const char *bytes, size_t len)
{
    if (!peer || peer->fd < 0 || len == 0)
        return;
    if (send(peer->fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len)
        MUST(buf_add(&peer->replies, bytes, len) == ERR_OK);
    else
        hang_up(peer);
}

/* --- the judgement ----------------------------------------------------------- */

static bool is_word(struct resp_text command, const char *word)
{
    return memmem(command.bytes, command.len, word, strlen(word)) != NULL;
}

/* Whether an INFO after the command was answered, so that it counts as written. */
static bool is_written(const struct peer *peer, size_t index)
{
    struct resp_text command;
    struct resp_text reply;

    for (size_t i = index + 1; resp_nth(&peer->commands, i, &command); i++)
        if (resp_nth(&peer->replies, i, &reply) && is_word(command, "\r\nINFO\r\n") &&
            resp_says_written(reply))
            return true;
    return false;
}

static bool was_stored(const struct peer *peer, const char *mark)
{
    struct resp_text command;
    struct resp_text reply;

    for (size_t i = 0; resp_nth(&peer->commands, i, &command); i++)
        if (is_word(command, mark) && resp_nth(&peer->replies, i, &reply) &&
            reply.bytes[0] == ':' && (!world.is_barrier_on || is_written(peer, i)))
            return true;
    return false;
}

static bool is_event_stored(unsigned number, unsigned part)
{
    char mark[48];

    (void)snprintf(mark, sizeof(mark), "\"path\":\"/%u/%u\"", number, part);
    for (size_t i = 0; i < world.peer_count; i++)
        if (was_stored(&world.peers[i], mark))
            return true;
    return world.has_stopgap && folder_has(world.spool, mark);
}

/* All of its events. */
static bool is_stored(const struct http_request *req)
{
    bool is_stored = true;

    (void)listen_to_all();
    for (unsigned part = 0; part < req->events; part++)
        is_stored = is_stored && is_event_stored(req->number, part);
    return is_stored;
}

/* Whoever was answered 200: should everything end now, his event would be there. */
static void check_kept(void)
{
    for (unsigned i = 0; i < world.request_count; i++)
        MUST(!world.requests[i].is_ok || is_stored(&world.requests[i]));
}

void http_wait(struct http_request *req)
{
    MUST(!req->is_answered);
}

void http_answer_ok(struct http_request *req)
{
    MUST(!req->is_answered);
    MUST(is_stored(req));
    req->is_answered = true;
    req->is_ok = true;
}

void http_answer_json(struct http_request *req, unsigned status, const char *json,
                      size_t len)
{
    (void)status;
    (void)json;
    (void)len;
    http_answer_ok(req);
}

void http_answer_error(struct http_request *req, unsigned status, const char *sentence)
{
    MUST(!req->is_answered && status == 503 && sentence[0] != '\0');
    req->is_answered = true;
}

/* --- the loop ---------------------------------------------------------------- */

static void do_nothing(uv_work_t *work)
{
    (void)work;
}

static void on_nothing_done(uv_work_t *work, int status)
{
    MUST(status == 0);
    *(bool *)work->data = true;
}

/* Waits for what the thread pool has been given: there is one thread, so it has done all of
 * that when it does this. */
static void drain_pool(void)
{
    bool is_done = false;
    uv_work_t work = {.data = &is_done};

    MUST(uv_queue_work(&world.loop, &work, do_nothing, on_nothing_done) == 0);
    while (!is_done)
        (void)uv_run(&world.loop, UV_RUN_ONCE);
}

/* Turns the loop until nothing is left to be done at this time. */
static void settle(void)
{
    for (int turn = 0, idle = 0; turn < TURNS_MAX && idle < 3; turn++) {
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
        if (world.has_stopgap)
            drain_pool();
        committer_flush(world.committer);
        idle = listen_to_all() ? 0 : idle + 1;
    }
}

static void add_event(struct delivery *delivery, unsigned number, unsigned part)
{
    char path[32];
    int len = snprintf(path, sizeof(path), "/%u/%u", number, part);
    struct event event = {.site_id = {.bytes = "s", .len = 1},
                          .event_type = {.bytes = "t", .len = 1},
                          .path = {.bytes = path, .len = (size_t)len}};

    MUST(committer_add(world.committer, delivery, &event) == ERR_OK);
}

/* A request with so many events. */
static void request_comes(unsigned events)
{
    struct delivery delivery;
    struct http_request *req;

    if (world.request_count == REQUESTS_MAX)
        return;
    req = &world.requests[world.request_count];
    *req = (struct http_request){.number = world.request_count, .events = events};
    MUST(committer_begin(world.committer, &delivery) == ERR_OK);
    for (unsigned part = 0; part < events; part++)
        add_event(&delivery, req->number, part);
    MUST(committer_finish(world.committer, &delivery, req, NULL, 0) == ERR_OK);
    world.request_count++;
}

static void step(const char *bytes, size_t len)
{
    char number[8] = "";

    if (len == 0)
        return;
    switch (bytes[0]) {
    case '<':
        say(newest_peer(), bytes + 1, len - 1);
        break;
    case 'p':
        for (size_t i = 0; i < len; i++)
            request_comes(1);
        break;
    case 'b':
        request_comes(BATCH_EVENTS);
        break;
    case 't':
        memcpy(number, bytes + 1, len < sizeof(number) ? len - 1 : sizeof(number) - 1);
        clock_ms += labs(strtol(number, NULL, 10)) % PASS_MAX_MS;
        break;
    case 'x':
        if (newest_peer())
            hang_up(newest_peer());
        break;
    default:
        return;
    }
    settle();
    if (world.has_stopgap)
        check_kept();
}

static void begin(unsigned options)
{
    struct redis_uv_options redis = {.url = &world.url,
                                     .connect_timeout_ms = 1000,
                                     .command_timeout_ms = 1000,
                                     .reconnect_max_ms = 200};
    struct barrier_options barrier = {.metrics = &world.metrics,
                                      .group_max_bytes = 1 << 20,
                                      .is_on = options & 1,
                                      .hold_max_ms = 1000};
    struct committer_options committer = {.metrics = &world.metrics,
                                          .breaker = &world.breaker,
                                          .timeout_ms = 2000,
                                          .group_max_events = 2,
                                          .groups_in_flight = 1 + (options >> 2 & 3),
                                          .group_linger_ms = options & 0x40 ? 2 : 0,
                                          .spin_us = 100,
                                          .pending_max_bytes = 1 << 20,
                                          .group_max_bytes = 1 << 20};
    struct err err;

    srandom(1);
    world.is_barrier_on = barrier.is_on;
    world.has_stopgap = barrier.is_on && options & 0x20;
    if (world.has_stopgap)
        barrier.spool_dir = world.spool_dir;
    MUST(redis_uv_start(&world.loop, &redis, &world.redis, &err) == ERR_OK);
    barrier.redis = committer.redis = world.redis;
    MUST(barrier_start(&world.loop, &barrier, &world.barrier, &err) == ERR_OK);
    committer.barrier = world.barrier;
    breaker_init(&world.breaker, world.redis, options & 2 ? 3 : 0);
    MUST(committer_start(&world.loop, &committer, &world.committer, &err) == ERR_OK);
    settle();
}

static void empty_spool(void)
{
    struct spool_file file = {.fd = -1};
    struct err err;

    while (spool_files_take(world.spool_dir, &file, &err) == ERR_OK)
        MUST(spool_files_finish(world.spool_dir, &file, false, &err) == ERR_OK);
    MUST(spool_files_bytes(world.spool_dir) == 0);
}

static void on_barrier_stopped(void *user)
{
    *(bool *)user = true;
}

static void end(void)
{
    bool is_stopped = false;

    committer_quiesce(world.committer);
    redis_uv_stop(world.redis, NULL, NULL);
    for (int i = 0; i < 4; i++)
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
    barrier_stop(world.barrier, on_barrier_stopped, &is_stopped);
    while (!is_stopped)
        (void)uv_run(&world.loop, UV_RUN_ONCE);
    committer_stop(world.committer, NULL, NULL);
    for (int i = 0; i < 4; i++)
        (void)uv_run(&world.loop, UV_RUN_NOWAIT);
    MUST(!uv_loop_alive(&world.loop));
    redis_uv_free(world.redis);
    for (unsigned i = 0; i < world.request_count; i++)
        MUST(world.requests[i].is_answered);
    (void)listen_to_all();
    if (world.has_stopgap) {
        check_kept();
        empty_spool();
    }
    for (size_t i = 0; i < world.peer_count; i++) {
        hang_up(&world.peers[i]);
        buf_release(&world.peers[i].commands);
        buf_release(&world.peers[i].replies);
    }
    world.request_count = 0;
    world.peer_count = 0;
}

static void remove_socket(void)
{
    (void)close(world.listener);
    spool_files_close(world.spool_dir);
    (void)rmdir(world.spool);
    (void)unlink(world.url.host);
    *strrchr(world.url.host, '/') = '\0';
    (void)rmdir(world.url.host);
}

static void make_world(void)
{
    char folder[] = "/tmp/analytics-fuzz-XXXXXX";
    struct err err;

    if (world.url.is_unix)
        return;
    MUST(setenv("UV_THREADPOOL_SIZE", "1", 1) == 0);
    log_init("fuzz", LOG_ERROR);
    MUST(uv_loop_init(&world.loop) == 0);
    MUST(mkdtemp(folder));
    (void)snprintf(world.url.host, sizeof(world.url.host), "%s/redis", folder);
    (void)snprintf(world.spool, sizeof(world.spool), "%s/spool", folder);
    MUST(spool_files_open(world.spool, SPOOL_BYTES_MAX, &world.spool_dir, &err) ==
         ERR_OK);
    world.url.is_unix = true;
    listen_at(world.url.host);
    MUST(atexit(remove_socket) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data + 1;
    const char *stop = (const char *)data + size;

    if (size == 0 || size > 8192)
        return 0;
    make_world();
    begin(data[0]);
    while (at < stop) {
        const char *next = memchr(at, SEPARATOR, (size_t)(stop - at));
        const char *step_end = next ? next : stop;
        step(at, (size_t)(step_end - at));
        at = step_end + 1;
    }
    end();
    return 0;
}
