/* query_run.h -- one query to be run, and everyone who waits for its answer.
 *
 * A value of the pool: it knows nothing of connections.  Askers stand in the order of
 * their arrival, in their job's list and in the pool's list of deadlines.
 */
#ifndef REPORTING_QUERY_RUN_H
#define REPORTING_QUERY_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "reporting/pool.h"

struct job;
struct link;

struct waiter {
    struct pool_asker asker;
    int64_t deadline_ms;
    struct job *job;             /* borrowed */
    TAILQ_ENTRY(waiter) in_job;  /* of those with the same job */
    TAILQ_ENTRY(waiter) in_pool; /* of all, by deadline */
};

TAILQ_HEAD(waiter_list, waiter);
TAILQ_HEAD(job_list, job);

struct job {
    struct pool *pool; /* borrowed */
    struct waiter_list waiters;
    TAILQ_ENTRY(job) next; /* of those WAITING, or of those SENT */
    bool is_waiting;       /* in the former */
    struct link *link;     /* SENT on it, borrowed; else NULL */
    int64_t lost_us;       /* when its connection was lost; 0: never */
    int64_t sent_us;       /* when it was sent last */
    uint64_t hash;         /* of the query: most comparisons end there */
    struct pool_query query;
    char text[]; /* the values */
};

/* Copies the query.  NULL when out of memory. */
struct job *job_new(struct pool *pool, const struct pool_query *query) MUST_CHECK;

/* Only when nobody waits for it.  NULL is fine. */
void job_free(struct job *job);

/* Finds the job in a list that has the same query, or NULL. */
struct job *job_find(const struct job_list *jobs, const struct pool_query *query);

#endif
