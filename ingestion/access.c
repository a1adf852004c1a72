/* access.c -- see access.h. */
#include "ingestion/access.h"

#include "ingestion/conf.h"
#include "ingestion/rate.h"
#include "shared/base/buf.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/event/event.h"
#include "shared/http/address.h"
#include "shared/http/http.h"
#include "shared/http/secret.h"

enum {
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    TOO_MANY = 429,
    FORWARDED_MAX = 8192, /* bytes of X-Forwarded-For; beyond it the peer counts */
};

struct access {
    char *key;          /* owned; NULL: none is asked for */
    struct words sites; /* none: all */
    struct words origins;
    struct networks proxies;
    struct rate *per_ip; /* owned; NULL: no limit */
    struct rate *per_site;
};

static enum err_code new_rate(int64_t per_second, const struct ingestion_conf *conf,
                              struct rate **ret_rate, struct err *err)
{
    *ret_rate = NULL;
    if (per_second == 0)
        return ERR_OK;
    return rate_new(per_second, per_second * conf->rate_limit_burst_seconds,
                    conf->rate_limit_max_keys, ret_rate, err);
}

static enum err_code load_proxies(struct access *access, const char *text,
                                  struct err *err)
{
    struct words words;
    enum err_code code = words_parse(text, &words, err);

    if (code)
        return code;
    code = networks_parse(&words, &access->proxies, err);
    words_release(&words);
    return code ? err_wrap(err, "TRUSTED_PROXIES") : ERR_OK;
}

static enum err_code load_lists(struct access *access, const struct ingestion_conf *conf,
                                struct err *err)
{
    enum err_code code =
        secret_load(conf->ingest_key, conf->ingest_key_file, &access->key, err);
    if (code)
        (void)err_wrap(err, "INGEST_KEY");
    if (!code)
        code = words_parse(conf->allowed_sites, &access->sites, err);
    if (!code)
        code = words_parse(conf->cors_origins, &access->origins, err);
    if (!code)
        code = load_proxies(access, conf->trusted_proxies, err);
    return code;
}

enum err_code access_new(const struct ingestion_conf *conf, struct access **ret_access,
                         struct err *err)
{
    struct access *access = mem_calloc(1, sizeof(*access));
    enum err_code code;

    if (!access)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = load_lists(access, conf, err);
    if (!code)
        code = new_rate(conf->rate_limit_per_ip, conf, &access->per_ip, err);
    if (!code)
        code = new_rate(conf->rate_limit_per_site, conf, &access->per_site, err);
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

    if (!access)
        return err_set(err, ERR_NOMEM, "out of memory");
    code = load_lists(access, conf, err);
    if (code) {
        access_retire(access);
        return code;
    }
    access->per_ip = old->per_ip;
    access->per_site = old->per_site;
    *ret_access = access;
    return ERR_OK;
}

void access_retire(struct access *access)
{
    if (!access)
        return;
    mem_free(access->key);
    words_release(&access->sites);
    words_release(&access->origins);
    mem_free(access);
}

void access_free(struct access *access)
{
    if (!access)
        return;
    rate_free(access->per_ip);
    rate_free(access->per_site);
    access_retire(access);
}

const struct words *access_origins(const struct access *access)
{
    return &access->origins;
}

static unsigned refuse(unsigned status, const char *sentence, struct err *err)
{
    (void)err_set(err, ERR_DENIED, "%s", sentence);
    return status;
}

/* A proxy may add a header line of its own below one that the client has made up, so all
 * of them count, from the last on. */
static struct address behind_proxies(const struct access *access,
                                     const struct http_request *req,
                                     const struct address *peer)
{
    struct address client = *peer;
    struct buf list;

    buf_init(&list, FORWARDED_MAX);
    if (http_request_header_list(req, "X-Forwarded-For", &list) == ERR_OK &&
        buf_add(&list, "", 1) == ERR_OK)
        client = address_of_client(peer, list.data, &access->proxies);
    buf_release(&list);
    return client;
}

/* Whether the client behind req has a token left; a client whose address we cannot know
 * (it is gone already) is let through to fail later. */
static bool take_of_client(struct access *access, const struct http_request *req)
{
    const struct sockaddr *socket = http_request_peer(req);
    struct address client;
    struct address site;

    if (!socket || !address_of_socket(socket, &client))
        return true;
    if (access->proxies.count)
        client = behind_proxies(access, req, &client);
    site = address_of_site(&client);
    return rate_take(access->per_ip, site.bytes, sizeof(site.bytes), clock_mono_ms());
}

unsigned access_check_request(struct access *access, const struct http_request *req,
                              struct err *err)
{
    if (access->key &&
        !secret_is_bearer(http_request_header(req, "Authorization"), access->key))
        return refuse(UNAUTHORIZED, "unauthorized", err);
    if (access->per_ip && !take_of_client(access, req))
        return refuse(TOO_MANY, "too many requests", err);
    return 0;
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
