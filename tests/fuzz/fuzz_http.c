/* fuzz_http.c -- raw bytes for the whole of ingestion, with a real Redis.
 *
 * The input is what a client sends on one connection, in pieces parted by the byte 0xff;
 * then it closes its sending side.  After each piece another client asks /healthz: it has
 * to be answered, and by then the piece has been read.  Ingestion is all of it but main(),
 * in a thread, so that the fuzzer sees what its bytes reach.
 *
 * Whatever is sent: the connection ends by itself, what was answered is HTTP from its first
 * byte to its last, and Redis has as many jobs more as events were answered 200; one that
 * was answered 503, or whose answer was lost by a reset, it may have.  FUZZ_REDIS_URL is a unix:// address of a Redis that nobody else uses
 * (tests/fuzz/servers.py makes one). */
#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ingestion/app.h"
#include "ingestion/conf.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/daemon/conf.h"
#include "tests/fuzz/answers.h"
#include "tests/fuzz/fuzz.h"

enum {
    SEPARATOR = 0xff,
    REQUEST_MAX = 65536,
    ANSWERS_MAX = 1 << 20,
    PATIENCE_SECONDS = 20, /* far above each of ingestion's deadlines */
    TRIES_MAX = 500,       /* to reach it, 20 ms apart at least */
    DEADLINE_MS = 300      /* of those deadlines that a client may meet */
};

static struct ingestion_conf conf;
static struct sockaddr_in address;
static redisContext *redis;
static char answers[ANSWERS_MAX];

/* --- ingestion ------------------------------------------------------------------ */

static void *run_ingestion(void *unused)
{
    const struct conf_source source = {.program = &ingestion_program};
    struct err err = {.msg = ""};

    (void)unused;
    if (app_run(&conf, &source, &err))
        (void)fprintf(stderr, "%s\n", err.msg);
    MUST(err.msg[0] == '\0');
    return NULL;
}

/* A port that is free at the moment. */
static uint16_t find_port(void)
{
    struct sockaddr_in found = {.sin_family = AF_INET};
    socklen_t len = sizeof(found);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    found.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(fd >= 0 && bind(fd, (const struct sockaddr *)&found, sizeof(found)) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&found, &len) == 0);
    (void)close(fd);
    address = found;
    return ntohs(found.sin_port);
}

static void set(const char *name, const char *value)
{
    MUST(value && setenv(name, value, 1) == 0);
}

static void load_conf(const char *redis_url)
{
    static char name[] = "fuzz_http";
    char *argv[] = {name, NULL};
    char port[8];
    char deadline[8];
    enum conf_next next;
    struct err err;

    (void)snprintf(port, sizeof(port), "%u", find_port());
    set("PORT", port);
    set("HOST", "127.0.0.1");
    set("REDIS_URL", redis_url);
    set("INGEST_THREADS", "1");
    /* A closed sending side that comes with the last bytes is noticed at a deadline only. */
    (void)snprintf(deadline, sizeof(deadline), "%d", DEADLINE_MS);
    set("IDLE_TIMEOUT_MS", deadline);
    set("HEADER_TIMEOUT_MS", deadline);
    set("BODY_TIMEOUT_MS", deadline);
    MUST(conf_load(&ingestion_program, 1, argv, &conf, &next, &err) == ERR_OK);
}

/* Each client has an address of its own: ports that linger after a connection would run out
 * soon, and one that comes again too early is reset. */
static void bind_client(int fd)
{
    static uint32_t count;
    const int on = 1;
    struct sockaddr_in own = {.sin_family = AF_INET};

    own.sin_addr.s_addr =
        htonl((INADDR_LOOPBACK & 0xff000000) | 0x10000 | (count++ & 0xffff));
    MUST(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0);
    MUST(bind(fd, (const struct sockaddr *)&own, sizeof(own)) == 0);
}

static int try_to_connect(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0);
    bind_client(fd);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
    return fd;
}

static int connect_client(void)
{
    int fd;

    do
        fd = try_to_connect();
    while (fd < 0 && errno == EINTR); /* libFuzzer's own alarm, for its -timeout */
    return fd;
}

