/* err.c -- see err.h. */
#include "shared/redis/err.h"

#include <errno.h>
#include <string.h>

struct redis_err_row {
    const char *word; /* with which the error's text begins */
    enum err_code code;
    const char *complaint;
};

#define LOGIN     "refuses the login: check the user and the password of REDIS_URL"
#define PRIVILEGE "refuses a command: the user of REDIS_URL may not run it"
#define MEMORY    "has no memory left (maxmemory)"
#define LOADING   "is loading its data"
#define CLUSTER   "does not serve the queue's keys: they are on another node of a cluster"

static const struct redis_err_row rows[] = {
    {"OOM", ERR_BUSY, MEMORY},
    {"BUSY", ERR_BUSY, "is busy with a script"}, /* of somebody's */
    {"TRYAGAIN", ERR_BUSY, "is moving the queue's keys to another node"},
    {"NOSCRIPT", ERR_BUSY, "has forgotten a script"},
    {"ERR max number of clients reached", ERR_BUSY, "has too many connections"},
    {"MISCONF", ERR_UNAVAILABLE, "cannot write to its disk"},
    {"LOADING", ERR_UNAVAILABLE, LOADING},
    {"MASTERDOWN", ERR_UNAVAILABLE, "is a replica that has lost its primary"},
    {"NOREPLICAS", ERR_UNAVAILABLE, "has too few replicas (min-replicas-to-write)"},
    {"CLUSTERDOWN", ERR_UNAVAILABLE, "is part of a cluster that is down"},
    {"ASK", ERR_UNAVAILABLE, CLUSTER}, /* while a slot moves */
    {"READONLY", ERR_READ_ONLY, "is a read-only replica"},
    {"UNBLOCKED", ERR_READ_ONLY, "has become a replica"}, /* while we waited */
    {"MOVED", ERR_CONFIG, CLUSTER},
    {"CROSSSLOT", ERR_CONFIG, CLUSTER},
    {"ERR DB index is out of range", ERR_CONFIG, "has no database of that number"},
    {"ERR SELECT is not allowed in cluster mode", ERR_CONFIG,
     "has no database but 0, being part of a cluster"},
    {"NOAUTH", ERR_DENIED, LOGIN},
    {"WRONGPASS", ERR_DENIED, LOGIN},
    {"ERR AUTH", ERR_DENIED, LOGIN}, /* a password, and the user needs none */
    {"ERR invalid password", ERR_DENIED, LOGIN},
    {"ERR Client sent AUTH,", ERR_DENIED, LOGIN},
    {"DENIED", ERR_DENIED, "takes connections of its own machine only (protected-mode)"},
    {"NOPERM", ERR_DENIED, PRIVILEGE},
    {"ERR The user executing the script can't", ERR_DENIED, PRIVILEGE}, /* in a script */
    {"WRONGTYPE", ERR_SCHEMA, "has something else under a key of the queue"},
};

/* NULL for an error that nobody has heard of. */
static const struct redis_err_row *find_row(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t word_len = strlen(rows[i].word);

        if (len >= word_len && memcmp(text, rows[i].word, word_len) == 0 &&
            (len == word_len || text[word_len] == ' '))
            return &rows[i];
    }
    return NULL;
}

bool redis_err_is_memory(const redisReply *reply)
{
    static const char word[] = "OOM ";

    return reply->type == REDIS_REPLY_ERROR &&
           strncmp(reply->str, word, sizeof(word) - 1) == 0;
}

const char *redis_err_complaint(const redisReply *reply)
{
    const struct redis_err_row *row = find_row(reply->str, reply->len);

    return row ? row->complaint : "refuses what it is asked";
}

enum err_code redis_err_of_reply(const redisReply *reply, const char *what,
                                 struct err *err)
{
    const struct redis_err_row *row;
    int shown;

    if (!reply)
        return err_set(err, ERR_UNAVAILABLE, "%s: connection to Redis lost", what);
    if (reply->type != REDIS_REPLY_ERROR)
        return ERR_OK;
    shown = reply->len < ERR_MSG_MAX ? (int)reply->len : ERR_MSG_MAX;
    row = find_row(reply->str, reply->len);
    return err_set(err, row ? row->code : ERR_BUG, "%s: Redis %s: %.*s", what,
                   redis_err_complaint(reply), shown, reply->str);
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
