/* steps.c -- see enrich.h. */
#include <string.h>
#include <time.h>

#include "ingestion/enrich/agent_cache.h"
#include "ingestion/enrich/channel.h"
#include "ingestion/enrich/click.h"
#include "ingestion/enrich/enrich.h"
#include "ingestion/enrich/language.h"
#include "ingestion/enrich/place.h"
#include "ingestion/enrich/referrer.h"
#include "ingestion/enrich/source.h"
#include "ingestion/enrich/url.h"
#include "ingestion/enrich/visitor.h"
#include "ingestion/salts.h"
#include "shared/base/mem.h"
#include "shared/base/siphash.h"

enum {
    PATH_MAX_CHARS = 2048,
    /* What the events of one request may take: each needs at most a page, a referrer and a few
     * words.  An event that finds no room keeps what it has. */
    ARENA_BYTES = 1 << 20
};

/* A word of utm_source, ref or source. */
struct tags {
    struct event_text ref;
    struct event_text source;
};

struct enricher {
    struct enrich_options options;
    struct arena arena;
    /* Of the present event: */
    const struct request_facts *facts;
    struct event *event;
    struct tags tags;
    const struct click *click; /* NULL: none */
    struct referrer referrer;
    bool has_referrer;
    struct event_text user_agent;
    const struct agent_facts *agent; /* NULL: no User-Agent */
    bool has_address;
    struct address address;
};

typedef enum bot_reason (*step_fn)(struct enricher *enricher);

#define BIT(NAME) (UINT64_C(1) << EVENT_MORE_##NAME)

/* The fields from which something is derived. */
static const uint64_t inputs = BIT(URL) | BIT(HOSTNAME) | BIT(REFERRER) |
                               BIT(UTM_SOURCE) | BIT(UTM_MEDIUM) | BIT(LANGUAGE) |
                               BIT(USER_AGENT) | BIT(IP);

bool enrich_is_url(const struct event_text *text)
{
    struct url url;

    return url_parse(text->bytes, text->len, &url);
}

bool enrich_is_language(const struct event_text *text)
{
    char language[LANGUAGE_MAX];

    return language_of_tag(text, language) > 0;
}

/* --- helpers ------------------------------------------------------------------------ */

static struct event_text text_of(const char *text)
{
    return (struct event_text){text, text ? strlen(text) : 0};
}

static void set_constant(struct enricher *enricher, enum event_more field,
                         const char *text)
{
    if (text && text[0])
        event_set_text(enricher->event, field, text_of(text));
}

/* A copy that lives as long as the event. */
static struct event_text keep(struct enricher *enricher, const char *bytes, size_t len)
{
    char *copy = len > 0 ? arena_alloc(&enricher->arena, len) : NULL;

    if (!copy)
        return (struct event_text){NULL, 0};
    memcpy(copy, bytes, len);
    return (struct event_text){copy, len};
}

static bool is_view(const struct event *event)
{
    const struct event_text *type = &event->event_type;

    return (type->len == 9 && memcmp(type->bytes, "page_view", 9) == 0) ||
           (type->len == 8 && memcmp(type->bytes, "pageview", 8) == 0);
}

/* --- url ------------------------------------------------------------------------------ */

static bool is_key(const struct event_text *key, const char *name)
{
    return key->len == strlen(name) && memcmp(key->bytes, name, key->len) == 0;
}

static struct event_text decode(struct enricher *enricher, const struct event_text *value)
{
    char out[URL_DECODED_BYTES];

    return keep(enricher, out, url_decode_form(value, out));
}

/* Of several pairs with one key the first that says something counts. */
static void take_utm(struct enricher *enricher, const struct url_pair *pair)
{
    for (int i = EVENT_MORE_UTM_SOURCE; i <= EVENT_MORE_UTM_TERM; i++) {
        enum event_more field = (enum event_more)i;
        if (!is_key(&pair->key, event_more_fields[field].key))
            continue;
        if (!event_has(enricher->event, field))
            event_set_text(enricher->event, field, decode(enricher, &pair->value));
        return;
    }
}

