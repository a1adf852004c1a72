/* access.c -- see access.h. */
#include "ingestion/access.h"

#include <assert.h>

#include "ingestion/conf.h"
#include "ingestion/enrich/bots.h"
#include "ingestion/enrich/place.h"
#include "shared/access/origins.h"
#include "shared/access/rate.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/guard.h"
#include "shared/http/http.h"
#include "shared/text/words.h"

enum {
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    TOO_MANY = 429,
};

struct access {
    struct guard *guard; /* owned */
    struct words sites;  /* none: all */
    struct origins origins;
    struct rate *per_site; /* owned; NULL: no limit */
    struct bots *bots;     /* owned */
    struct places *places; /* owned */
};

static enum err_code load_guard(struct access *access, const struct access *old,
                                const struct ingestion_conf *conf, struct err *err)
{
    struct guard_options options = guard_conf_options(&conf->guard);

    options.key_setting = "INGEST_KEY";
    options.key = conf->ingest_key;
    options.key_file = conf->ingest_key_file;
    return guard_new(&options, old ? old->guard : NULL, &access->guard, err);
}

static enum err_code load_origins(struct access *access, const char *text,
                                  struct err *err)
{
    return origins_parse(text, false, &access->origins, err)
               ? err_wrap(err, "CORS_ORIGINS")
               : ERR_OK;
}

static enum err_code load_site_rate(struct access *access,
                                    const struct ingestion_conf *conf, struct err *err)
{
    int64_t per_second = conf->rate_limit_per_site;

    if (per_second == 0)
        return ERR_OK;
    return rate_new(per_second, per_second * conf->guard.burst_seconds,
                    conf->guard.max_keys, &access->per_site, err);
}

static enum err_code load_lists(struct access *access, const struct access *old,
                                const struct ingestion_conf *conf, struct err *err)
{
    enum err_code code = load_guard(access, old, conf, err);

    if (!code)
        code = words_parse(conf->allowed_sites, &access->sites, err);
    if (!code)
        code = load_origins(access, conf->cors_origins, err);
    if (!code)
        code = bots_new(conf->ignore_ips, conf->referrer_spam_file, &access->bots, err);
    if (!code)
        code = places_new(conf->geoip_db, conf->geoip_text_dir, &access->places, err);
    return code;
}

enum err_code access_new(const struct ingestion_conf *conf, struct access **ret_access,
                         struct err *err)
{
    struct access *access = mem_calloc(1, sizeof(*access));
    enum err_code code;

    if (!access)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = load_lists(access, NULL, conf, err);
    if (!code)
        code = load_site_rate(access, conf, err);
    if (code) {
        access_free(access);
        return code;
    }
    *ret_access = access;
    return ERR_OK;
}

enum err_code access_renew(const struct access *old, const struct ingestion_conf *conf,
                           struct access **ret_access, struct err *err)
{
    struct access *access = mem_calloc(1, sizeof(*access));
    enum err_code code;

    assert(old);
    if (!access)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = load_lists(access, old, conf, err);
    if (code) {
        access_retire(access);
        return code;
    }
    access->per_site = old->per_site;
    *ret_access = access;
    return ERR_OK;
}

static void free_lists(struct access *access)
{
    words_release(&access->sites);
    origins_release(&access->origins);
    bots_free(access->bots);
    places_free(access->places);
    mem_free(access);
}

void access_retire(struct access *access)
{
    if (!access)
        return;
    guard_retire(access->guard);
    free_lists(access);
}

void access_free(struct access *access)
{
    if (!access)
        return;
    guard_free(access->guard);
    rate_free(access->per_site);
    free_lists(access);
}

const struct origins *access_origins(const struct access *access)
{
    return &access->origins;
}

const struct bots *access_bots(const struct access *access)
{
    return access->bots;
}

const struct places *access_places(const struct access *access)
{
    return access->places;
}

bool access_has_key(const struct access *access)
{
    return guard_has_key(access->guard);
}

unsigned access_check_request(struct access *access, const struct http_request *req,
                              struct err *err)
{
    unsigned status = guard_check(access->guard, req, err);

    if (status == UNAUTHORIZED)
        guard_note_wrong(access->guard, req);
    return status;
}

unsigned access_check_more(struct access *access, const struct http_request *req,
                           struct err *err)
{
    return guard_check_more(access->guard, req, err);
}

unsigned access_check_key(struct access *access, const struct http_request *req,
                          struct err *err)
{
    unsigned status = guard_check_key(access->guard, req, err);

    if (status == UNAUTHORIZED)
        guard_note_wrong(access->guard, req);
    return status;
}

const struct networks *access_proxies(const struct access *access)
{
    return guard_proxies(access->guard);
}

static unsigned refuse(unsigned status, const char *sentence, struct err *err)
{
    (void)err_set(err, ERR_DENIED, "%s", sentence);
    return status;
}

unsigned access_check_origin(const struct access *access, const struct http_request *req,
                             struct err *err)
{
    const char *origin = http_request_header(req, "Origin");

    if (!origin || access->origins.has_all || origins_have(&access->origins, origin))
        return 0;
    return refuse(FORBIDDEN, "the origin is not allowed", err);
}

unsigned access_check_event(struct access *access, const struct event *event,
                            struct err *err)
{
    if (access->sites.count &&
        !words_has(&access->sites, event->site_id.bytes, event->site_id.len))
        return refuse(FORBIDDEN, "the site is not allowed", err);
    if (access->per_site && !rate_take(access->per_site, event->site_id.bytes,
                                       event->site_id.len, clock_mono_ms()))
        return refuse(TOO_MANY, "too many events of this site", err);
    return 0;
}
