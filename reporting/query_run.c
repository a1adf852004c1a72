/* query_run.c -- see query_run.h. */
#include "reporting/query_run.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "shared/base/fnv.h"
#include "shared/base/mem.h"

/* A client that makes hashes collide only makes his own comparisons longer. */
static uint64_t hash_query(const struct question *query)
{
    size_t count = report_get(query->statement)->value_count;
    uint64_t hash = FNV_START ^ query->statement;

    for (size_t i = 0; i < count; i++) {
        const struct ask_text *value = &query->values[i];
        hash = fnv_bytes(hash, value->bytes, value->len);
        hash = fnv_byte(hash, 0); /* where it ends */
    }
    return hash;
}

static bool is_same_value(const struct ask_text *a, const struct ask_text *b)
{
    if (!a->bytes || !b->bytes)
        return a->bytes == b->bytes;
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool is_same(const struct question *a, const struct question *b)
{
    if (a->statement != b->statement)
        return false;
    for (size_t i = 0; i < report_get(a->statement)->value_count; i++) {
        if (!is_same_value(&a->values[i], &b->values[i]))
            return false;
    }
    return true;
}

static size_t size_of(const struct ask_text *value)
{
    return value->bytes ? value->len + 1 : 0;
}

struct query_run *query_run_new(struct pool *pool, const struct question *query)
{
    size_t count = report_get(query->statement)->value_count;
    size_t size = 0;
    struct query_run *run;
    char *text;

    for (size_t i = 0; i < count; i++)
        size += size_of(&query->values[i]);
    run = mem_calloc(1, sizeof(*run) + size);
    if (!run)
        return NULL;
    run->pool = pool;
    TAILQ_INIT(&run->waiters);
    run->hash = hash_query(query);
    run->query.statement = query->statement;
    text = run->text;
    for (size_t i = 0; i < count; i++) {
        size_t len = size_of(&query->values[i]);
        if (len == 0)
            continue; /* null */
        memcpy(text, query->values[i].bytes, len);
        run->query.values[i] = (struct ask_text){.bytes = text, .len = len - 1};
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

    TAILQ_FOREACH (run, runs, next) {
        if (run->hash == hash && is_same(&run->query, query))
            return run;
    }
    return NULL;
}

/* Most are the last; who asks his second question is a little before. */
void query_run_add_deadline(struct waiter_list *deadlines, struct waiter *waiter)
{
    struct waiter *before = TAILQ_LAST(deadlines, waiter_list);

    while (before && before->deadline_ms > waiter->deadline_ms)
        before = TAILQ_PREV(before, waiter_list, in_pool);
    if (before)
        TAILQ_INSERT_AFTER(deadlines, before, waiter, in_pool);
    else
        TAILQ_INSERT_HEAD(deadlines, waiter, in_pool);
}

bool query_run_is_long(const struct query_run *run)
{
    switch ((int)run->query.statement) {
    case STATEMENT_BREAKDOWN:
    case STATEMENT_AGGREGATE_FILTERED:
    case STATEMENT_TIMESERIES_FILTERED:
    case STATEMENT_SITES:
        return true;
    default:
        return false;
    }
}

bool query_run_gives_way(const struct query_run *run, const struct query_run_list *sent,
                         size_t links)
{
    const struct query_run *other;
    size_t count = 0;

    if (links < 2 || !query_run_is_long(run))
        return false;
    TAILQ_FOREACH (other, sent, next)
        count += query_run_is_long(other);
    return count >= links - 1;
}
