/* err.c -- see err.h. */
#include "shared/redis/err.h"

#include <errno.h>
#include <string.h>

struct redis_err_row {
    const char *word; /* with which the error's text begins */
    enum err_code code;
};

static const struct redis_err_row rows[] = {
    {"OOM", ERR_BUSY},
    {"BUSY", ERR_BUSY}, /* a script of somebody's runs */
    {"TRYAGAIN", ERR_BUSY},
    {"NOSCRIPT", ERR_BUSY},
    {"MISCONF", ERR_UNAVAILABLE}, /* cannot write to its disk */
    {"LOADING", ERR_UNAVAILABLE},
    {"MASTERDOWN", ERR_UNAVAILABLE},
    {"NOREPLICAS", ERR_UNAVAILABLE},
    {"CLUSTERDOWN", ERR_UNAVAILABLE},
    {"READONLY", ERR_READ_ONLY},
    {"UNBLOCKED", ERR_READ_ONLY}, /* while waiting: it has become a replica */
    {"NOAUTH", ERR_DENIED},
    {"WRONGPASS", ERR_DENIED},
    {"NOPERM", ERR_DENIED},
    {"ERR The user executing the script can't", ERR_DENIED}, /* the same, in a script */
    {"WRONGTYPE", ERR_SCHEMA},
};

static enum err_code code_of_text(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t word_len = strlen(rows[i].word);

        if (len >= word_len && memcmp(text, rows[i].word, word_len) == 0 &&
            (len == word_len || text[word_len] == ' '))
            return rows[i].code;
    }
    return ERR_BUG;
}

enum err_code redis_err_of_reply(const redisReply *reply, const char *what,
                                 struct err *err)
{
    int shown;

    if (!reply)
        return err_set(err, ERR_UNAVAILABLE, "%s: connection to Redis lost", what);
    if (reply->type != REDIS_REPLY_ERROR)
        return ERR_OK;
    shown = reply->len < ERR_MSG_MAX ? (int)reply->len : ERR_MSG_MAX;
    return err_set(err, code_of_text(reply->str, reply->len), "%s: %.*s", what, shown,
                   reply->str);
}

enum err_code redis_err_of_context(const redisContext *context, const char *what,
                                   struct err *err)
{
    if (!context)
        return err_set(err, ERR_NOMEM, "%s: out of memory", what);
    switch (context->err) {
    case REDIS_ERR_IO:
        if (errno == EAGAIN || errno == ETIMEDOUT)
            return err_set(err, ERR_TIMEOUT, "%s: no answer from Redis in time", what);
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", what, context->errstr);
    case REDIS_ERR_OOM:
        return err_set(err, ERR_NOMEM, "%s: out of memory", what);
    case REDIS_ERR_PROTOCOL: /* what answers is not Redis, or bytes were damaged */
    case REDIS_ERR_EOF:
    case REDIS_ERR_OTHER: /* name resolution */
    default:
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", what, context->errstr);
    }
}
