/* internal.h -- what committer.c, pending.c and send.c share; nobody else includes it.
 *
 *   committer.c   events in, the spool, deadlines, start and end
 *   pending.c     groups whose requests are answered, and what is counted of them
 *   send.c        groups to Redis, and its replies
 */
#ifndef INGESTION_COMMIT_INTERNAL_H
#define INGESTION_COMMIT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "ingestion/commit/committer.h"
#include "ingestion/commit/fit.h"
#include "ingestion/commit/group.h"
#include "ingestion/commit/linger.h"
#include "ingestion/metrics.h"

struct committer {
    struct committer_options options;
    uv_loop_t *loop; /* borrowed */
    uv_timer_t tick;
    uv_timer_t late; /* those who are gathered for have not come */
    uv_idle_t spin;  /* while active the loop looks again without sleeping */
    int64_t spin_until_us;
    int open_handles;
    struct group_linger linger;
    struct fit fit;
    struct group_list filling;  /* to be sent; only the last takes further events */
    struct group_list sent;     /* under way */
    struct group_list spooling; /* being written to the disk */
    struct group_pool spare;
    uint64_t groups_begun;
    int64_t in_flight;
    size_t pending_bytes; /* of the groups in the three lists, with their answers */
    size_t pending_events;
    size_t pending_requests;
    bool is_quiet; /* Redis and the spool may be gone */
    void (*on_stopped)(void *user);
    void *stopped_user;
};

static inline int64_t committer_now_ms(const struct committer *committer)
{
    return (int64_t)uv_now(committer->loop);
}

/* Whether there is a spool, and it is of use at the moment. */
bool committer_spool_works(const struct committer *committer);

/* --- pending.c --------------------------------------------------------------- */

/* Counts what a group has got (sign 1), or is about to lose (-1). */
void committer_count(struct committer *committer, const struct group *group, int sign);

/* --- of a group that stands in no list */

/* Puts a group away whose requests are all answered. */
void committer_retire(struct committer *committer, struct group *group);

/* The group is where nothing takes it away: answers 200, and puts it away. */
void committer_confirm(struct committer *committer, struct group *group,
                       struct metric *where);

/* Answers 503. */
void committer_refuse(struct committer *committer, struct group *group,
                      enum rejection why);

/* The same to all that wait to be sent, which are put away. */
void committer_refuse_waiting(struct committer *committer, enum rejection why);

/* The oldest group that waits to be sent, without the jobs that nobody waits for; NULL at
 * the end. */
struct group *committer_take_waiting(struct committer *committer);

/* Brings the gauges up to date. */
void committer_show_pending(const struct committer *committer);

/* --- send.c ------------------------------------------------------------------ */

/* Sends what waits, unless it lingers, as far as GROUPS_IN_FLIGHT lets it. */
void committer_send_groups(struct committer *committer);

#endif
