/* breaker.c -- see breaker.h. */
#include "ingestion/commit/breaker.h"

#include "shared/base/clock.h"
#include "shared/redis/err.h"
#include "shared/redis/keys.h"
#include "shared/redis/uv.h"

enum {
    REFUSING_MS = 250, /* between probes of a Redis that answers with errors */
    UNKNOWN_MAX = 2,   /* replies lost in a row: nobody reasonable is at the other end */
    ASK_MS = 100,      /* between questions for the length of a full list */
    LOG_EVERY_MS = 10000,
};

void breaker_init(struct breaker *breaker, struct redis_uv *redis, int64_t max_events)
{
    *breaker = (struct breaker){.redis = redis, .max_events = max_events};
}

enum breaker_state breaker_poll(struct breaker *breaker, int64_t now_ms)
{
    bool is_lost = !redis_uv_is_ready(breaker->redis);

    if (!is_lost)
        breaker->lost_since_ms = 0;
    else if (breaker->lost_since_ms == 0)
        breaker->lost_since_ms = now_ms;
    if (now_ms < breaker->refusing_until_ms)
        return BREAKER_REFUSING; /* also while connecting to where the primary may be now */
    if (is_lost)
        return BREAKER_LOST;
    return breaker->is_full ? BREAKER_FULL : BREAKER_CLOSED;
}

int64_t breaker_lost_ms(const struct breaker *breaker, int64_t now_ms)
{
    return breaker->lost_since_ms ? now_ms - breaker->lost_since_ms : 0;
}

void breaker_note_length(struct breaker *breaker, int64_t length)
{
    bool was_full = breaker->is_full;
    int64_t suppressed;

    breaker->is_full = breaker->max_events > 0 && length >= breaker->max_events;
    if (!breaker->is_full || was_full)
        return;
    breaker->ask_again_ms = clock_mono_ms() + ASK_MS;
    if (log_limit_allows(&breaker->full_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "the queue has reached its cap",
                 LOG_FIELDS(log_int("events", length),
                            log_int("cap", breaker->max_events),
                            log_int("suppressed", suppressed)));
}

bool breaker_is_full(const struct breaker *breaker)
{
    return breaker->is_full;
}

const char *breaker_complaint(const struct breaker *breaker, int64_t max_age_ms)
{
    return clock_mono_ms() - breaker->complaint_ms <= max_age_ms ? breaker->complaint
                                                                 : NULL;
}

static void complain(struct breaker *breaker, const char *complaint)
{
    breaker->complaint = complaint;
    breaker->complaint_ms = clock_mono_ms();
}

static void note_refusal(struct breaker *breaker, const struct err *err, int64_t now_ms)
{
    int64_t suppressed;

    breaker->refusing_until_ms = now_ms + REFUSING_MS;
    if (log_limit_allows(&breaker->refusing_log, LOG_EVERY_MS, &suppressed))
        log_line(
            LOG_WARN, "Redis does not take events",
            LOG_FIELDS(log_text("reason", err->msg), log_int("suppressed", suppressed)));
}

enum err_code breaker_note(struct breaker *breaker, const redisReply *reply,
                           bool is_divisible, int64_t now_ms)
{
    struct err err;
    bool is_memory;

    if (!reply) {
        if (++breaker->unknown >= UNKNOWN_MAX) {
            breaker->refusing_until_ms = now_ms + REFUSING_MS;
            complain(breaker, "does not confirm events");
        }
        return ERR_TIMEOUT;
    }
    breaker->unknown = 0;
    if (reply->type == REDIS_REPLY_INTEGER) {
        breaker->refusing_until_ms = 0;
        breaker->complaint = NULL;
        breaker_note_length(breaker, reply->integer);
        return ERR_OK;
    }
    is_memory = redis_err_is_memory(reply);
    if (is_memory && is_divisible)
        return ERR_TOO_BIG;
    if (redis_err_of_reply(reply, "LPUSH", &err) != ERR_OK) {
        complain(breaker, redis_err_complaint(reply));
    } else {
        complain(breaker, "answers out of step");
        (void)err_set(&err, ERR_BUG, "Redis answered LPUSH with something odd");
        breaker->reconnect_reason = "the answers of Redis are out of step";
    }
    note_refusal(breaker, &err, now_ms);
    if (err.code == ERR_READ_ONLY)
        breaker->reconnect_reason = "Redis has become a read-only replica";
    return is_memory ? ERR_TOO_BIG : err.code;
}

static void on_length(redisReply *reply, void *user)
{
    struct breaker *breaker = user;

    breaker->is_asking = false;
    if (!reply)
        return; /* lost: asked again when it is back */
    /* An error is for the next group to meet. */
    breaker->is_full =
        reply->type == REDIS_REPLY_INTEGER && reply->integer >= breaker->max_events;
}

void breaker_tick(struct breaker *breaker, int64_t now_ms)
{
    static const char *question[] = {"LLEN", KEY_QUEUE};

    /* The new connection may reach the new primary.  And where one answer did not fit its
     * question, those after it may answer the wrong questions as well.  Not at once: each
     * waiter is told that there will be no reply, and one of them may be handling this one. */
    if (breaker->reconnect_reason)
        redis_uv_reconnect(breaker->redis, breaker->reconnect_reason);
    breaker->reconnect_reason = NULL;
    if (!breaker->is_full || breaker->is_asking || now_ms < breaker->ask_again_ms)
        return;
    breaker->ask_again_ms = now_ms + ASK_MS;
    breaker->is_asking =
        redis_uv_command(breaker->redis, 2, question, NULL, on_length, breaker) ==
        ERR_OK; /* otherwise Redis is lost: once more, later */
}
