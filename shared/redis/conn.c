/* conn.c -- see conn.h. */
#include "shared/redis/conn.h"

#include <stdio.h>
#include <sys/time.h>

#include "shared/redis/err.h"
#include "shared/redis/reader.h"
#include "shared/redis/url.h"

static const char what[] = "could not connect to Redis";

static struct timeval timeval_of(int64_t ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* Sends one command whose reply only has to be no error. */
static enum err_code run(redisContext *context, int argc, const char **argv,
                         struct err *err)
{
    redisReply *reply = redisCommandArgv(context, argc, argv, NULL);
    enum err_code code;

    if (!reply)
        return redis_err_of_context(context, what, err);
    code = redis_err_of_reply(reply, what, err);
    freeReplyObject(reply);
    return code;
}

static enum err_code log_in(redisContext *context, const struct redis_url *url,
                            struct err *err)
{
    enum err_code code = ERR_OK;

    if (url->user[0] != '\0') {
        const char *argv[] = {"AUTH", url->user, url->password};

        code = run(context, 3, argv, err);
    } else if (url->password[0] != '\0') {
        const char *argv[] = {"AUTH", url->password};

        code = run(context, 2, argv, err);
    }
    if (!code && url->db != 0) {
        char db[16];
        const char *argv[] = {"SELECT", db};

        (void)snprintf(db, sizeof(db), "%d", url->db);
        code = run(context, 2, argv, err);
    }
    return code;
}

enum err_code redis_conn_open(const struct redis_url *url, int64_t timeout_ms,
                              redisContext **ret_context, struct err *err)
{
    struct timeval timeout = timeval_of(timeout_ms);
    redisContext *context;
    enum err_code code;

    context = url->is_unix ? redisConnectUnixWithTimeout(url->host, timeout)
                           : redisConnectWithTimeout(url->host, url->port, timeout);
    if (!context || context->err) {
        code = redis_err_of_context(context, what, err);
        goto fail;
    }
    redis_reader_bound(context->reader);
    if (redisSetTimeout(context, timeout) ||
        (!url->is_unix && redisEnableKeepAlive(context))) {
        code = redis_err_of_context(context, what, err);
        goto fail;
    }
    code = log_in(context, url, err);
    if (code)
        goto fail;
    *ret_context = context;
    return ERR_OK;
fail:
    if (context)
        redisFree(context);
    return code;
}
