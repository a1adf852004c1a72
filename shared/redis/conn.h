/* conn.h -- a blocking Redis connection with timeouts, for threads of straight-line
 * code.  Logs in and selects the database of its URL. */
#ifndef SHARED_REDIS_CONN_H
#define SHARED_REDIS_CONN_H

#include <hiredis/hiredis.h>
#include <stdint.h>

#include "shared/base/err.h"

struct redis_url;

/* Connects; the caller owns *ret_context: redisFree().  timeout_ms bounds the connect and
 * each later command. */
enum err_code redis_conn_open(const struct redis_url *url, int64_t timeout_ms,
                              redisContext **ret_context, struct err *err) MUST_CHECK;

#endif
