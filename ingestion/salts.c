/* salts.c -- see salts.h. */
#include "ingestion/salts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ingestion/enrich/visitor.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"
#include "shared/redis/keys.h"
#include "shared/redis/reply.h"
#include "shared/redis/uv.h"

enum {
    SALT_BYTES = 16,
    DAYS = 2, /* today's and tomorrow's */
    TURN_MS = 1000,
    REFUSED_MS = 10000, /* until a Redis that refused is asked again */
    AHEAD_MS = 3600000,
    DAY_S = 86400,
    LOG_EVERY_MS = 600000,
};

#define EXPIRY_S "172800" /* 48 hours */

struct salt {
    struct salts *owner;
    int64_t day;
    bool is_known;  /* the bytes are those of the day, own or shared */
    bool is_shared; /* Redis has them */
    bool is_used;
    bool is_asked; /* a reply is under way */
    bool is_told;  /* that visitors have an own one, in the log */
    int64_t asked_day;
    int64_t ask_at_ms;
    uint64_t connection; /* that was asked last */
    uint8_t bytes[SALT_BYTES];
};

struct salts {
    uv_mutex_t lock; /* for all of `days` but what the asking loop alone uses */
    int64_t starts_hour;
    struct redis_uv *redis;
    uv_timer_t timer;
    bool is_started;
    struct log_limit refused_limit;
    struct salt days[DAYS];
};

/* --- the days ----------------------------------------------------------------- */

enum err_code salts_new(int64_t starts_hour, struct salts **ret_salts, struct err *err)
{
    struct salts *salts = mem_calloc(1, sizeof(*salts));

    if (!salts || uv_mutex_init(&salts->lock) != 0) {
        mem_free(salts);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    salts->starts_hour = starts_hour;
    for (int i = 0; i < DAYS; i++)
        salts->days[i].owner = salts;
    *ret_salts = salts;
    return ERR_OK;
}

void salts_free(struct salts *salts)
{
    if (!salts)
        return;
    uv_mutex_destroy(&salts->lock);
    explicit_bzero(salts->days, sizeof(salts->days));
    mem_free(salts);
}

/* The salt of the day, made if it is not known; what stood in its place is forgotten. */
static struct salt *salt_of(struct salts *salts, int64_t day)
{
    struct salt *salt = &salts->days[day & 1];
    ssize_t got;

    if (salt->is_known && salt->day == day)
        return salt;
    got = getrandom(salt->bytes, SALT_BYTES, 0);
    assert(got == SALT_BYTES); /* so few come in one piece */
    salt->day = day;
    salt->is_known = true;
    salt->is_shared = salt->is_used = salt->is_told = false;
    salt->ask_at_ms = 0;
    return salt;
}

bool salts_take(struct salts *salts, int64_t wall_ms, struct siphash_key *ret_salt)
{
    struct salt *salt;
    bool is_shared;

    uv_mutex_lock(&salts->lock);
    salt = salt_of(salts, visitor_day(wall_ms, salts->starts_hour));
    salt->is_used = true;
    is_shared = salt->is_shared;
    *ret_salt = siphash_key_of(salt->bytes);
    uv_mutex_unlock(&salts->lock);
    return is_shared;
}

bool salts_is_own(struct salts *salts, int64_t wall_ms)
{
    int64_t day = visitor_day(wall_ms, salts->starts_hour);
    const struct salt *salt = &salts->days[day & 1];
    bool is_own;

    uv_mutex_lock(&salts->lock);
    is_own = salt->is_known && salt->day == day && salt->is_used && !salt->is_shared;
    uv_mutex_unlock(&salts->lock);
    return is_own;
}

/* --- Redis -------------------------------------------------------------------- */

static void note_refusal(struct salts *salts, struct salt *salt)
{
    int64_t suppressed;

    salt->ask_at_ms = clock_mono_ms() + REFUSED_MS;
    if (log_limit_allows(&salts->refused_limit, LOG_EVERY_MS, &suppressed))
        log_line(LOG_WARN, "Redis does not share the salts of the days",
                 LOG_FIELDS(log_text("key", KEY_SALT_PREFIX),
                            log_int("suppressed", suppressed)));
}

static void take_reply(struct salt *salt, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_NIL) { /* it had none, and has taken ours */
        salt->is_shared = true;
    } else if (reply->type == REDIS_REPLY_STRING && reply->len == SALT_BYTES) {
        memcpy(salt->bytes, reply->str, SALT_BYTES);
        salt->is_shared = true;
    } else {
        salt->is_shared = false;
        note_refusal(salt->owner, salt); /* an error, or what is no salt */
    }
}

