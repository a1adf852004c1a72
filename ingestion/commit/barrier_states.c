/* barrier_states.c -- see barrier_states.h. */
#include "ingestion/commit/barrier_states.h"

#include <string.h>

#define TO(state) (1U << PUSH_##state)

/* The states that may follow each. */
static const unsigned follows[PUSH_STATES] = {
    [PUSH_SENT] = TO(REPLIED) | TO(HELD) | TO(TOLD), [PUSH_REPLIED] = TO(HELD),
    [PUSH_HELD] = TO(TRIED) | TO(COVERED),           [PUSH_TRIED] = TO(HELD),
    [PUSH_COVERED] = TO(HELD) | TO(TRIED),
};

bool push_may_become(enum push_state from, enum push_state to)
{
    return follows[from] & 1U << to;
}

static const enum question next[QUESTION_STATES][QUESTION_EVENTS] = {
    [QUESTION_QUIET] = {[QUESTION_ON_SENT] = QUESTION_ASKED,
                        [QUESTION_ON_ANSWER] = QUESTION_QUIET,
                        [QUESTION_ON_TURN] = QUESTION_TRIED,
                        [QUESTION_ON_FORGET] = QUESTION_QUIET},
    [QUESTION_ASKED] = {[QUESTION_ON_SENT] = QUESTION_ASKED,
                        [QUESTION_ON_ANSWER] = QUESTION_QUIET,
                        [QUESTION_ON_TURN] = QUESTION_TRIED_ASKED,
                        [QUESTION_ON_FORGET] = QUESTION_ASKED},
    [QUESTION_TRIED] = {[QUESTION_ON_SENT] = QUESTION_CHECKING,
                        [QUESTION_ON_ANSWER] = QUESTION_TRIED,
                        [QUESTION_ON_TURN] = QUESTION_TRIED,
                        [QUESTION_ON_FORGET] = QUESTION_QUIET},
    [QUESTION_TRIED_ASKED] = {[QUESTION_ON_SENT] = QUESTION_TRIED_ASKED,
                              [QUESTION_ON_ANSWER] = QUESTION_TRIED,
                              [QUESTION_ON_TURN] = QUESTION_TRIED_ASKED,
                              [QUESTION_ON_FORGET] = QUESTION_ASKED},
    [QUESTION_CHECKING] = {[QUESTION_ON_SENT] = QUESTION_CHECKING,
                           [QUESTION_ON_ANSWER] = QUESTION_QUIET,
                           [QUESTION_ON_TURN] = QUESTION_CHECKING,
                           [QUESTION_ON_FORGET] = QUESTION_ASKED},
};

enum question question_next(enum question now, enum question_event event)
{
    return next[now][event];
}

bool question_is_asked(enum question now)
{
    return now == QUESTION_ASKED || now == QUESTION_TRIED_ASKED ||
           now == QUESTION_CHECKING;
}

bool question_is_tried(enum question now)
{
    return now == QUESTION_TRIED || now == QUESTION_TRIED_ASKED ||
           now == QUESTION_CHECKING;
}

struct info_word info_read(const char *text)
{
    static const char pending[] = "aof_pending_bio_fsync:";
    static const char failed[] = "aof_last_write_status:err";
    const char *at = strstr(text, pending);

    if (!at)
        return (struct info_word){.is_pending = false};
    return (struct info_word){
        .is_pending = at[sizeof(pending) - 1] != '0',
        .has_failed = strstr(text, failed) != NULL,
    };
}

bool info_is_refused(const char *error)
{
    static const char may_not[] = "NOPERM";
    static const char cannot[] = "ERR unknown command";

    return strncmp(error, may_not, sizeof(may_not) - 1) == 0 ||
           strncmp(error, cannot, sizeof(cannot) - 1) == 0;
}
