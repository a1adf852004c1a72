/* rebuild.c -- see rebuild.h. */
#include "processor/sites/rebuild.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "processor/sites/steps.h"
#include "shared/pg/conn.h"

enum {
    BEGINNINGS_MAX = 5, /* retention may remove events meanwhile: then it begins anew */
    PHASE_MAX = 16,
    NUMBER_MAX = 24,
};

/* The columns of site_rebuild_begin(). */
enum begun {
    NUMBER,
    EVENTS,
    KEPT,
    KEPT_FIRST,
    KEPT_LAST,
    KEPT_ZONE
};

struct rebuild {
    char number[NUMBER_MAX];
    int64_t events; /* about so many are to be counted */
    int64_t counted;
    char phase[PHASE_MAX];
};

static void tell_kept(const PGresult *result)
{
    if (pg_int_at(result, 0, KEPT) == 0)
        return;
    (void)printf(
        "%s days stay as they were counted, in the zone %s, for raw events of them "
        "have been removed: %s to %s\n",
        PQgetvalue(result, 0, KEPT), PQgetvalue(result, 0, KEPT_ZONE),
        PQgetvalue(result, 0, KEPT_FIRST), PQgetvalue(result, 0, KEPT_LAST));
}

static enum err_code begin(struct steps *steps, const char *site, const char *zone,
                           struct rebuild *rebuild, bool tells, struct err *err)
{
    const char *values[] = {site, zone};
    PGresult *result = NULL;
    enum err_code code =
        pg_conn_exec(steps->conn,
                     "SELECT number, events, kept, kept_first, kept_last, kept_zone "
                     "FROM site_rebuild_begin($1, $2)",
                     2, values, steps->timeout_ms, &result, err);

    if (code)
        return code;
    if (PQgetisnull(result, 0, NUMBER)) {
        code = err_set(err, ERR_NOT_FOUND, "there is no site \"%.100s\"", site);
    } else {
        *rebuild = (struct rebuild){.events = pg_int_at(result, 0, EVENTS)};
        (void)snprintf(rebuild->number, sizeof(rebuild->number), "%s",
                       PQgetvalue(result, 0, NUMBER));
        if (tells)
            tell_kept(result);
    }
    PQclear(result);
    return code;
}

static enum err_code step(struct steps *steps, struct rebuild *rebuild, struct err *err)
{
    const char *values[] = {rebuild->number, NULL};
    PGresult *result = NULL;
    enum err_code code =
        steps_run(steps, "SELECT phase, counted FROM site_rebuild_step($1, $2)", 2,
                  values, &result, err);

    if (code)
        return code;
    (void)snprintf(rebuild->phase, sizeof(rebuild->phase), "%s",
                   PQgetvalue(result, 0, 0));
    rebuild->counted = pg_int_at(result, 0, 1);
    PQclear(result);
    return ERR_OK;
}

static bool is_in(const struct rebuild *rebuild, const char *phase)
{
    return strcmp(rebuild->phase, phase) == 0;
}

static enum err_code run(struct steps *steps, struct rebuild *rebuild, struct err *err)
{
    enum err_code code = ERR_OK;

    do {
        code = step(steps, rebuild, err);
        if (code)
            return code;
        steps_tell(steps, is_in(rebuild, "copy") ? "copies old days; counted" : "counted",
                   rebuild->counted, rebuild->events);
        /* Gone: another rebuild has taken the number.  Stale: retention has removed events that
         * were to be counted, so the days that stay are others now. */
    } while (!is_in(rebuild, "done") && !is_in(rebuild, "gone") &&
             !is_in(rebuild, "stale"));
    steps_end_line(steps);
    return ERR_OK;
}

enum err_code rebuild_site(struct steps *steps, const char *site, const char *zone,
                           struct err *err)
{
    struct rebuild rebuild = {.events = 0};
    enum err_code code = ERR_OK;

    for (int i = 0; i < BEGINNINGS_MAX; i++) {
        code = begin(steps, site, zone, &rebuild, i == 0, err);
        if (!code)
            code = run(steps, &rebuild, err);
        if (code || !is_in(&rebuild, "stale"))
            break;
        (void)printf("old events were removed meanwhile: it begins anew\n");
    }
    if (code)
        return code;
    if (is_in(&rebuild, "gone"))
        return err_set(err, ERR_BUSY,
                       "another command has begun to count \"%.100s\" anew, or the site "
                       "was deleted; this one has changed nothing",
                       site);
    if (!is_in(&rebuild, "done"))
        return err_set(err, ERR_BUSY,
                       "old events are removed all the while; run it again later");
    (void)printf("counted %lld events anew\n", (long long)rebuild.counted);
    return ERR_OK;
}

enum err_code rebuild_sweep(struct steps *steps, struct err *err)
{
    const char *values[] = {NULL};
    int64_t deleted = 0;
    bool is_done = false;

    while (!is_done) {
        PGresult *result = NULL;
        enum err_code code =
            steps_run(steps, "SELECT deleted, is_done FROM site_sweep($1)", 1, values,
                      &result, err);

        if (code)
            return code;
        deleted += pg_int_at(result, 0, 0);
        is_done = PQgetvalue(result, 0, 1)[0] == 't';
        PQclear(result);
        steps_tell(steps, "deleted old counts:", deleted, 0);
    }
    steps_end_line(steps);
    return ERR_OK;
}
