/* group.h -- events on their way together, and the requests that wait for them.
 *
 * A group keeps its jobs in the form in which Redis takes them, with room in front for the
 * head of the command: that holds the number of jobs and so is written last.  A job may
 * have a request that waits for it; requests are answered in the order of their deadlines,
 * which is the order in which they came.
 *
 * Knows nothing of Redis's state, of the spool or of the queue's limits: committer.c does.
 */
#ifndef INGESTION_COMMIT_GROUP_H
#define INGESTION_COMMIT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/err.h"

struct http_request;

/* A request and its job in the group. */
struct waiter {
    struct http_request *req; /* held; NULL once it is answered */
    int64_t deadline_ms;
    size_t offset;    /* of the job in the group's wire */
    int64_t taken_us; /* since when it waits */
};

struct group {
    struct group *next;
    void *owner;             /* borrowed; for the callbacks of whoever sends the group */
    uint64_t number;         /* set by the owner: the older, the lower */
    struct buf wire;         /* room for the head, then the jobs */
    struct waiter *waiters;  /* owned; of the jobs, in their order */
    size_t count;            /* jobs */
    size_t cap;              /* room for waiters */
    size_t first_unanswered; /* waiters before it were answered 503 */
    int64_t sent_us;         /* when it was last sent */
};

/* An empty group for at most max_bytes of jobs.  NULL when out of memory. */
struct group *group_new(void *owner, size_t max_bytes) MUST_CHECK;

/* NULL is fine.  Nobody may wait in it any more. */
void group_free(struct group *group);

/* Forgets the jobs and keeps the memory. */
void group_clear(struct group *group);

/* Appends a copy of the job.  With a request, that waits for it from now on; without
 * (NULL) the whole group has none.  On failure the group is unchanged.
 *
 * ERR_TOO_BIG  the group is full
 * ERR_NOMEM    try again later */
enum err_code group_add(struct group *group, const char *job, size_t len,
                        struct http_request *req, int64_t deadline_ms) MUST_CHECK;

/* The same for a job that is yet to be written: *ret_job is where its len bytes go, before
 * anything else is done with the group. */
enum err_code group_add_place(struct group *group, size_t len, struct http_request *req,
                              int64_t deadline_ms, char **ret_job) MUST_CHECK;

/* Answers everyone who still waits: 200 or 503. */
void group_answer(struct group *group, bool is_stored);

/* Answers 503 to those whose time is up. */
void group_expire(struct group *group, int64_t now_ms);

/* True when everyone in it was answered, so that its jobs are of no use. */
bool group_is_expired(const struct group *group);

/* Leaves out the jobs whose requests were answered 503; returns their bytes. */
size_t group_compact(struct group *group);

/* Takes the job at *offset (0 at first) and moves on; false at the end. */
bool group_next_job(const struct group *group, size_t *offset, const char **ret_job,
                    size_t *ret_len);

/* The group as one LPUSH. */
const char *group_command(struct group *group, size_t *ret_len);

/* The bytes of its jobs in that command, for whoever counts memory. */
size_t group_bytes(const struct group *group);

/* --- empty groups, kept for their memory ------------------------------------ */

struct group_pool {
    struct group *first;
    size_t count;
    size_t max_bytes; /* of a group's jobs */
};

/* An empty group; NULL when out of memory. */
struct group *group_pool_take(struct group_pool *pool, void *owner) MUST_CHECK;

/* Takes a group in which nobody waits. */
void group_pool_put(struct group_pool *pool, struct group *group);
void group_pool_release(struct group_pool *pool);

/* Moves the first jobs, as many as fit into max_bytes and one at least, and those who wait for
 * them to a group of the pool, which gets the same number.  No request may have been answered:
 * group_compact().  NULL when out of memory; nothing was moved then. */
struct group *group_cut(struct group *group, size_t max_bytes,
                        struct group_pool *pool) MUST_CHECK;

/* --- lists, from the oldest to the newest ----------------------------------- */

struct group_list {
    struct group *first;
    struct group *last;
};

void group_list_append(struct group_list *list, struct group *group);

/* Puts a group back among those that were appended in the order of their numbers: before
 * every younger one. */
void group_list_put_back(struct group_list *list, struct group *group);

/* Takes the oldest; NULL when there is none. */
struct group *group_list_take(struct group_list *list);

/* Takes out a group that is in the list. */
void group_list_remove(struct group_list *list, struct group *group);

#endif
