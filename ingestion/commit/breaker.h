/* breaker.h -- whether Redis takes events at the moment.
 *
 *   CLOSED    connected, and the last group was confirmed: events flow
 *   LOST      not connected
 *   REFUSING  the last group got an error (MISCONF, READONLY, LOADING, ..., and OOM if it
 *             could not be made smaller, see fit.h), or the replies to the last groups were
 *             lost.  That lasts a moment; then the breaker is closed again, and the next
 *             group is the probe
 *   FULL      the list has reached QUEUE_MAX_EVENTS.  Every reply to an LPUSH tells the
 *             length; while it is too large it is asked for again and again
 *
 * A length is an observation: with several loops or processes the list ends up over the
 * cap by a group of each at most.  Belongs to one loop.
 */
#ifndef INGESTION_COMMIT_BREAKER_H
#define INGESTION_COMMIT_BREAKER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/log.h"

struct redis_uv;

enum breaker_state {
    BREAKER_CLOSED,
    BREAKER_LOST,
    BREAKER_REFUSING,
    BREAKER_FULL
};

struct breaker {
    struct redis_uv *redis; /* borrowed */
    int64_t max_events;     /* 0: no cap */
    int64_t lost_since_ms;  /* 0: connected when last looked at */
    int64_t refusing_until_ms;
    int64_t ask_again_ms;
    unsigned unknown; /* groups in a row whose reply was lost */
    bool is_full;
    bool is_asking;
    const char *complaint; /* static; of the last group that was refused; NULL: none was
                              since one was confirmed */
    int64_t complaint_ms;
    const char *reconnect_reason; /* to be done at the next tick; NULL: none */
    struct log_limit refusing_log;
    struct log_limit full_log;
};

/* redis must outlive the breaker's last use, and the breaker redis's last callback. */
void breaker_init(struct breaker *breaker, struct redis_uv *redis, int64_t max_events);

enum breaker_state breaker_poll(struct breaker *breaker, int64_t now_ms);

/* For how long Redis has not been connected. */
int64_t breaker_lost_ms(const struct breaker *breaker, int64_t now_ms);

/* Takes note of the reply to an LPUSH and says what it means: ERR_OK, the events are in
 * the list; ERR_TIMEOUT, nobody knows; anything else, Redis has refused them.  ERR_TOO_BIG:
 * memory is short; of that the caller may try to need less (is_divisible), and the breaker
 * stays closed. */
enum err_code breaker_note(struct breaker *breaker, const redisReply *reply,
                           bool is_divisible, int64_t now_ms);

/* Takes note of the list's length, wherever it was learnt. */
void breaker_note_length(struct breaker *breaker, int64_t length);

/* Whether the list has reached the cap, as far as is known. */
bool breaker_is_full(const struct breaker *breaker);

/* What was wrong with Redis, as the last group found it, when that is at most max_age_ms
 * ago: the words after "Redis".  NULL: nothing.  Static. */
const char *breaker_complaint(const struct breaker *breaker, int64_t max_age_ms);

/* Does what breaker_note() has found to be due: asks for the length, which is sent at the next
 * redis_uv_flush(), or connects anew.  Not from a callback of Redis. */
void breaker_tick(struct breaker *breaker, int64_t now_ms);

#endif