static void take_pair(struct enricher *enricher, const struct url_pair *pair)
{
    const struct click *click = click_find(&pair->key);

    if (click && pair->value.len > 0 && !enricher->click)
        enricher->click = click;
    else if (pair->key.len > 4 && memcmp(pair->key.bytes, "utm_", 4) == 0)
        take_utm(enricher, pair);
    else if (is_key(&pair->key, "ref") && !enricher->tags.ref.bytes)
        enricher->tags.ref = decode(enricher, &pair->value);
    else if (is_key(&pair->key, event_more_fields[EVENT_MORE_SOURCE].key) &&
             !enricher->tags.source.bytes)
        enricher->tags.source = decode(enricher, &pair->value);
}

static enum bot_reason step_url(struct enricher *enricher)
{
    struct event *event = enricher->event;
    struct event_text text = event_text_of(event, EVENT_MORE_URL);
    struct event_text rest;
    struct url_pair pair;
    struct url url;

    if (!text.bytes || !url_parse(text.bytes, text.len, &url))
        return BOT_NONE;
    if (!event->path.bytes)
        event->path =
            url_page(&url, enricher->options.url_keys, PATH_MAX_CHARS, &enricher->arena);
    if (!event->path.bytes)
        event->path = url_cut(url.path, PATH_MAX_CHARS);
    if (!event_has(event, EVENT_MORE_HOSTNAME))
        event_set_text(event, EVENT_MORE_HOSTNAME, url.host);
    for (rest = url.query; rest.bytes && url_next_pair(&rest, &pair);)
        take_pair(enricher, &pair);
    if (enricher->click)
        set_constant(enricher, EVENT_MORE_CLICK, enricher->click->name);
    return BOT_NONE;
}

/* --- hostname and referrer ------------------------------------------------------------ */

static enum bot_reason step_referrer(struct enricher *enricher)
{
    struct event *event = enricher->event;
    struct event_text host = event_text_of(event, EVENT_MORE_HOSTNAME);
    struct event_text text = event_text_of(event, EVENT_MORE_REFERRER);

    if (host.bytes) {
        host = url_lower(&host, &enricher->arena);
        event_set_text(event, EVENT_MORE_HOSTNAME, host);
    }
    enricher->has_referrer =
        text.bytes && referrer_read(&text, &enricher->arena, &enricher->referrer) &&
        !referrer_is_own(&enricher->referrer, &host);
    if (enricher->has_referrer)
        event_set_text(event, EVENT_MORE_REFERRER, enricher->referrer.text);
    else
        event_unset(event, EVENT_MORE_REFERRER);
    return BOT_NONE;
}

/* --- browser, system, device, address ------------------------------------------------------ */

static void set_agent(struct enricher *enricher, const struct agent *agent)
{
    set_constant(enricher, EVENT_MORE_BROWSER, agent->browser);
    set_constant(enricher, EVENT_MORE_OS, agent->os);
    set_constant(enricher, EVENT_MORE_DEVICE, agent_device_name(agent->device));
    event_set_text(
        enricher->event, EVENT_MORE_BROWSER_VERSION,
        keep(enricher, agent->browser_version, strlen(agent->browser_version)));
    event_set_text(enricher->event, EVENT_MORE_OS_VERSION,
                   keep(enricher, agent->os_version, strlen(agent->os_version)));
}

/* Where a server sends for another, what it says of him holds, and not its own request. */
static void find_visitor(struct enricher *enricher)
{
    const struct event *event = enricher->event;
    const struct request_facts *facts = enricher->facts;
    struct event_text ip = event_text_of(event, EVENT_MORE_IP);

    enricher->user_agent = event_text_of(event, EVENT_MORE_USER_AGENT);
    if (!enricher->user_agent.bytes && facts->is_page)
        enricher->user_agent = text_of(facts->user_agent);
    enricher->has_address =
        ip.bytes && address_parse(ip.bytes, ip.len, &enricher->address);
    if (!ip.bytes && facts->is_page && facts->has_address) {
        enricher->has_address = true;
        enricher->address = facts->address;
    }
}

