/* pace.c -- see pace.h. */
#include "processor/rollup/pace.h"

#include "processor/rollup/rollup.h"

void pace_init(struct pace *pace, int64_t pause_times, int64_t lag_max_ms,
               int64_t batch_pause_ms, int64_t now_ms)
{
    int64_t pauses_ms = 2 * batch_pause_ms;

    *pace = (struct pace){
        .pause_times = pause_times,
        .lag_max_ms = lag_max_ms,
        .quiet_ms = pauses_ms > PACE_QUIET_MS ? pauses_ms : PACE_QUIET_MS,
        .saved_ms = PACE_SAVED_MAX_MS,
        .saved_now_ms = now_ms,
    };
}

int64_t pace_pause_ms(const struct pace *pace, const struct rollup_state *state)
{
    /* A row that just misses this chunk waits for the pause and for the next chunk. */
    int64_t longest_ms = pace->lag_max_ms - 2 * state->took_ms;
    int64_t pause_ms = pace->pause_times * state->took_ms;

    if (pause_ms > longest_ms)
        pause_ms = longest_ms;
    pause_ms -= state->rested_ms;
    if (state->rested_ms < 0) /* the wall clock went back: the next chunk starts anew */
        pause_ms = 0;
    return pause_ms > 0 ? pause_ms : 0;
}

bool pace_is_quiet(struct pace *pace, int64_t waiting, int64_t now_ms)
{
    if (pace->quiet_waiting != waiting) {
        pace->quiet_waiting = waiting;
        pace->quiet_since_ms = now_ms;
    }
    return now_ms - pace->quiet_since_ms >= pace->quiet_ms;
}

bool pace_has_saved(struct pace *pace, int64_t now_ms)
{
    int64_t saved_ms = pace->saved_ms + now_ms - pace->saved_now_ms;

    pace->saved_ms = saved_ms < PACE_SAVED_MAX_MS ? saved_ms : PACE_SAVED_MAX_MS;
    pace->saved_now_ms = now_ms;
    return saved_ms > 0;
}

void pace_spend(struct pace *pace, int64_t took_us)
{
    int64_t pause_ms = pace->pause_times * took_us / 1000;

    pace->saved_ms = pause_ms < pace->saved_ms ? pace->saved_ms - pause_ms : 0;
}

struct pace_decision pace_decide(struct pace *pace, const struct rollup_state *state,
                                 int64_t full_rows, int64_t now_ms)
{
    bool has_saved = pace_has_saved(pace, now_ms);
    bool is_quiet = pace_is_quiet(pace, state->waiting, now_ms);
    int64_t pause_ms = pace_pause_ms(pace, state);
    bool may_probe = is_quiet || (has_saved && state->waiting <= PACE_FEW_ROWS);

    if (state->waiting <= 0)
        return (struct pace_decision){.step = PACE_WAIT};
    if (pause_ms == 0 || state->waiting >= full_rows)
        return (struct pace_decision){.step = PACE_CHUNK};
    return (struct pace_decision){
        .step = may_probe ? PACE_PROBE : PACE_PAUSE,
        .pause_ms = pause_ms < PACE_QUIET_MS ? pause_ms : PACE_QUIET_MS,
    };
}
