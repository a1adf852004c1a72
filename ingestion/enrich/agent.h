/* agent.h -- browser, operating system and kind of device of a User-Agent header.
 *
 * A table of texts that are looked for in one pass (tables/agent_texts.h), and tables of
 * rules over what was found (tables/agent_rules.h): the first that holds names the browser,
 * another the system, another the device.  Names are those of uap-core, but for the few of
 * docs/agents.md.  It is no parser of all that was ever sent: what no row knows is not named.
 *
 * Pure, bounded: only the first AGENT_BYTES_MAX bytes are looked at; no allocation but in
 * agents_new().  Bytes may be anything, NUL and what is not UTF-8 included.
 */
#ifndef INGESTION_ENRICH_AGENT_H
#define INGESTION_ENRICH_AGENT_H

#include <stddef.h>

#include "shared/base/err.h"

enum {
    AGENT_BYTES_MAX = 1024,
    AGENT_VERSION_MAX = 16 /* with the NUL */
};

#define AGENT_DEVICES(X)                                                                 \
    X(DESKTOP, "desktop")                                                                \
    X(MOBILE, "mobile")                                                                  \
    X(TABLET, "tablet")                                                                  \
    X(TV, "tv")                                                                          \
    X(OTHER, "other")

enum agent_device {
#define AGENT_ENUM(id, name) AGENT_##id,
    AGENT_DEVICES(AGENT_ENUM)
#undef AGENT_ENUM
    AGENT_DEVICE_COUNT
};

/* What a User-Agent says.  A value: it may be copied, and lives on its own. */
struct agent {
    const char *browser;                     /* static; NULL: not known */
    const char *os;                          /* static; NULL: not known */
    char browser_version[AGENT_VERSION_MAX]; /* the major one; "": not known */
    char os_version[AGENT_VERSION_MAX];      /* "7", "10.9", "17.2"; "": not known */
    enum agent_device device;
};

/* User agent client hints, as they stand in their headers; NULL: not sent. */
struct agent_hints {
    const char *brands;   /* Sec-CH-UA */
    const char *platform; /* Sec-CH-UA-Platform */
    const char *mobile;   /* Sec-CH-UA-Mobile */
};

struct agents; /* opaque: the tables made ready; read-only, all loops may share them */

/* ERR_NOMEM. */
enum err_code agents_new(struct agents **ret_agents, struct err *err) MUST_CHECK;
void agents_free(struct agents *agents); /* NULL is fine */

/* What the header says; it need not end in NUL. */
void agent_classify(const struct agents *agents, const char *user_agent, size_t len,
                    struct agent *ret_agent);

/* Corrects *agent by hints that were sent.  Browsers say less and less in the User-Agent, and
 * one that poses as Chrome names itself here. */
void agent_apply_hints(struct agent *agent, const struct agent_hints *hints);

/* "desktop" and so on; static. */
const char *agent_device_name(enum agent_device device);

#endif
