/* uv.c -- see uv.h.
 *
 *   WAITING --time is up--> RESOLVING --> CONNECTING --> GREETING --> READY
 *      ^                        |              |             |          |
 *      +------ link_lost() -----+--------------+-------------+----------+
 *
 * Every state has a deadline that the tick looks at; READY's is that of the oldest
 * command.  A link (link.h) is one attempt at a connection.
 */
#include "shared/redis/uv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/redis/err.h"
#include "shared/redis/link.h"
#include "shared/redis/url.h"

enum {
    TICK_MS = 25,          /* how exactly deadlines are kept */
    RECONNECT_MIN_MS = 50, /* first backoff, doubled from there */
    ADDRESSES_MAX = 8,     /* of one host name */
    GREETINGS_MAX = 3,     /* AUTH, SELECT, PING */
};

enum state {
    WAITING,
    RESOLVING,
    CONNECTING,
    GREETING,
    READY,
    STOPPING
};

struct redis_uv {
    uv_loop_t *loop; /* borrowed */
    struct redis_uv_options options;
    struct redis_url url;
    enum state state;
    int64_t deadline_ms; /* of the state; of READY: none */
    uint64_t connection; /* counts those that were made */
    unsigned failures;   /* in a row */
    int greetings;       /* replies still to come */
    const char
        *complaint; /* static; why the last greeting was refused; NULL: it was not */
    struct redis_link *link; /* owned; NULL in WAITING and RESOLVING */
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

    if (redis->state != STOPPING || redis->open_handles > 0)
        return;
    if (on_stopped)
        on_stopped(user);
}

static void on_tick_closed(uv_handle_t *handle)
{
    struct redis_uv *redis = handle->data;

    redis->open_handles--;
    finish_stop(redis);
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
    struct redis_link *link = redis->link;

    if (redis->state != GREETING)
        redis->complaint = NULL; /* it is something else now */
    redis->failures++;
    redis->state = WAITING;
    redis->deadline_ms = now_ms(redis) + backoff_ms(redis);
    redis->link = NULL;
    if (link)
        redis_link_drop(link);
    if (redis->options.on_lost && redis->state == WAITING)
        redis->options.on_lost(reason, redis->options.user);
}

/* --- greeting: log in, select, and see that it serves ----------------------- */

static void on_greeting(redisReply *reply, void *user)
{
    struct redis_uv *redis = user;
    struct err err;

    if (!reply || redis->state != GREETING)
        return; /* dropped meanwhile, by link_lost() */
    if (redis_err_of_reply(reply, "could not connect to Redis", &err)) {
        redis->complaint = redis_err_complaint(reply);
        link_lost(redis, err.msg);
        return;
    }
    if (--redis->greetings > 0)
        return;
    redis->state = READY;
    redis->connection++;
    redis->failures = 0;
    redis->complaint = NULL;
    if (redis->options.on_ready)
        redis->options.on_ready(redis->options.user);
}

static enum err_code command_on(struct redis_uv *redis, int argc, const char **argv,
                                const size_t *lens, redis_uv_reply_fn fn, void *user)
{
    char *wire = NULL;
    long long len = redisFormatCommandArgv(&wire, argc, argv, lens); /* int in 0.14 */
    enum err_code code;

    if (len < 0)
        return ERR_NOMEM;
    code = redis_link_send(redis->link, wire, (size_t)len, fn, user);
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
    bool logs_in = url->user[0] || url->password[0];
    enum err_code code = ERR_OK;

    (void)snprintf(db, sizeof(db), "%d", url->db);
    redis->greetings = 1 + logs_in + (url->db != 0);
    assert(redis->greetings <= GREETINGS_MAX);
    if (url->user[0])
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

static void on_link_connected(void *user)
{
    struct redis_uv *redis = user;

    redis->state = GREETING;
    if (greet(redis) != ERR_OK)
        link_lost(redis, "out of memory");
    else
        redis_uv_flush(redis);
}

static void on_link_lost(const char *reason, void *user)
{
    link_lost(user, reason);
}

static void on_link_closed(void *user)
{
    struct redis_uv *redis = user;

    redis->open_handles--;
    finish_stop(redis);
}

static void connect_next(struct redis_uv *redis)
{
    struct redis_link_owner owner = {.on_connected = on_link_connected,
                                     .on_lost = on_link_lost,
                                     .on_closed = on_link_closed,
                                     .user = redis};
    const struct sockaddr_storage *address;
    int status = 0;

    redis->state = CONNECTING;
    redis->link = redis_link_new(redis->loop, redis->url.is_unix, &owner);
    if (!redis->link) {
        link_lost(redis, "out of memory");
        return;
    }
    redis->open_handles++;
    if (redis->url.is_unix) {
        redis_link_connect_unix(redis->link, redis->url.host);
        return;
    }
    address = &redis->addresses[redis->next_address++ % redis->address_count];
    status = redis_link_connect(redis->link, (const struct sockaddr *)address);
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
    if (redis->state != RESOLVING)
        return; /* its deadline has passed, and the next attempt will ask; or the end */
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
        if (redis_link_oldest_ms(redis->link) <= now - redis->options.command_timeout_ms)
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
    struct redis_link *link = redis->link;

    redis->state = STOPPING;
    redis->on_stopped = on_stopped;
    redis->stopped_user = user;
    redis->link = NULL;
    if (link)
        redis_link_drop(link);
    if (redis->is_resolving)
        (void)uv_cancel((uv_req_t *)&redis->resolve); /* not when it is being asked */
    uv_close((uv_handle_t *)&redis->tick, on_tick_closed);
}

void redis_uv_reconnect(struct redis_uv *redis, const char *reason)
{
    if (redis->state == READY)
        link_lost(redis, reason);
}

uint64_t redis_uv_connection(const struct redis_uv *redis)
{
    return redis->connection;
}

void redis_uv_free(struct redis_uv *redis)
{
    mem_free(redis);
}

const char *redis_uv_complaint(const struct redis_uv *redis)
{
    return redis->complaint ? redis->complaint : "is not reachable";
}

bool redis_uv_is_ready(const struct redis_uv *redis)
{
    return redis->state == READY;
}

enum err_code redis_uv_send(struct redis_uv *redis, const char *wire, size_t len,
                            redis_uv_reply_fn fn, void *user)
{
    return redis->state == READY ? redis_link_send(redis->link, wire, len, fn, user)
                                 : ERR_UNAVAILABLE;
}

enum err_code redis_uv_command(struct redis_uv *redis, int argc, const char **argv,
                               const size_t *lens, redis_uv_reply_fn fn, void *user)
{
    return redis->state == READY ? command_on(redis, argc, argv, lens, fn, user)
                                 : ERR_UNAVAILABLE;
}

void redis_uv_flush(struct redis_uv *redis)
{
    if (redis->link)
        redis_link_flush(redis->link);
}
