/* query_run.h -- one query to be run, and everyone who waits for its answer.
 *
 * A value of the pool: it knows nothing of connections.  Askers stand in the order of
 * their arrival, in their run's list and in the pool's list of deadlines.
 */
#ifndef REPORTING_QUERY_RUN_H
#define REPORTING_QUERY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "reporting/question.h"

struct query_run;
struct pg_link;
struct pool;

struct waiter {
    struct asker asker;
    int64_t deadline_ms;
    struct query_run *run;       /* borrowed */
    TAILQ_ENTRY(waiter) in_run;  /* of those with the same run */
    TAILQ_ENTRY(waiter) in_pool; /* of all, by deadline */
};

TAILQ_HEAD(waiter_list, waiter);
TAILQ_HEAD(query_run_list, query_run);

struct query_run {
    struct pool *pool; /* borrowed */
    struct waiter_list waiters;
    TAILQ_ENTRY(query_run) next; /* of those WAITING, or of those SENT */
    bool is_waiting;             /* in the former */
    struct pg_link *link;        /* SENT on it, borrowed; else NULL */
    int64_t lost_us;             /* when its connection was lost; 0: never */
    int64_t sent_us;             /* when it was sent last */
    uint64_t hash;               /* of the query: most comparisons end there */
    struct question query;
    char text[]; /* the values */
};

/* Copies the query.  NULL when out of memory. */
struct query_run *query_run_new(struct pool *pool,
                                const struct question *query) MUST_CHECK;

/* Adds a waiter to those of a pool, after who has to be answered before it. */
void query_run_add_deadline(struct waiter_list *deadlines, struct waiter *waiter);

/* Only when nobody waits for it.  NULL is fine. */
void query_run_free(struct query_run *run);

/* Finds the run in a list that has the same query, or NULL. */
struct query_run *query_run_find(const struct query_run_list *runs,
                                 const struct question *query);

/* Whether it reads the counts of many values, which may take long. */
bool query_run_is_long(const struct query_run *run);

/* Whether such a run has to leave the last of the links to those that are quick. */
bool query_run_gives_way(const struct query_run *run, const struct query_run_list *sent,
                         size_t links);

#endif
