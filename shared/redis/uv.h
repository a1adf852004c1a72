/* uv.h -- one Redis connection on a libuv loop, with deadlines.
 *
 * It connects by itself, again and again with backoff, logs in, selects the database, and
 * tells when it is ready and when it is lost.  The wire format is hiredis's (its formatter
 * and its reply reader); the socket is libuv's.  hiredis's own asynchronous context is not
 * used: 0.14 never reports a refused connection under libuv, has no timeouts, aborts the
 * process on a reply that nobody asked for, and frees itself inside its callbacks.
 *
 * Every command has the same deadline.  When the oldest is not answered in time the
 * connection is dropped and made anew, and every command under way gets the callback with
 * a NULL reply: its outcome is unknown.  Commands are written at redis_uv_flush(), so a
 * turn of the loop costs one write.
 */
#ifndef SHARED_REDIS_UV_H
#define SHARED_REDIS_UV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"
#include "shared/redis/reply.h"

struct redis_url;
struct redis_uv; /* opaque */

struct redis_uv_options {
    const struct redis_url *url; /* copied */
    int64_t connect_timeout_ms;
    int64_t command_timeout_ms;
    int64_t reconnect_max_ms; /* the backoff ends there */

    /* Ready to take commands; and lost, or not reached, with the reason.  Either may be
     * NULL.  Called from the loop, never from within a function below. */
    void (*on_ready)(void *user);
    void (*on_lost)(const char *reason, void *user);
    void *user;
};

/* Starts to connect.  ERR_NOMEM. */
enum err_code redis_uv_start(uv_loop_t *loop, const struct redis_uv_options *options,
                             struct redis_uv **ret_redis, struct err *err) MUST_CHECK;

/* Drops the connection at once (callbacks get NULL), then calls on_stopped once.  What
 * remains takes no commands any more, until it is freed.  A question to the resolver cannot
 * be taken back: while it is open the loop goes on after on_stopped. */
void redis_uv_stop(struct redis_uv *redis, void (*on_stopped)(void *user), void *user);

/* After the loop has ended only. */
void redis_uv_free(struct redis_uv *redis);

/* Drops the connection and makes a new one; commands under way get NULL replies.  For a
 * server that answers but has become the wrong one (a primary turned replica). */
void redis_uv_reconnect(struct redis_uv *redis, const char *reason);

bool redis_uv_is_ready(const struct redis_uv *redis);

/* What is wrong while it is not ready: the words after "Redis".  Static. */
const char *redis_uv_complaint(const struct redis_uv *redis);

/* A number of the connection in use, another one after each reconnect. */
uint64_t redis_uv_connection(const struct redis_uv *redis);

/* Queues one command in wire form (redisFormatCommandArgv or our own); fn is called exactly
 * once on success.  ERR_UNAVAILABLE when not ready, and fn is not called then. */
enum err_code redis_uv_send(struct redis_uv *redis, const char *wire, size_t len,
                            redis_uv_reply_fn fn, void *user) MUST_CHECK;
enum err_code redis_uv_command(struct redis_uv *redis, int argc, const char **argv,
                               const size_t *lens, redis_uv_reply_fn fn,
                               void *user) MUST_CHECK;

/* Writes what was queued. */
void redis_uv_flush(struct redis_uv *redis);

#endif
