/* bots.h -- requests that are no visits: by what they call themselves, by what they ask for,
 * by whom they say they come from, and by their address.
 *
 * A program that poses as a browser is not found out.  Each reason is counted by whoever
 * drops the event.
 *
 * Pure but for bots_new(), which reads a file; read-only from then on, all loops may share it.
 */
#ifndef INGESTION_ENRICH_BOTS_H
#define INGESTION_ENRICH_BOTS_H

#include <stddef.h>

#include "shared/base/err.h"

struct address;

/* Where several hold the last one counts: it says the most.
 *    id, name in metrics, what it is */
#define BOT_REASONS(X)                                                                   \
    X(NONE, "none", "no bot")                                                            \
    X(NO_AGENT, "no_agent", "no User-Agent, or an empty one")                            \
    X(CRAWLER, "crawler", "a crawler, a feed reader, a link preview or a scanner")       \
    X(LIBRARY, "library", "a library for programs, such as curl")                        \
    X(HEADLESS, "headless", "a browser without a window")                                \
    X(MONITOR, "monitor", "something that watches whether or how fast a site answers")   \
    X(AI, "ai", "a fetcher of a language model")                                         \
    X(PREFETCH, "prefetch", "a browser that fetches a page nobody has asked for yet")    \
    X(SPAM, "referrer_spam", "its referrer is on the list of spammers")                  \
    X(IGNORED, "ignored_ip", "its address is in IGNORE_IPS")

enum bot_reason {
#define BOT_ENUM(id, name, what) BOT_##id,
    BOT_REASONS(BOT_ENUM)
#undef BOT_ENUM
    BOT_REASON_COUNT
};

/* "crawler" and so on; static. */
const char *bot_reason_name(enum bot_reason reason);

/* --- by the User-Agent alone ------------------------------------------------------- */

struct bot_names; /* opaque: the table of words made ready */

/* ERR_NOMEM. */
enum err_code bot_names_new(struct bot_names **ret_names, struct err *err) MUST_CHECK;
void bot_names_free(struct bot_names *names); /* NULL is fine */

/* One pass over the first 1,024 bytes; they may be anything and need not end in NUL. */
enum bot_reason bots_of_agent(const struct bot_names *names, const char *user_agent,
                              size_t len);

/* --- by the rest of the request ---------------------------------------------------- */

struct bots; /* opaque: the lists of the settings */

/* Headers and the like, NULL or 0 where they are not there; borrowed for the call. */
struct bot_facts {
    const char *purpose;     /* Purpose, or X-Purpose */
    const char *sec_purpose; /* Sec-Purpose */
    const char *x_moz;       /* X-Moz */
    const char *brands;      /* Sec-CH-UA */
    const char *referrer;    /* the host of the referrer, any case; need not end in NUL */
    size_t referrer_len;
    const struct address *address; /* of the client */
};

/* ignore_ips: addresses and networks, separated by commas (at most 64); spam_file: a file with
 * a host each line, # begins a comment; "" for none.  ERR_CONFIG names the setting. */
enum err_code bots_new(const char *ignore_ips, const char *spam_file,
                       struct bots **ret_bots, struct err *err) MUST_CHECK;
void bots_free(struct bots *bots); /* NULL is fine */

enum bot_reason bots_of_request(const struct bots *bots, const struct bot_facts *facts);

#endif
