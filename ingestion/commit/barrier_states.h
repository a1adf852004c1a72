/* barrier_states.h -- the two state machines of barrier.c, and how it reads an INFO.
 *
 * A push is a group on its way to Redis:
 *
 *   SENT --a number--> REPLIED --INFO: pending--> HELD --turn over--> TRIED
 *     |                                           |  ^ <--it failed---'
 *     +--a number, no INFO follows------------->--+  |
 *     |                                           v  | the append failed
 *     +--anything else--> TOLD                   COVERED
 *
 *   SENT     neither its reply nor the INFO after it has come
 *   REPLIED  Redis has the group; whether its file has it, the INFO will tell
 *   HELD     it may not be in the file yet
 *   TRIED    Redis has tried to write it; an INFO of a later turn tells how that ended
 *   COVERED  the stopgap is writing it down
 *   TOLD     its sender was told already; only the INFO is still to come
 *
 * A push whose fate is known is freed, from any of them.
 *
 * The question is what the barrier asks Redis for those that are HELD or TRIED, one INFO
 * at a time:
 *
 *   QUIET --sent--> ASKED --answer--> QUIET
 *     |turn           |turn
 *     v               v
 *   TRIED <-answer- TRIED_ASKED           (that answer is of before the turn)
 *     |sent
 *     v
 *   CHECKING --answer: how it ended--> QUIET
 *
 * A turn is the end of a turn of Redis's loop at which no fsync was under way, so that it
 * wrote, or tried to.  When nothing is left to wait for, or the connection is another one,
 * the tries are forgotten: TRIED becomes QUIET, TRIED_ASKED and CHECKING become ASKED.
 *
 * Pure.
 */
#ifndef INGESTION_COMMIT_BARRIER_STATES_H
#define INGESTION_COMMIT_BARRIER_STATES_H

#include <stdbool.h>

enum push_state {
    PUSH_SENT,
    PUSH_REPLIED,
    PUSH_HELD,
    PUSH_TRIED,
    PUSH_COVERED,
    PUSH_TOLD,
    PUSH_STATES
};

/* Whether there is such an arrow above. */
bool push_may_become(enum push_state from, enum push_state to);

enum question {
    QUESTION_QUIET,
    QUESTION_ASKED,
    QUESTION_TRIED,
    QUESTION_TRIED_ASKED,
    QUESTION_CHECKING,
    QUESTION_STATES
};

enum question_event {
    QUESTION_ON_SENT,
    QUESTION_ON_ANSWER, /* or the news that none will come */
    QUESTION_ON_TURN,
    QUESTION_ON_FORGET,
    QUESTION_EVENTS
};

/* The state that follows.  What cannot happen in a state (an answer that was not asked for,
 * a second INFO) leaves it as it is. */
enum question question_next(enum question now, enum question_event event);

/* Whether an INFO is on its way. */
bool question_is_asked(enum question now);

/* Whether Redis has tried to write what was held then. */
bool question_is_tried(enum question now);

/* What an INFO of the section persistence says.  Of a Redis that has no append-only file, or
 * may not tell, neither is true: it is believed. */
struct info_word {
    bool is_pending; /* an fsync is under way: writes are put off */
    bool has_failed; /* the last write did: Redis has kept the bytes and tries again */
};

/* text: the reply to INFO, NUL-terminated. */
struct info_word info_read(const char *text);

/* Whether an error reply to INFO means that Redis does not tell: the account may not ask, or
 * the command is renamed.  Any other is no answer to INFO. */
bool info_is_refused(const char *error);

#endif
