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

void gate_init(struct gate *gate, struct redis_uv *redis, int64_t max_events)
{
    *gate = (struct gate){.redis = redis, .max_events = max_events};
}

enum gate_state gate_look(struct gate *gate, int64_t now_ms)
{
    bool is_lost = !redis_uv_is_ready(gate->redis);

    if (!is_lost)
        gate->lost_since_ms = 0;
    else if (gate->lost_since_ms == 0)
        gate->lost_since_ms = now_ms;
    if (now_ms < gate->refusing_until_ms)
        return GATE_REFUSING; /* also while connecting to where the primary may be now */
    if (is_lost)
        return GATE_LOST;
    return gate->is_full ? GATE_FULL : GATE_OPEN;
}

int64_t gate_lost_ms(const struct gate *gate, int64_t now_ms)
{
    return gate->lost_since_ms ? now_ms - gate->lost_since_ms : 0;
}

void gate_note_length(struct gate *gate, int64_t length)
{
    bool was_full = gate->is_full;
    int64_t suppressed;

    gate->is_full = gate->max_events > 0 && length >= gate->max_events;
    if (!gate->is_full || was_full)
        return;
    gate->ask_again_ms = clock_mono_ms() + ASK_MS;
    if (log_gate_open(&gate->full_log, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "the queue has reached its cap",
                 LOG_FIELDS(log_int("events", length), log_int("cap", gate->max_events),
                            log_int("suppressed", suppressed)));
}

bool gate_is_full(const struct gate *gate)
{
    return gate->is_full;
}

const char *gate_complaint(const struct gate *gate, int64_t max_age_ms)
{
    return clock_mono_ms() - gate->complaint_ms <= max_age_ms ? gate->complaint : NULL;
}

static void complain(struct gate *gate, const char *complaint)
{
    gate->complaint = complaint;
    gate->complaint_ms = clock_mono_ms();
}

static void note_refusal(struct gate *gate, const struct err *err, int64_t now_ms)
{
    int64_t suppressed;

    gate->refusing_until_ms = now_ms + REFUSING_MS;
    if (log_gate_open(&gate->refusing_log, LOG_EVERY_MS, &suppressed))
        log_line(
            LOG_WARN, "Redis does not take events",
            LOG_FIELDS(log_text("reason", err->msg), log_int("suppressed", suppressed)));
}

enum err_code gate_note(struct gate *gate, const redisReply *reply, bool is_divisible,
                        int64_t now_ms)
{
    struct err err;
    bool is_memory;

    if (!reply) {
        if (++gate->unknown >= UNKNOWN_MAX) {
            gate->refusing_until_ms = now_ms + REFUSING_MS;
            complain(gate, "does not confirm events");
        }
        return ERR_TIMEOUT;
    }
    gate->unknown = 0;
    if (reply->type == REDIS_REPLY_INTEGER) {
        gate->refusing_until_ms = 0;
        gate->complaint = NULL;
        gate_note_length(gate, reply->integer);
        return ERR_OK;
    }
    is_memory = redis_err_is_memory(reply);
    if (is_memory && is_divisible)
        return ERR_TOO_BIG;
    if (redis_err_of_reply(reply, "LPUSH", &err) != ERR_OK) {
        complain(gate, redis_err_complaint(reply));
    } else {
        complain(gate, "answers out of step");
        (void)err_set(&err, ERR_BUG, "Redis answered LPUSH with something odd");
        gate->reconnect_reason = "the answers of Redis are out of step";
    }
    note_refusal(gate, &err, now_ms);
    if (err.code == ERR_READ_ONLY)
        gate->reconnect_reason = "Redis has become a read-only replica";
    return is_memory ? ERR_TOO_BIG : err.code;
}

static void on_length(redisReply *reply, void *user)
{
    struct gate *gate = user;

    gate->is_asking = false;
    if (!reply)
        return; /* lost: asked again when it is back */
    /* An error is for the next group to meet. */
    gate->is_full =
        reply->type == REDIS_REPLY_INTEGER && reply->integer >= gate->max_events;
}

void gate_tick(struct gate *gate, int64_t now_ms)
{
    static const char *question[] = {"LLEN", KEY_QUEUE};

    /* Perhaps to the new primary; and a connection on which one answer was not what was
     * asked for may be behind with all of them.  Not at once: whoever waits for a reply is
     * told that there will be none, and may be in the middle of taking this one. */
    if (gate->reconnect_reason)
        redis_uv_reconnect(gate->redis, gate->reconnect_reason);
    gate->reconnect_reason = NULL;
    if (!gate->is_full || gate->is_asking || now_ms < gate->ask_again_ms)
        return;
    gate->ask_again_ms = now_ms + ASK_MS;
    gate->is_asking = redis_uv_command(gate->redis, 2, question, NULL, on_length, gate) ==
                      ERR_OK; /* otherwise Redis is lost: once more, later */
}