/* Reads to the end of the connection, which has to come; a reset is one. */
static size_t read_to_end(int fd, bool *ret_is_reset)
{
    size_t len = 0;

    *ret_is_reset = false;
    for (;;) {
        ssize_t got = recv(fd, answers + len, sizeof(answers) - len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            MUST(errno == ECONNRESET);
        *ret_is_reset = got < 0;
        if (got <= 0)
            return len;
        len += (size_t)got;
        MUST(len < sizeof(answers));
    }
}

/* One request on a connection of its own; returns the status, 0 for no connection, or for
 * one that was closed because its deadline had passed. */
static unsigned try_to_ask(const char *request)
{
    struct answer answer = {.status = 0};
    int64_t began_ms = clock_mono_ms();
    int fd = connect_client();
    bool is_reset;
    size_t len;

    if (fd < 0)
        return 0;
    (void)send(fd, request, strlen(request), MSG_NOSIGNAL); /* the answer shows */
    errno = 0;
    len = read_to_end(fd, &is_reset);
    (void)close(fd);
    if (len == 0 && clock_mono_ms() - began_ms >= DEADLINE_MS / 2)
        return 0; /* on a busy machine we may come too late ourselves */
    if (!answer_next(answers, len, false, &answer) || answer.len != len)
        (void)fprintf(stderr, "after %lld ms, %s: %.*s\n",
                      (long long)(clock_mono_ms() - began_ms), strerror(errno), (int)len,
                      answers);
    MUST(answer_next(answers, len, false, &answer) && answer.len == len);
    return answer.status;
}

static unsigned ask(const char *request)
{
    unsigned status = 0;

    for (int i = 0; i < TRIES_MAX && status == 0; i++) {
        status = try_to_ask(request);
        if (status == 0)
            (void)usleep(20000);
    }
    return status;
}

static void start(void)
{
    static const char ready[] =
        "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const char *url = getenv("FUZZ_REDIS_URL");
    pthread_t thread;

    if (redis)
        return;
    MUST(url && strncmp(url, "unix://", 7) == 0);
    redis = redisConnectUnix(url + 7);
    MUST(redis && !redis->err);
    (void)signal(SIGPIPE, SIG_IGN);
    log_init("fuzz_http", LOG_ERROR);
    load_conf(url);
    MUST(pthread_create(&thread, NULL, run_ingestion, NULL) == 0);
    for (int i = 0; i < TRIES_MAX && ask(ready) == 503; i++)
        (void)usleep(20000); /* it is still connecting to Redis */
    MUST(ask(ready) == 200);
}

/* --- one case -------------------------------------------------------------------- */

static void send_pieces(int fd, const char *bytes, size_t size)
{
    static const char alive[] =
        "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const char *end = bytes + size;

    while (bytes < end) {
        const char *stop = memchr(bytes, SEPARATOR, (size_t)(end - bytes));
        size_t len = (size_t)((stop ? stop : end) - bytes);
        bytes += len + 1;
        if (len == 0)
            continue;
        if (send(fd, bytes - len - 1, len, MSG_NOSIGNAL) != (ssize_t)len)
            break; /* it has heard enough */
        MUST(ask(alive) == 200);
    }
    (void)shutdown(fd, SHUT_WR);
}

/* How many jobs have come since the last time. */
static size_t take_jobs(void)
{
    redisReply *reply;
    size_t count;

    MUST(redisAppendCommand(redis, "LLEN {events}:queue") == REDIS_OK);
    MUST(redisAppendCommand(redis, "DEL {events}:queue") == REDIS_OK);
    MUST(redisGetReply(redis, (void **)&reply) == REDIS_OK);
    MUST(reply->type == REDIS_REPLY_INTEGER);
    count = (size_t)reply->integer;
    freeReplyObject(reply);
    MUST(redisGetReply(redis, (void **)&reply) == REDIS_OK);
    freeReplyObject(reply);
    return count;
}

/* Whether there is a HEAD in the request, perhaps in pieces. */
static bool has_head(const char *bytes, size_t size)
{
    static const char word[] = "HEAD";
    size_t found = 0;

    for (size_t i = 0; i < size && found < sizeof(word) - 1; i++) {
        if ((unsigned char)bytes[i] == SEPARATOR)
            continue;
        if (bytes[i] == word[found])
            found++;
        else
            found = bytes[i] == word[0];
    }
    return found == sizeof(word) - 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    static size_t
        unknown; /* a job of which its client knows nothing may come later, too */
    bool may_be_head = has_head(bytes, size);
    size_t stored = 0;
    bool is_reset;
    size_t jobs;
    size_t at = 0;
    size_t len;
    int fd;

    if (size > REQUEST_MAX)
        return 0;
    start();
    fd = connect_client();
    MUST(fd >= 0);
    send_pieces(fd, bytes, size);
    len = read_to_end(fd, &is_reset);
    (void)close(fd);
    while (at < len) {
        struct answer answer;
        bool is_http = answer_next(answers + at, len - at, may_be_head, &answer);

        if (!is_http)
            (void)fprintf(stderr, "at %zu of: %.*s\n", at, (int)len, answers);
        MUST(is_http);
        stored += answer.is_stored;
        unknown += answer.status == 503;
        at += answer.len;
    }
    jobs = take_jobs();
    /* To go on sending after the other side has closed resets the connection, and answers that
     * are still on their way are lost. */
    if (is_reset && jobs > stored)
        stored = jobs;
    if (jobs < stored || jobs > stored + unknown)
        (void)fprintf(stderr,
                      "%zu jobs, %zu answers 200, %zu unknown, the last of: %.*s\n", jobs,
                      stored, unknown, (int)(len > 400 ? 400 : len),
                      answers + (len > 400 ? len - 400 : 0));
    MUST(jobs >= stored && jobs <= stored + unknown);
    unknown -= jobs - stored;
    return 0;
}
