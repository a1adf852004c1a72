/* query_run.c -- see query_run.h. */
#include "reporting/query_run.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "shared/base/mem.h"

/* FNV-1a; a client that makes hashes collide only makes his own comparisons longer. */
static uint64_t hash_query(const struct question *query)
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

static bool is_same(const struct question *a, const struct question *b)
{
    if (a->statement != b->statement)
        return false;
    for (size_t i = 0; i < statement_get(a->statement)->value_count; i++) {
        if (strcmp(a->values[i], b->values[i]) != 0)
            return false;
    }
    return true;
}

struct query_run *query_run_new(struct pool *pool, const struct question *query)
{
    size_t count = statement_get(query->statement)->value_count;
    size_t size = 0;
    struct query_run *run;
    char *text;

    for (size_t i = 0; i < count; i++)
        size += strlen(query->values[i]) + 1;
    run = mem_calloc(1, sizeof(*run) + size);
    if (!run)
        return NULL;
    run->pool = pool;
    TAILQ_INIT(&run->waiters);
    run->hash = hash_query(query);
    run->query.statement = query->statement;
    text = run->text;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(query->values[i]) + 1;
        memcpy(text, query->values[i], len);
        run->query.values[i] = text;
        text += len;
    }
    return run;
}

void query_run_free(struct query_run *run)
{
    assert(!run || TAILQ_EMPTY(&run->waiters));
    mem_free(run);
}

struct query_run *query_run_find(const struct query_run_list *runs,
                                 const struct question *query)
{
    uint64_t hash = hash_query(query);
    struct query_run *run;

    TAILQ_FOREACH(run, runs, next)
    {
        if (run->hash == hash && is_same(&run->query, query))
            return run;
    }
    return NULL;
}
