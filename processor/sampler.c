/* sampler.c -- see sampler.h. */
#include "processor/sampler.h"

#include "processor/conf.h"
#include "processor/lifecycle.h"
#include "processor/queue/redis_setup.h"
#include "shared/base/clock.h"
#include "shared/event/event.h"
#include "shared/redis/conn.h"
#include "shared/redis/keys.h"

enum {
    TURN_MS = 1000,
    TIMEOUT_MAX_MS = 1000, /* or it would hold up the end of the daemon */
    REPLIES = 3,
};

enum err_code sampler_init(struct sampler *sampler, const struct processor_conf *conf,
                           struct err *err)
{
    int64_t timeout_ms = conf->redis.timeout_ms;

    sampler->salts.interval_ms = conf->salts_poll_ms;
    sampler->timeout_ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
    sampler->parser = event_parser_new();
    if (!sampler->parser)
        return err_set(err, ERR_NOMEM, "out of memory");
    process_stats_init(&sampler->metrics.process);
    return ERR_OK;
}

static void disconnect(struct sampler *sampler)
{
    if (sampler->context)
        redisFree(sampler->context);
    sampler->context = NULL;
}

void sampler_release(struct sampler *sampler)
{
    disconnect(sampler);
    event_parser_free(sampler->parser);
}

/* --- the queue ---------------------------------------------------------------- */

/* How long ago the job came; 0 when it does not say so. */
static int64_t age_of(struct sampler *sampler, const redisReply *job)
{
    struct event event = {.received_at_ms = 0};
    struct err ignored;
    int64_t age_ms;

    if (job->type != REDIS_REPLY_STRING ||
        event_parse_job(sampler->parser, job->str, job->len, &event, &ignored) ||
        event.received_at_ms == 0)
        return 0;
    age_ms = clock_wall_ms() - event.received_at_ms;
    return age_ms > 0 ? age_ms : 0;
}

static bool is_as_expected(redisReply *const replies[REPLIES])
{
    return replies[0]->type == REDIS_REPLY_INTEGER &&
           replies[1]->type == REDIS_REPLY_INTEGER &&
           (replies[2]->type == REDIS_REPLY_STRING ||
            replies[2]->type == REDIS_REPLY_NIL);
}

static void take_replies(struct sampler *sampler, redisReply *const replies[REPLIES])
{
    struct sampler_metrics *metrics = &sampler->metrics;
    bool is_visible = is_as_expected(replies);

    if (is_visible) {
        metric_set(&metrics->queue_events, replies[0]->integer);
        metric_set(&metrics->leases, replies[1]->integer);
        metric_set(&metrics->oldest_ms, age_of(sampler, replies[2]));
    }
    metric_set(&metrics->queue_visible, is_visible);
}

static enum err_code read_replies(struct sampler *sampler, redisReply *replies[REPLIES])
{
    for (int i = 0; i < REPLIES; i++) {
        void *reply = NULL;

        if (redisGetReply(sampler->context, &reply) != REDIS_OK || !reply)
            return ERR_UNAVAILABLE;
        replies[i] = reply;
    }
    return ERR_OK;
}

static enum err_code connect_if_needed(struct sampler *sampler)
{
    struct err ignored;
    enum err_code code;

    if (sampler->context)
        return ERR_OK;
    code = redis_conn_open(sampler->redis_url, sampler->timeout_ms, &sampler->context,
                           &ignored);
    return code ? code : redis_setup_check(sampler->context);
}

static enum err_code poll_queue(struct sampler *sampler)
{
    redisReply *replies[REPLIES] = {NULL};
    enum err_code code = connect_if_needed(sampler);

    if (code)
        return code;
    if (redisAppendCommand(sampler->context, "LLEN " KEY_QUEUE) != REDIS_OK ||
        redisAppendCommand(sampler->context, "ZCARD " KEY_LEASES) != REDIS_OK ||
        redisAppendCommand(sampler->context, "LINDEX " KEY_QUEUE " -1") != REDIS_OK)
        return ERR_NOMEM;
    code = read_replies(sampler, replies);
    if (!code)
        take_replies(sampler, replies);
    for (int i = 0; i < REPLIES; i++) {
        if (replies[i])
            freeReplyObject(replies[i]);
    }
    return code;
}

static enum err_code poll_salts(struct sampler *sampler)
{
    bool has_asked = false;
    enum err_code code = salt_files_poll(&sampler->salts, sampler->context, &has_asked);

    metric_add(&sampler->metrics.salt_rewrites, has_asked);
    return code;
}

/* --- the thread --------------------------------------------------------------- */

void sampler_run(struct sampler *sampler)
{
    do {
        enum err_code code = poll_queue(sampler);
        if (!code)
            code = poll_salts(sampler);
        if (code) {
            metric_set(&sampler->metrics.queue_visible, 0);
            disconnect(sampler);
        }
        process_stats_refresh(&sampler->metrics.process);
    } while (lifecycle_pause(sampler->lifecycle, TURN_MS));
}
