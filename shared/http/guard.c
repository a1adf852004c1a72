/* guard.c -- see guard.h. */
#include "shared/http/guard.h"

#include <stdatomic.h>
#include <stddef.h>

#include "shared/access/address.h"
#include "shared/access/hosts.h"
#include "shared/access/rate.h"
#include "shared/access/secret.h"
#include "shared/base/clock.h"
#include "shared/base/mem.h"
#include "shared/http/http.h"

enum {
    UNAUTHORIZED = 401,
    FORBIDDEN = 403,
    TOO_MANY = 429,
    WRONG_BURST_SECONDS = 20, /* of the limit of wrong keys, at once */
    WRONG_ADDRESSES = 8192,   /* that are remembered */
    RIGHT_MS = 3600000        /* for so long a right key frees its address */
};

struct guard {
    char *key; /* owned; NULL: none is asked for */
    struct networks proxies;
    bool checks_host;
    struct hosts hosts;
    struct rate *per_address; /* owned; NULL: no limit */
    struct rate *per_network; /* likewise */
    struct rate *wrong;       /* keys of an address; likewise */
    struct rate *wrong_network;
    void (*on_unreadable)(void);
    _Atomic bool was_unreadable;
};

static enum err_code load_proxies(struct guard *guard, const char *text, struct err *err)
{
    struct words words;
    enum err_code code = words_parse(text, &words, err);

    if (code)
        return code;
    code = networks_parse(&words, &guard->proxies, err);
    words_release(&words);
    return code ? err_wrap(err, "TRUSTED_PROXIES") : ERR_OK;
}

static enum err_code load_hosts(struct guard *guard, const char *text, struct err *err)
{
    enum err_code code = ERR_OK;

    guard->checks_host = text != NULL;
    if (text)
        code = hosts_parse(text, &guard->hosts, err);
    return code ? err_wrap(err, "ALLOWED_HOSTS") : ERR_OK;
}

static enum err_code load_tries(struct guard *guard, int64_t per_second, struct err *err)
{
    int64_t per_network = per_second * GUARD_NETWORK_TIMES;
    enum err_code code;

    if (!per_second)
        return ERR_OK;
    code = rate_new(per_second, per_second * WRONG_BURST_SECONDS, WRONG_ADDRESSES,
                    &guard->wrong, err);
    return code ? code
                : rate_new(per_network, per_network * WRONG_BURST_SECONDS,
                           WRONG_ADDRESSES, &guard->wrong_network, err);
}

static enum err_code load_rates(struct guard *guard, const struct guard_options *options,
                                struct err *err)
{
    int64_t per_network = options->per_network
                              ? options->per_network
                              : options->per_address * GUARD_NETWORK_TIMES;
    enum err_code code = ERR_OK;

    if (options->per_address)
        code =
            rate_new(options->per_address, options->per_address * options->burst_seconds,
                     options->max_keys, &guard->per_address, err);
    if (!code && per_network)
        code = rate_new(per_network, per_network * options->burst_seconds,
                        options->max_keys, &guard->per_network, err);
    return code ? code : load_tries(guard, options->wrong_keys, err);
}

enum err_code guard_new(const struct guard_options *options, const struct guard *old,
                        struct guard **ret_guard, struct err *err)
{
    struct guard *guard = mem_calloc(1, sizeof(*guard));
    enum err_code code;

    if (!guard)
        return err_set(err, ERR_NOMEM, "out of memory");
    guard->on_unreadable = options->on_unreadable;
    code = secret_load(options->key, options->key_file, &guard->key, err);
    if (code)
        (void)err_wrap(err, "%s", options->key_setting);
    if (!code)
        code = load_proxies(guard, options->trusted_proxies, err);
    if (!code)
        code = load_hosts(guard, options->allowed_hosts, err);
    if (!code && !old)
        code = load_rates(guard, options, err);
    if (code) {
        guard_free(guard);
        return code;
    }
    if (old) {
        guard->per_address = old->per_address;
        guard->per_network = old->per_network;
        guard->wrong = old->wrong;
        guard->wrong_network = old->wrong_network;
        atomic_init(&guard->was_unreadable, atomic_load(&old->was_unreadable));
    }
    *ret_guard = guard;
    return ERR_OK;
}

void guard_retire(struct guard *guard)
{
    if (!guard)
        return;
    mem_free(guard->key);
    hosts_release(&guard->hosts);
    mem_free(guard);
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    rate_free(guard->per_address);
    rate_free(guard->per_network);
    rate_free(guard->wrong);
    rate_free(guard->wrong_network);
    guard_retire(guard);
}

const struct networks *guard_proxies(const struct guard *guard)
{
    return &guard->proxies;
}

