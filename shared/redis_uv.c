/* redis_uv.c -- see redis_uv.h.
 *
 *   WAITING --time is up--> RESOLVING --> CONNECTING --> GREETING --> READY
 *      ^                        |              |             |          |
 *      +------ link_lost() -----+--------------+-------------+----------+
 *
 * Every state has a deadline that the tick looks at; READY's is that of the oldest
 * command.  A link is one attempt at a connection; once dropped it lives on, without an
 * owner, until libuv has closed its handle.
 */
#include "shared/redis_uv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/buf.h"
#include "shared/mem.h"
#include "shared/redis_err.h"
#include "shared/redis_url.h"

enum {
    TICK_MS = 25,               /* how exactly deadlines are kept */
    RECONNECT_MIN_MS = 50,      /* first backoff, doubled from there */
    READ_BYTES = 65536,         /* read at a time */
    OUT_MAX = 64 * 1024 * 1024, /* commands queued in one turn; callers stop far below */
    REPLY_MAX = 1024 * 1024, /* an unfinished reply larger than this is a broken peer */
    ADDRESSES_MAX = 8,       /* of one host name */
    GREETINGS_MAX = 3,       /* AUTH, SELECT, PING */
};

enum state {
    WAITING,
    RESOLVING,
    CONNECTING,
    GREETING,
    READY,
    STOPPING
};

/* A command that was sent and not answered. */
struct pending {
    struct pending *next;
    redis_uv_reply_fn fn;
    void *user;
    int64_t sent_ms;
};

struct link {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    uv_connect_t connect;
    struct redis_uv *redis; /* borrowed; it outlives its links */
    bool is_dropped;        /* closing: no callback may act on it any more */
    redisReader *reader;    /* owned */
    struct pending *first;  /* owned; the oldest */
    struct pending *last;
    struct buf out; /* commands not yet handed to the socket */
    char input[READ_BYTES];
};

/* Bytes that the socket did not take at once. */
struct leftover {
    uv_write_t request;
    size_t len;
    char bytes[];
};

struct redis_uv {
    uv_loop_t *loop; /* borrowed */
    struct redis_uv_options options;
    struct redis_url url;
    enum state state;
    int64_t deadline_ms; /* of the state; of READY: none */
    unsigned failures;   /* in a row */
    int greetings;       /* replies still to come */
    struct link *link;   /* owned; NULL in WAITING and RESOLVING */
    uv_timer_t tick;
    uv_getaddrinfo_t resolve;
    bool is_resolving;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    int address_count;
    int next_address;
    int open_handles; /* of the tick and the links */
    void (*on_stopped)(void *user);
    void *stopped_user;
};

static int64_t now_ms(const struct redis_uv *redis)
{
    return (int64_t)uv_now(redis->loop);
}

/* --- stopping --------------------------------------------------------------- */

static void finish_stop(struct redis_uv *redis)
{
    void (*on_stopped)(void *user) = redis->on_stopped;
    void *user = redis->stopped_user;

    if (redis->state != STOPPING || redis->open_handles > 0 || redis->is_resolving)
        return;
    mem_free(redis);
    if (on_stopped)
        on_stopped(user);
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct redis_uv *redis = handle->data;

    redis->open_handles--;
    finish_stop(redis);
}

/* --- links ------------------------------------------------------------------ */

static void on_link_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;
    struct redis_uv *redis = link->redis;

    redisReaderFree(link->reader);
    buf_release(&link->out);
    mem_free(link);
    redis->open_handles--;
    finish_stop(redis);
}

static struct link *link_new(struct redis_uv *redis)
{
    struct link *link = mem_calloc(1, sizeof(*link));
    int status;

    if (!link)
        return NULL;
    buf_init(&link->out, OUT_MAX);
    link->reader = redisReaderCreate();
    if (!link->reader)
        goto failed;
    link->reader->maxbuf = 0; /* keep its buffer instead of freeing it when idle */
    status = redis->url.is_unix ? uv_pipe_init(redis->loop, &link->socket.pipe, 0)
                                : uv_tcp_init(redis->loop, &link->socket.tcp);
    if (status)
        goto failed;
    link->socket.handle.data = link;
    link->redis = redis;
    redis->open_handles++;
    return link;

failed:
    if (link->reader)
        redisReaderFree(link->reader);
    mem_free(link);
    return NULL;
}

