/* pace.h -- when the next chunk of the roll-up is taken.
 *
 * A chunk costs nearly the same for few rows as for many, so under load the roll-up pauses
 * several times as long as a chunk took, though never so long that /stats lags by more than
 * a limit.  A pause leaves the machine to the writers: it is left out when there
 * are none, and for a few rows when there were long pauses before they came, so that a
 * client that sends one event at a time sees each at once.
 *
 *   nothing waits                          -> PACE_WAIT    for rows
 *   a pause is due, somebody may be writing -> PACE_PAUSE   for a moment
 *   a pause is due and may be left out      -> PACE_PROBE   take it if no writer is under way
 *   no pause is due, or a full chunk waits  -> PACE_CHUNK   take it
 *
 * Pure: the times are the caller's.
 */
#ifndef PROCESSOR_ROLLUP_PACE_H
#define PROCESSOR_ROLLUP_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct rollup_state;

enum {
    PACE_SAVED_MAX_MS = 30000,
    PACE_QUIET_MS = 25, /* without new rows nobody is writing; the longest single pause */
    PACE_FEW_ROWS = 4,  /* for which the pause may have been saved up */
};

struct pace {
    int64_t pause_times; /* a pause is so many times as long as a chunk took */
    int64_t lag_max_ms;  /* but not so long that /stats lags by more */
    int64_t quiet_ms;    /* without new rows: nobody is writing */
    /* What successive calls were given. */
    int64_t quiet_waiting; /* the same number of rows since then */
    int64_t quiet_since_ms;
    /* Pauses in advance: time without chunks that no pause was due in. */
    int64_t saved_ms;
    int64_t saved_now_ms; /* counted up to then */
};

enum pace_step {
    PACE_WAIT,
    PACE_PAUSE,
    PACE_PROBE,
    PACE_CHUNK
};

struct pace_decision {
    enum pace_step step;
    int64_t pause_ms; /* of PACE_PAUSE, and of a PACE_PROBE that found a writer */
};

/* batch_pause_ms: how long a worker pauses between batches, which is no sign that nobody is
 * writing. */
void pace_init(struct pace *pace, int64_t pause_times, int64_t lag_max_ms,
               int64_t batch_pause_ms, int64_t now_ms);

/* To be asked at each poll.  full_rows: what a chunk takes at most. */
struct pace_decision pace_decide(struct pace *pace, const struct rollup_state *state,
                                 int64_t full_rows, int64_t now_ms);

/* Takes note of a chunk that took took_us. */
void pace_spend(struct pace *pace, int64_t took_us);

/* The parts of a decision, for their tests: how long a pause is still due; whether no row
 * was begun for quiet_ms; whether there is time saved up. */
int64_t pace_pause_ms(const struct pace *pace, const struct rollup_state *state);
bool pace_is_quiet(struct pace *pace, int64_t waiting, int64_t now_ms);
bool pace_has_saved(struct pace *pace, int64_t now_ms);

#endif
