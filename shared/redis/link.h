/* link.h -- one attempt at a connection to Redis: its socket, what was sent on it and
 * not answered, and the reading of replies.  Used by uv.c only.
 *
 * A link that is dropped lives on until libuv has closed its handle; no callback but
 * on_closed comes any more.
 */
#ifndef SHARED_REDIS_LINK_H
#define SHARED_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "shared/base/err.h"
#include "shared/redis/reply.h"

struct redis_link; /* opaque */
struct sockaddr;

/* Whom a link tells.  on_lost may be told from within a read and has to drop the link. */
struct redis_link_owner {
    void (*on_connected)(void *user);
    void (*on_lost)(const char *reason, void *user);
    void (*on_closed)(void *user); /* the link is freed */
    void *user;
};

/* NULL when out of memory; on_closed is not called then. */
struct redis_link *redis_link_new(uv_loop_t *loop, bool is_unix,
                                  const struct redis_link_owner *owner) MUST_CHECK;

/* Start to connect; 0, or libuv's error.  on_connected or on_lost follows. */
int redis_link_connect(struct redis_link *link,
                       const struct sockaddr *address) MUST_CHECK;
void redis_link_connect_unix(struct redis_link *link, const char *path);

/* Queues a command in wire form; fn is called once, with NULL when the link is dropped. */
enum err_code redis_link_send(struct redis_link *link, const char *wire, size_t len,
                              redis_uv_reply_fn fn, void *user) MUST_CHECK;

/* Hands what was queued to the socket. */
void redis_link_flush(struct redis_link *link);

/* Closes the link and answers everyone under way with NULL. */
void redis_link_drop(struct redis_link *link);

/* When the oldest command under way was sent (uv_now), or INT64_MAX for none. */
int64_t redis_link_oldest_ms(const struct redis_link *link);
size_t redis_link_unsent(const struct redis_link *link);

#endif
