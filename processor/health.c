/* health.c -- see health.h. */
#include "processor/health.h"

#include <assert.h>
#include <stdio.h>

enum err_code health_init(struct health *health, struct err *err)
{
    *health = (struct health){0};
    if (pthread_mutex_init(&health->lock, NULL))
        return err_set(err, ERR_NOMEM, "could not make a mutex");
    return ERR_OK;
}

void health_release(struct health *health)
{
    (void)pthread_mutex_destroy(&health->lock); /* nobody holds it any more */
}

void health_set(struct health *health, size_t thread, enum health_server server,
                enum err_code code)
{
    assert(thread < HEALTH_THREADS_MAX);
    (void)pthread_mutex_lock(&health->lock);
    health->codes[thread][server] = code;
    (void)pthread_mutex_unlock(&health->lock);
}

static const char *complaint(enum err_code code)
{
    static const char *const texts[ERR_CODE_COUNT] = {
        [ERR_UNAVAILABLE] = "is not reachable",
        [ERR_TIMEOUT] = "does not answer in time",
        [ERR_BUSY] = "is busy",
        [ERR_READ_ONLY] = "is read-only",
        [ERR_DENIED] = "refuses the login or a privilege",
        [ERR_SCHEMA] = "does not have the right schema",
        [ERR_CONFIG] = "is not configured as it must be",
        [ERR_CORRUPT] = "has damaged data",
    };

    return texts[code] ? texts[code] : "refuses what it is asked";
}

bool health_is_ready(struct health *health, char *out, size_t size)
{
    static const char *const names[HEALTH_SERVERS] = {"Redis", "Postgres"};
    bool is_ready = true;

    (void)pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < HEALTH_THREADS_MAX && is_ready; i++) {
        for (size_t server = 0; server < HEALTH_SERVERS && is_ready; server++) {
            enum err_code code = health->codes[i][server];

            if (code == ERR_OK)
                continue;
            is_ready = false;
            (void)snprintf(out, size, "%s %s", names[server], complaint(code));
        }
    }
    (void)pthread_mutex_unlock(&health->lock);
    return is_ready;
}

enum metric_trouble health_trouble(struct health *health, enum health_server server)
{
    enum metric_trouble worst = METRIC_TROUBLE_NONE;

    (void)pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < HEALTH_THREADS_MAX; i++) {
        enum metric_trouble trouble = metric_trouble_of(health->codes[i][server]);

        if (trouble > worst)
            worst = trouble;
    }
    (void)pthread_mutex_unlock(&health->lock);
    return worst;
}
