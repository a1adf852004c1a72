/* reply.h -- whoever waits for Redis's reply to a command. */
#ifndef SHARED_REDIS_REPLY_H
#define SHARED_REDIS_REPLY_H

#include <hiredis/hiredis.h>

/* reply is NULL when the outcome is unknown; it is freed after the callback returns. */
typedef void (*redis_uv_reply_fn)(redisReply *reply, void *user);

#endif