/* Tells everyone who waits that the outcome is unknown. */
static void fail_pending(struct link *link)
{
    while (link->first) {
        struct pending *pending = link->first;
        link->first = pending->next;
        pending->fn(NULL, pending->user);
        mem_free(pending);
    }
    link->last = NULL;
}

static int64_t backoff_ms(const struct redis_uv *redis)
{
    int64_t delay = RECONNECT_MIN_MS;

    for (unsigned i = 1; i < redis->failures && delay < redis->options.reconnect_max_ms;
         i++)
        delay *= 2;
    if (delay > redis->options.reconnect_max_ms)
        delay = redis->options.reconnect_max_ms;
    return delay / 2 + random() % (delay / 2 + 1); /* so that many do not come together */
}

/* Drops the link, if any, and waits for the next attempt. */
static void link_lost(struct redis_uv *redis, const char *reason)
{
    struct link *link = redis->link;

    redis->failures++;
    redis->state = WAITING;
    redis->deadline_ms = now_ms(redis) + backoff_ms(redis);
    redis->link = NULL;
    if (link) {
        link->is_dropped = true;
        uv_close(&link->socket.handle, on_link_closed);
        fail_pending(link);
    }
    if (redis->options.on_lost && redis->state == WAITING)
        redis->options.on_lost(reason, redis->options.user);
}

static void pending_add(struct link *link, struct pending *pending)
{
    *(link->last ? &link->last->next : &link->first) = pending;
    link->last = pending;
}

static void pending_answer(struct link *link, redisReply *reply)
{
    struct pending *pending = link->first;

    link->first = pending->next;
    if (!link->first)
        link->last = NULL;
    pending->fn(reply, pending->user);
    mem_free(pending);
}

/* --- reading ---------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct link *link = handle->data;

    (void)suggested;
    *buf = uv_buf_init(link->input, sizeof(link->input));
}

/* Takes one reply from the reader; false when there is none (yet), or no link any more. */
static bool take_reply(struct link *link)
{
    void *reply = NULL;

    if (link->is_dropped)
        return false;
    if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
        link_lost(link->redis, "Redis sent bytes that are not its protocol");
        return false;
    }
    if (!reply)
        return false;
    if (link->first)
        pending_answer(link, reply);
    else
        link_lost(link->redis, "Redis sent a reply that nobody asked for");
    freeReplyObject(reply);
    return true;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct link *link = stream->data;

    if (link->is_dropped || len == 0)
        return;
    if (len < 0) {
        link_lost(link->redis,
                  len == UV_EOF ? "Redis closed the connection" : uv_strerror((int)len));
        return;
    }
    if (redisReaderFeed(link->reader, buf->base, (size_t)len) != REDIS_OK) {
        link_lost(link->redis, "out of memory");
        return;
    }
    while (take_reply(link)) {
    }
    if (!link->is_dropped && link->reader->len - link->reader->pos > REPLY_MAX)
        link_lost(link->redis, "Redis sent a reply that is too large");
}

/* --- greeting: log in, select, and see that it serves ----------------------- */

static void on_greeting(redisReply *reply, void *user)
{
    struct redis_uv *redis = user;
    struct err err;

    if (!reply || redis->state != GREETING)
        return; /* dropped meanwhile: link_lost() has seen to it */
    if (redis_err_of_reply(reply, "could not log in to Redis", &err)) {
        link_lost(redis, err.msg);
        return;
    }
    if (--redis->greetings > 0)
        return;
    redis->state = READY;
    redis->failures = 0;
    if (redis->options.on_ready)
        redis->options.on_ready(redis->options.user);
}

static enum err_code send_on(struct redis_uv *redis, const char *wire, size_t len,
                             redis_uv_reply_fn fn, void *user)
{
    struct pending *pending = mem_alloc(sizeof(*pending));
    enum err_code code;

    if (!pending)
        return ERR_NOMEM;
    code = buf_add(&redis->link->out, wire, len);
    if (code) {
        mem_free(pending);
        return code;
    }
    *pending = (struct pending){.fn = fn, .user = user, .sent_ms = now_ms(redis)};
    pending_add(redis->link, pending);
    return ERR_OK;
}

