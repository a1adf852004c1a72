/* retry.c -- see retry.h. */
#include "processor/retry.h"

#include <string.h>

#include "shared/text/uuid.h"

/* splitmix64: enough for jitter, and repeatable in a test. */
static uint64_t draw(struct retry *retry)
{
    uint64_t value;

    retry->seed += UINT64_C(0x9e3779b97f4a7c15);
    value = retry->seed;
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t retry_seed(void)
{
    struct uuid random = uuid_v7();
    uint64_t seed;

    memcpy(&seed, random.bytes + 8, sizeof(seed)); /* before it stands the time */
    return seed;
}

void retry_init(struct retry *retry, int64_t base_ms, int64_t max_ms, uint64_t seed)
{
    *retry = (struct retry){.base_ms = base_ms, .max_ms = max_ms, .seed = seed};
}

static int64_t ceiling_ms(const struct retry *retry)
{
    int64_t ceiling = retry->base_ms;

    for (unsigned i = 0; i < retry->tries && ceiling < retry->max_ms; i++)
        ceiling *= 2;
    return ceiling < retry->max_ms ? ceiling : retry->max_ms;
}

int64_t retry_next_ms(struct retry *retry)
{
    int64_t ceiling = ceiling_ms(retry);

    if (retry->tries < UINT32_MAX)
        retry->tries++;
    return 1 + (int64_t)(draw(retry) % (uint64_t)ceiling);
}

void retry_clear(struct retry *retry)
{
    retry->tries = 0;
}

int64_t retry_around_ms(struct retry *retry, int64_t ms)
{
    return ms - (int64_t)(draw(retry) % (uint64_t)(ms / 2 + 1));
}
