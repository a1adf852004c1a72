/* group.h -- events on their way together, and the requests that wait for them.
 *
 * A group keeps its jobs in the form in which Redis takes them, with room in front for the
 * head of the command: that holds the number of jobs and so is written last.  A request
 * waits for a range of jobs, one of POST /event for one, one of POST /batch for all that it
 * brought: they are stored together or not at all, so a group is only ever cut between two
 * ranges.  Requests are answered in the order of their deadlines, which is the order in which
 * they came.  The jobs of a group that the spool feeds have nobody who waits.
 *
 *   wire     head | job job | job | job job job job |
 *   waiters       |    0    |  1  |        2        |
 *
 * Knows nothing of Redis's state, of the spool or of the queue's limits: committer.c does.
 */
#ifndef INGESTION_COMMIT_GROUP_H
#define INGESTION_COMMIT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

struct http_request;

/* A request and its jobs in the group. */
struct waiter {
    struct http_request *req; /* held; NULL once it is answered */
    int64_t deadline_ms;
    int64_t taken_us; /* since when it waits */
    size_t offset;    /* of its first job in the group's wire */
    size_t jobs;
    char *answer;      /* owned; JSON for its 200; NULL: the plain one */
    size_t answer_len; /* still counted once it is answered */
};

struct group {
    TAILQ_ENTRY(group) entry;
    void *owner;            /* borrowed; for the callbacks of whoever sends the group */
    uint64_t number;        /* set by the owner: the older, the lower */
    struct buf wire;        /* room for the head, then the jobs */
    size_t count;           /* jobs */
    struct waiter *waiters; /* owned; in the order of their jobs */
    size_t waiter_count;
    size_t waiter_cap;
    size_t first_unanswered; /* waiters before it were answered 503 */
    size_t answer_bytes;     /* of the waiters' answers */
    int64_t sent_us;         /* when it was last sent */
};

/* An empty group for at most max_bytes of jobs.  NULL when out of memory. */
struct group *group_new(void *owner, size_t max_bytes) MUST_CHECK;

/* NULL is fine.  Nobody may wait in it any more. */
void group_free(struct group *group);

/* Forgets the jobs and keeps the memory.  Nobody may wait. */
void group_clear(struct group *group);

/* --- jobs ------------------------------------------------------------------- */

/* Appends a copy of the job.  On failure the group is unchanged.
 *
 * ERR_TOO_BIG  the group is full
 * ERR_NOMEM    try again later */
enum err_code group_add(struct group *group, const char *job, size_t len) MUST_CHECK;

/* The same for a job that is yet to be written: *ret_job is where its len bytes go, before
 * anything else is done with the group. */
enum err_code group_add_place(struct group *group, size_t len, char **ret_job) MUST_CHECK;

/* The end of a group at some moment: where the jobs of a request begin. */
struct group_mark {
    size_t count;
    size_t offset;
};

struct group_mark group_mark(const struct group *group);

/* Has the request wait for the jobs added since the mark, from now on.  Takes over the answer
 * (NULL: the plain 200), on success only.  ERR_NOMEM. */
enum err_code group_wait(struct group *group, struct group_mark mark,
                         const struct waiter *waiter) MUST_CHECK;

/* Takes the jobs since the mark back, for which nobody waits yet. */
void group_take_back(struct group *group, struct group_mark mark);

/* Moves them to the end of another group; on failure, as group_add(), neither is changed. */
enum err_code group_move(struct group *group, struct group_mark mark,
                         struct group *to) MUST_CHECK;

/* Takes the job at *offset (0 at first) and moves on; false at the end. */
bool group_next_job(const struct group *group, size_t *offset, const char **ret_job,
                    size_t *ret_len);

/* The group as one LPUSH. */
const char *group_command(struct group *group, size_t *ret_len);

/* The bytes of its jobs in that command; and with the answers, for whoever counts memory. */
size_t group_bytes(const struct group *group);
size_t group_memory(const struct group *group);

/* --- those who wait --------------------------------------------------------- */

/* Answers everyone who still waits: 200 or 503. */
void group_answer(struct group *group, bool is_stored);

/* Answers 503 to those whose time is up; returns how many jobs they waited for. */
size_t group_expire(struct group *group, int64_t now_ms);

/* The jobs for which somebody still waits. */
size_t group_awaited(const struct group *group);

/* True when everyone in it was answered, so that its jobs are of no use. */
bool group_is_expired(const struct group *group);

/* Leaves out the jobs whose requests were answered 503. */
void group_compact(struct group *group);

/* --- lists, from the oldest to the newest ----------------------------------- */

TAILQ_HEAD(group_list, group);

/* Puts a group back among those that were appended in the order of their numbers: before
 * every younger one. */
void group_list_put_back(struct group_list *list, struct group *group);

/* Takes the oldest; NULL when there is none. */
struct group *group_list_take(struct group_list *list);

/* --- empty groups, kept for their memory ------------------------------------ */

struct group_pool {
    struct group_list groups;
    size_t count;
    size_t max_bytes; /* of a group's jobs */
};

void group_pool_init(struct group_pool *pool, size_t max_bytes);
void group_pool_release(struct group_pool *pool);

/* An empty group; NULL when out of memory. */
struct group *group_pool_take(struct group_pool *pool, void *owner) MUST_CHECK;

/* Takes a group in which nobody waits. */
void group_pool_put(struct group_pool *pool, struct group *group);

/* Moves the first requests, as many as fit into max_bytes and one at least, with their jobs to
 * a group of the pool, which gets the same number.  None of them may have been answered:
 * group_compact().  NULL when out of memory; nothing was moved then. */
struct group *group_cut(struct group *group, size_t max_bytes,
                        struct group_pool *pool) MUST_CHECK;

#endif