static enum err_code command_on(struct redis_uv *redis, int argc, const char **argv,
                                const size_t *lens, redis_uv_reply_fn fn, void *user)
{
    char *wire = NULL;
    int len = redisFormatCommandArgv(&wire, argc, argv, lens);
    enum err_code code;

    if (len < 0)
        return ERR_NOMEM;
    code = send_on(redis, wire, (size_t)len, fn, user);
    redisFreeCommand(wire);
    return code;
}

static enum err_code greet(struct redis_uv *redis)
{
    const struct redis_url *url = &redis->url;
    const char *auth[] = {"AUTH", url->user, url->password};
    const char *auth_default[] = {"AUTH", url->password};
    char db[16];
    const char *select[] = {"SELECT", db};
    const char *ping[] = {"PING"};
    enum err_code code = ERR_OK;

    (void)snprintf(db, sizeof(db), "%d", url->db);
    redis->greetings = 1 + (url->password[0] != '\0') + (url->db != 0);
    assert(redis->greetings <= GREETINGS_MAX);
    if (url->password[0] && url->user[0])
        code = command_on(redis, 3, auth, NULL, on_greeting, redis);
    else if (url->password[0])
        code = command_on(redis, 2, auth_default, NULL, on_greeting, redis);
    if (!code && url->db)
        code = command_on(redis, 2, select, NULL, on_greeting, redis);
    if (!code)
        code = command_on(redis, 1, ping, NULL, on_greeting, redis);
    return code;
}

/* --- connecting ------------------------------------------------------------- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct link *link = connect->handle->data;
    struct redis_uv *redis = link->redis;

    if (link->is_dropped)
        return; /* at its deadline */
    if (status) {
        link_lost(redis, uv_strerror(status));
        return;
    }
    redis->state = GREETING;
    if (!redis->url.is_unix)
        (void)uv_tcp_nodelay(&link->socket.tcp, 1); /* slower without, not wrong */
    if (uv_read_start(&link->socket.stream, on_alloc, on_read) || greet(redis)) {
        link_lost(redis, "out of memory");
        return;
    }
    redis_uv_flush(redis);
}

static void connect_next(struct redis_uv *redis)
{
    struct link *link = link_new(redis);
    int status = 0;

    redis->link = link;
    redis->state = CONNECTING;
    if (!link) {
        link_lost(redis, "out of memory");
        return;
    }
    if (redis->url.is_unix) {
        uv_pipe_connect(&link->connect, &link->socket.pipe, redis->url.host,
                        on_connected);
    } else {
        int i = redis->next_address++ % redis->address_count;
        status =
            uv_tcp_connect(&link->connect, &link->socket.tcp,
                           (const struct sockaddr *)&redis->addresses[i], on_connected);
    }
    if (status)
        link_lost(redis, uv_strerror(status));
}

static void keep_addresses(struct redis_uv *redis, const struct addrinfo *found)
{
    redis->address_count = 0;
    for (; found && redis->address_count < ADDRESSES_MAX; found = found->ai_next) {
        memcpy(&redis->addresses[redis->address_count], found->ai_addr,
               found->ai_addrlen);
        redis->address_count++;
    }
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
    struct redis_uv *redis = resolve->data;

    redis->is_resolving = false;
    if (status == 0)
        keep_addresses(redis, found);
    uv_freeaddrinfo(found);
    if (redis->state == STOPPING) {
        finish_stop(redis);
        return;
    }
    if (redis->state != RESOLVING)
        return; /* its deadline has passed; the next attempt will ask again */
    if (status || redis->address_count == 0)
        link_lost(redis, status ? uv_strerror(status) : "the host has no address");
    else
        connect_next(redis);
}

static void start_attempt(struct redis_uv *redis)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];

    redis->deadline_ms = now_ms(redis) + redis->options.connect_timeout_ms;
    if (redis->url.is_unix) {
        connect_next(redis);
        return;
    }
    redis->state = RESOLVING;
    if (redis->is_resolving)
        return; /* the last question is still open; its answer will do */
    (void)snprintf(port, sizeof(port), "%u", redis->url.port);
    redis->resolve.data = redis;
    redis->is_resolving = uv_getaddrinfo(redis->loop, &redis->resolve, on_resolved,
                                         redis->url.host, port, &hints) == 0;
    if (!redis->is_resolving)
        link_lost(redis, "could not ask for the address");
}

