/* err.h -- Redis's errors in our vocabulary; the one place that knows them. */
#ifndef SHARED_REDIS_ERR_H
#define SHARED_REDIS_ERR_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "shared/base/err.h"

/* Translates a reply: ERR_OK unless it is an error reply (or NULL: ERR_UNAVAILABLE).
 * What passes by itself (OOM, MISCONF, LOADING, BUSY, READONLY, NOREPLICAS and the like) is
 * ERR_BUSY, ERR_UNAVAILABLE or ERR_READ_ONLY; a login or a privilege that is refused is
 * ERR_DENIED; MOVED, or a database that is not there, is ERR_CONFIG; WRONGTYPE is
 * ERR_SCHEMA; the rest is ERR_BUG.  The sentence is "what", our own words, then Redis's. */
enum err_code redis_err_of_reply(const redisReply *reply, const char *what,
                                 struct err *err);

/* Whether the reply says that memory was short, which a smaller command may not meet. */
bool redis_err_is_memory(const redisReply *reply);

/* What is wrong with Redis, by an error reply of its: the words after "Redis".  Static, and
 * none of Redis's own, so that anyone may read them. */
const char *redis_err_complaint(const redisReply *reply);

/* Translates a failed blocking context. */
enum err_code redis_err_of_context(const redisContext *context, const char *what,
                                   struct err *err);

#endif