static enum bot_reason step_agent(struct enricher *enricher)
{
    const struct request_facts *facts = enricher->facts;
    struct agent agent;

    find_visitor(enricher);
    if (enricher->user_agent.len == 0)
        return BOT_NONE;
    enricher->agent = agent_cache_get(
        enricher->options.agents, enricher->user_agent.bytes, enricher->user_agent.len);
    agent = enricher->agent->agent;
    if (facts->is_page && !event_has(enricher->event, EVENT_MORE_USER_AGENT))
        agent_apply_hints(&agent, &(struct agent_hints){.brands = facts->brands,
                                                        .platform = facts->platform,
                                                        .mobile = facts->mobile});
    set_agent(enricher, &agent);
    return BOT_NONE;
}

/* Servers know whom they send; of pages nobody does. */
static enum bot_reason step_bots(struct enricher *enricher)
{
    const struct request_facts *facts = enricher->facts;
    struct bot_facts asked = {
        .purpose = facts->purpose,
        .sec_purpose = facts->sec_purpose,
        .x_moz = facts->x_moz,
        .brands = facts->brands,
        .referrer = enricher->has_referrer ? enricher->referrer.host.bytes : NULL,
        .referrer_len = enricher->has_referrer ? enricher->referrer.host.len : 0,
        .address = enricher->has_address ? &enricher->address : NULL,
    };
    enum bot_reason reason;

    if (!facts->is_page)
        return BOT_NONE;
    reason = bots_of_request(facts->bots, &asked);
    if (reason != BOT_NONE)
        return reason;
    return enricher->agent ? enricher->agent->bot : BOT_NO_AGENT;
}

/* --- source and channel ----------------------------------------------------------------- */

static struct source find_source(const struct enricher *enricher)
{
    struct event_text tag = event_text_of(enricher->event, EVENT_MORE_UTM_SOURCE);

    if (!tag.bytes)
        tag = enricher->tags.ref;
    if (!tag.bytes)
        tag = enricher->tags.source;
    if (!tag.bytes && enricher->has_referrer)
        tag = enricher->referrer.host;
    return tag.bytes ? source_find(&tag) : (struct source){.kind = SOURCE_OTHER};
}

static enum bot_reason step_source(struct enricher *enricher)
{
    struct event *event = enricher->event;
    struct source source = find_source(enricher);
    struct event_text medium = event_text_of(event, EVENT_MORE_UTM_MEDIUM);
    struct channel_facts facts = {
        .source = &source, .medium = &medium, .click = enricher->click};

    if (event_has(event, EVENT_MORE_DURATION_MS))
        return BOT_NONE; /* an engagement is of the visit that there is */
    facts.is_direct = !source.name.bytes && enricher->facts->is_page && is_view(event);
    if (facts.is_direct)
        source.name = text_of("Direct");
    event_set_text(event, EVENT_MORE_SOURCE, source.name);
    set_constant(enricher, EVENT_MORE_CHANNEL, channel_of(&facts));
    return BOT_NONE;
}

/* --- language ------------------------------------------------------------------------------ */

static enum bot_reason step_language(struct enricher *enricher)
{
    struct event_text tag = event_text_of(enricher->event, EVENT_MORE_LANGUAGE);
    struct event_text header = text_of(enricher->facts->accept_language);
    char language[LANGUAGE_MAX];
    size_t len = 0;

    if (tag.bytes)
        len = language_of_tag(&tag, language);
    else if (enricher->facts->is_page && header.bytes)
        len = language_of_header(&header, language);
    event_set_text(enricher->event, EVENT_MORE_LANGUAGE, keep(enricher, language, len));
    return BOT_NONE;
}