static void on_tick(uv_timer_t *timer)
{
    struct redis_uv *redis = timer->data;
    int64_t now = now_ms(redis);

    switch (redis->state) {
    case WAITING:
        if (now >= redis->deadline_ms)
            start_attempt(redis);
        break;
    case RESOLVING:
    case CONNECTING:
    case GREETING:
        if (now >= redis->deadline_ms)
            link_lost(redis, "Redis did not answer in time");
        break;
    case READY:
        if (redis->link->first &&
            now - redis->link->first->sent_ms >= redis->options.command_timeout_ms)
            link_lost(redis, "Redis did not answer in time");
        break;
    case STOPPING:
        break;
    }
}

/* --- the public face -------------------------------------------------------- */

enum err_code redis_uv_start(uv_loop_t *loop, const struct redis_uv_options *options,
                             struct redis_uv **ret_redis, struct err *err)
{
    struct redis_uv *redis = mem_calloc(1, sizeof(*redis));

    if (!redis)
        return err_set(err, ERR_NOMEM, "out of memory");
    redis->loop = loop;
    redis->options = *options;
    redis->url = *options->url;
    redis->options.url = &redis->url;
    redis->state = WAITING; /* its deadline has passed: connect at the first tick */
    (void)uv_timer_init(loop, &redis->tick);
    redis->tick.data = redis;
    redis->open_handles = 1;
    (void)uv_timer_start(&redis->tick, on_tick, 0, TICK_MS);
    *ret_redis = redis;
    return ERR_OK;
}

void redis_uv_stop(struct redis_uv *redis, void (*on_stopped)(void *user), void *user)
{
    struct link *link = redis->link;

    redis->state = STOPPING;
    redis->on_stopped = on_stopped;
    redis->stopped_user = user;
    redis->link = NULL;
    if (link) {
        link->is_dropped = true;
        uv_close(&link->socket.handle, on_link_closed);
        fail_pending(link);
    }
    uv_close((uv_handle_t *)&redis->tick, on_tick_closed);
}

void redis_uv_reconnect(struct redis_uv *redis, const char *reason)
{
    if (redis->state == READY)
        link_lost(redis, reason);
}

bool redis_uv_is_ready(const struct redis_uv *redis)
{
    return redis->state == READY;
}

enum err_code redis_uv_send(struct redis_uv *redis, const char *wire, size_t len,
                            redis_uv_reply_fn fn, void *user)
{
    return redis->state == READY ? send_on(redis, wire, len, fn, user) : ERR_UNAVAILABLE;
}

enum err_code redis_uv_command(struct redis_uv *redis, int argc, const char **argv,
                               const size_t *lens, redis_uv_reply_fn fn, void *user)
{
    return redis->state == READY ? command_on(redis, argc, argv, lens, fn, user)
                                 : ERR_UNAVAILABLE;
}

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* a socket that cannot be written to shows itself to the reader */
    mem_free(request->data);
}

/* Leaves the bytes that the socket did not take to libuv. */
static void write_leftover(struct link *link, const char *bytes, size_t len)
{
    struct leftover *left = mem_alloc(sizeof(*left) + len);
    uv_buf_t buf;

    if (left) {
        left->len = len;
        left->request.data = left;
        memcpy(left->bytes, bytes, len);
        buf = uv_buf_init(left->bytes, (unsigned)len);
        if (uv_write(&left->request, &link->socket.stream, &buf, 1, on_written) == 0)
            return;
        mem_free(left);
    }
    /* A stream with a hole in it is of no use.  Ageing the oldest command makes the next
     * tick drop the link, and everyone under way learns that the outcome is unknown. */
    link->first->sent_ms = 0;
}

void redis_uv_flush(struct redis_uv *redis)
{
    struct link *link = redis->link;
    uv_buf_t buf;
    int written;

    if (!link || link->out.len == 0)
        return;
    buf = uv_buf_init(link->out.data, (unsigned)link->out.len);
    written = uv_try_write(&link->socket.stream, &buf, 1);
    if (written < 0)
        written = 0; /* not now, or an error that the reader will see */
    if ((size_t)written < link->out.len)
        write_leftover(link, link->out.data + written, link->out.len - (size_t)written);
    buf_clear(&link->out);
}

size_t redis_uv_unsent(const struct redis_uv *redis)
{
    return redis->link ? redis->link->out.len +
                             uv_stream_get_write_queue_size(&redis->link->socket.stream)
                       : 0;
}
