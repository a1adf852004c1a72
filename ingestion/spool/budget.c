/* budget.c -- see budget.h. */
#include "ingestion/spool/budget.h"

enum err_code spool_budget_init(struct spool_budget *budget, int64_t max_bytes)
{
    *budget = (struct spool_budget){.max_bytes = max_bytes};
    return uv_mutex_init(&budget->lock) == 0 ? ERR_OK : ERR_NOMEM;
}

void spool_budget_destroy(struct spool_budget *budget)
{
    uv_mutex_destroy(&budget->lock);
}

bool spool_budget_begin(struct spool_budget *budget, int64_t bytes)
{
    bool fits;

    uv_mutex_lock(&budget->lock);
    fits = bytes <= 0 || budget->used <= budget->max_bytes - bytes;
    if (fits) {
        budget->used += bytes;
        budget->changes++;
        budget->under_way++;
    }
    uv_mutex_unlock(&budget->lock);
    return fits;
}

void spool_budget_end(struct spool_budget *budget, int64_t difference)
{
    uv_mutex_lock(&budget->lock);
    budget->used += difference;
    budget->changes++;
    budget->under_way--;
    uv_mutex_unlock(&budget->lock);
}

uint64_t spool_budget_changes(struct spool_budget *budget)
{
    uint64_t changes;

    uv_mutex_lock(&budget->lock);
    changes = budget->changes;
    uv_mutex_unlock(&budget->lock);
    return changes;
}

void spool_budget_correct(struct spool_budget *budget, uint64_t changes_before,
                          int64_t found)
{
    uv_mutex_lock(&budget->lock);
    if (budget->under_way == 0 && budget->changes == changes_before)
        budget->used = found;
    uv_mutex_unlock(&budget->lock);
}

int64_t spool_budget_used(struct spool_budget *budget)
{
    int64_t used;

    uv_mutex_lock(&budget->lock);
    used = budget->used;
    uv_mutex_unlock(&budget->lock);
    return used;
}

int64_t spool_budget_room(struct spool_budget *budget)
{
    int64_t used = spool_budget_used(budget);

    return used < budget->max_bytes ? budget->max_bytes - used : 0;
}
