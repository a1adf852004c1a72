/* readiness.c -- see readiness.h. */
#include "ingestion/commit/readiness.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ingestion/commit/breaker.h"
#include "ingestion/commit/committer.h"
#include "ingestion/salts.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/http.h"
#include "shared/redis/err.h"
#include "shared/redis/uv.h"

enum {
    ANSWER_MAX = 192,
    TOLD_MS = 2000,    /* a group's refusal counts so long where Redis takes the probe */
    UNTOLD_MS = 10000, /* and so long where it does not tell */
};

/* One request that waits for both replies. */
struct check {
    struct readiness readiness;
    struct http_request *req;
    const char *complaint; /* static; NULL: none so far */
    bool is_told;          /* Redis would write, as far as the first reply says */
    bool is_lost;          /* there was no second command */
};

static void answer_ready(const struct readiness *readiness, struct http_request *req)
{
    static const char ready[] = "{\"status\":\"ready\"}";
    static const char alone[] =
        "{\"status\":\"ready\",\"note\":\"visitors have a salt of "
        "this process alone\"}";

    if (salts_is_own(readiness->salts, clock_wall_ms()))
        http_answer_json(req, 200, alone, sizeof(alone) - 1);
    else
        http_answer_json(req, 200, ready, sizeof(ready) - 1);
}

static void answer(const struct readiness *readiness, struct http_request *req,
                   const char *subject, const char *complaint)
{
    char text[ANSWER_MAX];

    if (!complaint) {
        answer_ready(readiness, req);
        return;
    }
    (void)snprintf(text, sizeof(text), "%s %s%s", subject, complaint,
                   committer_has_spool(readiness->committer) ? "; events go to the spool"
                                                             : "");
    http_answer_error(req, 503, text);
}

static void decide(const struct check *check)
{
    const struct readiness *readiness = &check->readiness;
    const char *complaint = check->complaint;

    if (!complaint)
        complaint =
            breaker_complaint(readiness->breaker, check->is_told ? TOLD_MS : UNTOLD_MS);
    if (complaint)
        answer(readiness, check->req, "Redis", complaint);
    else if (breaker_is_full(readiness->breaker))
        answer(readiness, check->req, "the queue", "has reached QUEUE_MAX_EVENTS");
    else if (committer_is_full(readiness->committer))
        answer(readiness, check->req, "PENDING_MAX_BYTES", "of events wait for Redis");
    else
        answer(readiness, check->req, "", NULL);
}

/* Whether the account may not ask, or the server does not know, what was asked. */
static bool tells_nothing(const redisReply *reply)
{
    static const char *const words[] = {"NOPERM", "ERR unknown command",
                                        "ERR syntax error"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strncmp(reply->str, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static void note(struct check *check, const redisReply *reply)
{
    if (check->complaint)
        return;
    if (!reply)
        check->complaint = "does not answer";
    else if (reply->type == REDIS_REPLY_ERROR && !tells_nothing(reply))
        check->complaint = redis_err_complaint(reply);
}

static void on_length(redisReply *reply, void *user)
{
    struct check *check = user;

    note(check, reply);
    if (reply && reply->type == REDIS_REPLY_INTEGER)
        breaker_note_length(check->readiness.breaker, reply->integer);
    decide(check);
    mem_free(check);
}

static void on_write(redisReply *reply, void *user)
{
    struct check *check = user;

    note(check, reply);
    check->is_told = reply && reply->type != REDIS_REPLY_ERROR;
    if (!check->is_lost)
        return;
    decide(check);
    mem_free(check);
}

void readiness_answer(const struct readiness *readiness, struct http_request *req)
{
    static const char *write[] = {"SET", "{events}:salt:none", "", "XX"};
    static const char *length[] = {"LLEN", "{events}:queue"};
    struct check *check;

    if (!redis_uv_is_ready(readiness->redis)) {
        answer(readiness, req, "Redis", redis_uv_complaint(readiness->redis));
        return;
    }
    check = mem_calloc(1, sizeof(*check));
    if (check)
        *check = (struct check){.readiness = *readiness, .req = req};
    if (!check ||
        redis_uv_command(readiness->redis, 4, write, NULL, on_write, check) != ERR_OK) {
        mem_free(check);
        http_answer_error(req, 503, "ingestion is out of memory");
        return;
    }
    http_wait(req); /* sent at the end of this turn */
    check->is_lost =
        redis_uv_command(readiness->redis, 2, length, NULL, on_length, check) != ERR_OK;
}
