/* err.h -- Redis's errors in our vocabulary; the one place that knows them. */
#ifndef SHARED_REDIS_ERR_H
#define SHARED_REDIS_ERR_H

#include <hiredis/hiredis.h>

#include "shared/base/err.h"

/* Translates a reply: ERR_OK unless it is an error reply (or NULL: ERR_UNAVAILABLE).
 * OOM, MISCONF, LOADING, BUSY, READONLY, MASTERDOWN, NOREPLICAS, CLUSTERDOWN, TRYAGAIN,
 * NOSCRIPT are ERR_BUSY or ERR_UNAVAILABLE or ERR_READ_ONLY; NOAUTH, WRONGPASS, NOPERM
 * are ERR_DENIED; WRONGTYPE is ERR_SCHEMA; the rest is ERR_BUG.  The sentence is Redis's,
 * behind "what". */
enum err_code redis_err_of_reply(const redisReply *reply, const char *what,
                                 struct err *err);

/* Translates a failed blocking context. */
enum err_code redis_err_of_context(const redisContext *context, const char *what,
                                   struct err *err);

#endif