static void on_reply(redisReply *reply, void *user)
{
    struct salt *salt = user;
    struct salts *salts = salt->owner;
    bool is_back = false;

    salt->is_asked = false;
    if (!reply) {
        uv_mutex_lock(&salts->lock);
        salt->ask_at_ms = 0; /* the connection is lost: the next one is asked */
        uv_mutex_unlock(&salts->lock);
        salt->connection = 0;
        return;
    }
    uv_mutex_lock(&salts->lock);
    if (salt->asked_day == salt->day)
        take_reply(salt, reply);
    if (salt->is_told && salt->is_shared) {
        is_back = true;
        salt->is_told = false;
    }
    uv_mutex_unlock(&salts->lock);
    if (is_back)
        log_line(LOG_INFO, "visitors have the shared salt", NULL);
}

/* "{events}:salt:2026-11-28" */
static void write_key(int64_t day, char *key, size_t size)
{
    time_t seconds = (time_t)day * DAY_S;
    struct tm date;

    (void)gmtime_r(&seconds, &date);
    (void)strftime(key, size, KEY_SALT_PREFIX "%Y-%m-%d", &date);
}

static void ask(struct salts *salts, struct salt *salt)
{
    char key[64];
    const char *argv[] = {"SET", key,     (const char *)salt->bytes, "NX", "GET",
                          "EX",  EXPIRY_S};
    size_t lens[] = {3, 0, SALT_BYTES, 2, 3, 2, sizeof(EXPIRY_S) - 1};

    write_key(salt->day, key, sizeof(key));
    lens[1] = strlen(key);
    salt->is_asked =
        redis_uv_command(salts->redis, 7, argv, lens, on_reply, salt) == ERR_OK;
    if (!salt->is_asked)
        return;
    salt->asked_day = salt->day;
    salt->connection = redis_uv_connection(salts->redis);
}

/* Asks for the day's salt unless this connection has answered. */
static void want(struct salts *salts, int64_t day)
{
    struct salt *salt;

    uv_mutex_lock(&salts->lock);
    salt = salt_of(salts, day);
    if (!salt->is_asked && clock_mono_ms() >= salt->ask_at_ms &&
        (!salt->is_shared || salt->connection != redis_uv_connection(salts->redis)))
        ask(salts, salt);
    uv_mutex_unlock(&salts->lock);
}

/* Says once a day that visitors have a salt of this process's own. */
static void tell(struct salts *salts, int64_t wall_ms)
{
    struct salt *salt;
    bool is_news;

    if (!salts_is_own(salts, wall_ms))
        return;
    uv_mutex_lock(&salts->lock);
    salt = salt_of(salts, visitor_day(wall_ms, salts->starts_hour));
    is_news = !salt->is_told;
    salt->is_told = true;
    uv_mutex_unlock(&salts->lock);
    if (is_news)
        log_line(LOG_WARN,
                 "visitors have a salt of this process alone, for Redis gave none", NULL);
}

static void poll_salts(struct salts *salts)
{
    int64_t now_ms = clock_wall_ms();

    if (redis_uv_is_ready(salts->redis)) {
        want(salts, visitor_day(now_ms, salts->starts_hour));
        want(salts, visitor_day(now_ms + AHEAD_MS, salts->starts_hour));
        redis_uv_flush(salts->redis);
    }
    tell(salts, now_ms);
}

static void on_timer(uv_timer_t *timer)
{
    poll_salts(timer->data);
}

void salts_on_ready(struct salts *salts)
{
    if (salts->is_started)
        poll_salts(salts);
}

enum err_code salts_start(struct salts *salts, uv_loop_t *loop, struct redis_uv *redis,
                          struct err *err)
{
    salts->redis = redis;
    salts->timer.data = salts;
    if (uv_timer_init(loop, &salts->timer) != 0 ||
        uv_timer_start(&salts->timer, on_timer, TURN_MS, TURN_MS) != 0)
        return err_set(err, ERR_UNAVAILABLE, "could not start a timer");
    salts->is_started = true;
    return ERR_OK;
}

void salts_stop(struct salts *salts)
{
    salts->is_started = false;
    uv_close((uv_handle_t *)&salts->timer, NULL);
}