/* --- visitor --------------------------------------------------------------------------------- */

static enum bot_reason step_visitor(struct enricher *enricher)
{
    struct event *event = enricher->event;
    struct siphash_key salt;

    if (!enricher->has_address || enricher->facts->wants_no_visitor ||
        enricher->user_agent.len == 0)
        return BOT_NONE;
    if (!salts_take(enricher->options.salts, event->received_at_ms, &salt))
        metric_add(&enricher->options.metrics->own_salts, 1);
    event_set_id(event, EVENT_MORE_VISITOR_ID,
                 visitor_id(&salt, event->site_id.bytes, event->site_id.len,
                            &enricher->address, enricher->user_agent.bytes,
                            enricher->user_agent.len));
    return BOT_NONE;
}

/* --- place ------------------------------------------------------------------------------------ */

static enum bot_reason step_place(struct enricher *enricher)
{
    struct place place = {.country = ""};

    if (enricher->has_address)
        place_find(enricher->facts->places, &enricher->address, &place);
    if (enricher->facts->country && !event_has(enricher->event, EVENT_MORE_IP))
        place_of_header(enricher->facts->country, &place);
    event_set_text(enricher->event, EVENT_MORE_COUNTRY,
                   keep(enricher, place.country, strlen(place.country)));
    event_set_text(enricher->event, EVENT_MORE_REGION,
                   keep(enricher, place.region, strlen(place.region)));
    event_set_text(enricher->event, EVENT_MORE_CITY,
                   keep(enricher, place.city, strlen(place.city)));
    return BOT_NONE;
}

/* --- all of them ------------------------------------------------------------------------------ */

static const step_fn steps[ENRICH_STEP_COUNT] = {
#define STEP(NAME, text, function) step_##function,
    ENRICH_STEPS(STEP)
#undef STEP
};

static int64_t clock_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* fails only for an unknown clock */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

enum err_code enricher_new(const struct enrich_options *options,
                           struct enricher **ret_enricher, struct err *err)
{
    struct enricher *enricher = mem_calloc(1, sizeof(*enricher));

    if (!enricher || arena_init(&enricher->arena, ARENA_BYTES)) {
        enricher_free(enricher);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    enricher->options = *options;
    *ret_enricher = enricher;
    return ERR_OK;
}

void enricher_free(struct enricher *enricher)
{
    if (!enricher)
        return;
    arena_release(&enricher->arena);
    mem_free(enricher);
}

void enricher_clear(struct enricher *enricher)
{
    arena_clear(&enricher->arena);
}

static void begin(struct enricher *enricher, const struct request_facts *facts,
                  struct event *event)
{
    enricher->facts = facts;
    enricher->event = event;
    enricher->tags = (struct tags){.ref = {NULL, 0}};
    enricher->click = NULL;
    enricher->has_referrer = false;
    enricher->agent = NULL;
    enricher->has_address = false;
}

static enum bot_reason run(struct enricher *enricher)
{
    struct enrich_metrics *metrics = enricher->options.metrics;
    enum bot_reason reason = BOT_NONE;
    int64_t before_ns = clock_ns();

    for (size_t i = 0; i < ENRICH_STEP_COUNT && reason == BOT_NONE; i++) {
        int64_t after_ns;
        reason = steps[i](enricher);
        after_ns = clock_ns();
        metric_add(&metrics->runs[i], 1);
        metric_add(&metrics->ns[i], after_ns - before_ns);
        before_ns = after_ns;
    }
    if (reason != BOT_NONE)
        metric_add(&metrics->dropped[reason], 1);
    return reason;
}

enum bot_reason enricher_run(struct enricher *enricher, const struct request_facts *facts,
                             struct event *event)
{
    if (!facts->is_page && !(event->more & inputs))
        return BOT_NONE;
    begin(enricher, facts, event);
    return run(enricher);
}