bool guard_has_key(const struct guard *guard)
{
    return guard->key != NULL;
}

const char *guard_key(const struct guard *guard)
{
    return guard->key;
}

/* Whether a page of a stranger may have sent req, by a name that it lets resolve to us.
 * Without a list that is only looked at where it is the whole protection: nobody is asked
 * for a key, because only this machine can connect.  A trusted proxy knows which names are
 * its own. */
static bool is_rebound(const struct guard *guard, const struct http_request *req)
{
    const char *host = http_request_header(req, "Host");

    if (!guard->checks_host || !host || hosts_have(&guard->hosts, host))
        return false;
    return guard->hosts.names.count > 0 ||
           (!guard->key && http_request_is_loopback(req) &&
            !http_request_is_of(req, &guard->proxies));
}

/* Whom the limits count. */
struct client {
    struct address site;
    struct address network;
    bool has_network;
};

/* False for a client whose address we cannot know: it is gone already. */
static bool find_client(struct guard *guard, const struct http_request *req,
                        struct client *ret_client)
{
    struct address address;
    bool is_read = true;

    if (!http_request_client(req, &guard->proxies, &address, &is_read))
        return false;
    if (!is_read && !atomic_exchange(&guard->was_unreadable, true) &&
        guard->on_unreadable)
        guard->on_unreadable();
    ret_client->site = address_of_site(&address);
    ret_client->has_network = address_of_network(&address, &ret_client->network);
    return true;
}

typedef bool (*rate_fn)(struct rate *rate, const void *key, size_t len, int64_t now_ms);

static bool passes(const struct client *client, rate_fn ask, struct rate *of_site,
                   struct rate *of_network)
{
    int64_t now_ms = clock_mono_ms();

    if (of_site && !ask(of_site, client->site.bytes, sizeof(client->site.bytes), now_ms))
        return false;
    return !of_network || !client->has_network ||
           ask(of_network, client->network.bytes, sizeof(client->network.bytes), now_ms);
}

/* Who cannot be found is let through to fail later. */
static bool take_token(struct guard *guard, const struct http_request *req)
{
    struct client client;

    return !find_client(guard, req, &client) ||
           passes(&client, rate_take, guard->per_address, guard->per_network);
}

static unsigned refuse(unsigned status, const char *sentence, struct err *err)
{
    (void)err_set(err, ERR_DENIED, "%s", sentence);
    return status;
}

unsigned guard_check_more(struct guard *guard, const struct http_request *req,
                          struct err *err)
{
    if ((guard->per_address || guard->per_network) && !take_token(guard, req))
        return refuse(TOO_MANY, "too many requests", err);
    return 0;
}

bool guard_is_keyed(const struct guard *guard, const struct http_request *req)
{
    return guard->key &&
           secret_is_bearer(http_request_header(req, "Authorization"), guard->key);
}

/* --- keys ------------------------------------------------------------------------ */

static bool free_for_a_while(struct rate *rate, const void *key, size_t len,
                             int64_t now_ms)
{
    return rate_exempt(rate, key, len, now_ms, now_ms + RIGHT_MS);
}

/* Whether the address may try the key; a right one frees it. */
static bool may_try(struct guard *guard, const struct http_request *req, bool is_right)
{
    struct client client;

    return !guard->wrong || !find_client(guard, req, &client) ||
           passes(&client, is_right ? free_for_a_while : rate_has, guard->wrong,
                  guard->wrong_network);
}

static bool brings_key(const struct http_request *req)
{
    return secret_in_bearer(http_request_header(req, "Authorization")) != NULL;
}

unsigned guard_check_key(struct guard *guard, const struct http_request *req,
                         struct err *err)
{
    bool is_right = guard_is_keyed(guard, req);

    if (brings_key(req) && guard->key && !may_try(guard, req, is_right))
        return refuse(TOO_MANY, "too many wrong keys", err);
    return is_right ? 0 : refuse(UNAUTHORIZED, "unauthorized", err);
}

void guard_note_wrong(struct guard *guard, const struct http_request *req)
{
    struct client client;

    if (guard->key && guard->wrong && brings_key(req) && find_client(guard, req, &client))
        (void)passes(&client, rate_take, guard->wrong, guard->wrong_network);
}

unsigned guard_check(struct guard *guard, const struct http_request *req, struct err *err)
{
    if (is_rebound(guard, req))
        return refuse(FORBIDDEN, "the Host is not among ALLOWED_HOSTS", err);
    if (guard_check_more(guard, req, err) != 0)
        return TOO_MANY;
    return guard->key ? guard_check_key(guard, req, err) : 0;
}
