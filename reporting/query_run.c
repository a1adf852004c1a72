/* query_run.c -- see query_run.h. */
#include "reporting/query_run.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "shared/base/mem.h"

/* FNV-1a; a client that makes hashes collide only makes his own comparisons longer. */
static uint64_t hash_query(const struct pool_query *query)
{
    const struct statement *statement = statement_get(query->statement);
    uint64_t hash = 0xcbf29ce484222325U ^ query->statement;

    for (size_t i = 0; i < statement->value_count; i++) {
        const char *at = query->values[i];
        do {
            hash = (hash ^ (unsigned char)*at) * 0x100000001b3U;
        } while (*at++);
    }
    return hash;
}

static bool is_same(const struct pool_query *a, const struct pool_query *b)
{
    if (a->statement != b->statement)
        return false;
    for (size_t i = 0; i < statement_get(a->statement)->value_count; i++) {
        if (strcmp(a->values[i], b->values[i]) != 0)
            return false;
    }
    return true;
}

struct job *job_new(struct pool *pool, const struct pool_query *query)
{
    size_t count = statement_get(query->statement)->value_count;
    size_t size = 0;
    struct job *job;
    char *text;

    for (size_t i = 0; i < count; i++)
        size += strlen(query->values[i]) + 1;
    job = mem_calloc(1, sizeof(*job) + size);
    if (!job)
        return NULL;
    job->pool = pool;
    TAILQ_INIT(&job->waiters);
    job->hash = hash_query(query);
    job->query.statement = query->statement;
    text = job->text;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(query->values[i]) + 1;
        memcpy(text, query->values[i], len);
        job->query.values[i] = text;
        text += len;
    }
    return job;
}

void job_free(struct job *job)
{
    assert(!job || TAILQ_EMPTY(&job->waiters));
    mem_free(job);
}

struct job *job_find(const struct job_list *jobs, const struct pool_query *query)
{
    uint64_t hash = hash_query(query);
    struct job *job;

    TAILQ_FOREACH(job, jobs, next)
    {
        if (job->hash == hash && is_same(&job->query, query))
            return job;
    }
    return NULL;
}
