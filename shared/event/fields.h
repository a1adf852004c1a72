/* fields.h -- the fields of an event, one row each; everything that knows them is made from
 * these tables: struct event, the rules of the parser, the job of the queue, the columns of
 * COPY, and the table of docs/protocol.md.
 *
 *   X(NAME, key, TYPE, member, presence, least, most)
 *
 *   NAME      of its flaw, EVENT_FLAW_NAME
 *   key       in the JSON of clients and jobs, and its column in the table events
 *   TYPE      TEXT   a string of `least` to `most` characters
 *             TIME   a point in time, as milliseconds since 1970
 *             UUID   a string in the 36-character form
 *             INT    a whole number from `least` to `most`, at most that of an int32_t
 *             PROPS  an object of strings, numbers and booleans, see props.h
 *             ID64   64 bits: 16 hexadecimal digits in a job, a bigint in the table
 *   member    of struct event
 *   presence  EVENT_REQUIRED  the key must be there
 *             EVENT_NULLABLE  absent and null are the same, written as null
 *             EVENT_OPTIONAL  absent and null are the same, and absent from the job; so
 *                             is "" where the least is 0
 *             the same, with more to it, in the tables of what few events have:
 *             EVENT_CLIENT    optional, from clients and jobs
 *             EVENT_INPUT     from clients alone, and no column: other fields are derived
 *                             from it at the door, where it is forgotten
 *             EVENT_DERIVED   from jobs alone: what ingestion has derived, or another
 *                             program that writes jobs
 *
 * The order is that in which the rules are judged; that of the job is the same, with
 * event_id in front.
 */
#ifndef SHARED_EVENT_FIELDS_H
#define SHARED_EVENT_FIELDS_H

enum event_presence {
    EVENT_REQUIRED,
    EVENT_NULLABLE,
    EVENT_OPTIONAL,
    EVENT_CLIENT,
    EVENT_INPUT,
    EVENT_DERIVED
};

/* clang-format off */
#define EVENT_FIELDS(X) \
    X(SITE_ID,     "site_id",     TEXT, site_id,        EVENT_REQUIRED, 1, 255) \
    X(EVENT_TYPE,  "event_type",  TEXT, event_type,     EVENT_REQUIRED, 1, 255) \
    X(PATH,        "path",        TEXT, path,           EVENT_REQUIRED, 1, 2048) \
    X(USER_ID,     "user_id",     TEXT, user_id,        EVENT_NULLABLE, 0, 255) \
    X(TIMESTAMP,   "timestamp",   TIME, timestamp_ms,   EVENT_REQUIRED, 0, 0) \
    X(EVENT_ID,    "event_id",    UUID, event_id,       EVENT_OPTIONAL, 0, 0)

/* What only jobs have, and no column: refused from clients. */
#define EVENT_JOB_FIELDS(X) \
    X(RECEIVED_AT, "received_at", TIME, received_at_ms, EVENT_OPTIONAL, 0, 0)

/* What clients may add.  With a url the path is not required. */
#define EVENT_CLIENT_FIELDS(X) \
    X(URL,          "url",          TEXT,  url,          EVENT_INPUT,  1, 4096) \
    X(HOSTNAME,     "hostname",     TEXT,  hostname,     EVENT_CLIENT, 1, 255) \
    X(REFERRER,     "referrer",     TEXT,  referrer,     EVENT_CLIENT, 0, 4096) \
    X(UTM_SOURCE,   "utm_source",   TEXT,  utm_source,   EVENT_CLIENT, 1, 255) \
    X(UTM_MEDIUM,   "utm_medium",   TEXT,  utm_medium,   EVENT_CLIENT, 1, 255) \
    X(UTM_CAMPAIGN, "utm_campaign", TEXT,  utm_campaign, EVENT_CLIENT, 1, 255) \
    X(UTM_CONTENT,  "utm_content",  TEXT,  utm_content,  EVENT_CLIENT, 1, 255) \
    X(UTM_TERM,     "utm_term",     TEXT,  utm_term,     EVENT_CLIENT, 1, 255) \
    X(SCREEN_WIDTH, "screen_width", INT,   screen_width, EVENT_CLIENT, 1, 100000) \
    X(LANGUAGE,     "language",     TEXT,  language,     EVENT_CLIENT, 1, 255) \
    X(PROPS,        "props",        PROPS, props,        EVENT_CLIENT, 0, 30) \
    X(DURATION_MS,  "duration_ms",  INT,   duration_ms,  EVENT_CLIENT, 0, 86400000) \
    X(SCROLL,       "scroll",       INT,   scroll,       EVENT_CLIENT, 0, 100) \
    X(USER_AGENT,   "user_agent",   TEXT,  user_agent,   EVENT_INPUT,  1, 4096) \
    X(IP,           "ip",           TEXT,  ip,           EVENT_INPUT,  1, 255)

/* What is derived at the door: refused from clients. */
#define EVENT_DERIVED_FIELDS(X) \
    X(SOURCE,          "source",          TEXT, source,          EVENT_DERIVED, 1, 255) \
    X(CHANNEL,         "channel",         TEXT, channel,         EVENT_DERIVED, 1, 255) \
    X(CLICK,           "click",           TEXT, click,           EVENT_DERIVED, 1, 255) \
    X(BROWSER,         "browser",         TEXT, browser,         EVENT_DERIVED, 1, 255) \
    X(BROWSER_VERSION, "browser_version", TEXT, browser_version, EVENT_DERIVED, 1, 255) \
    X(OS,              "os",              TEXT, os,              EVENT_DERIVED, 1, 255) \
    X(OS_VERSION,      "os_version",      TEXT, os_version,      EVENT_DERIVED, 1, 255) \
    X(DEVICE,          "device",          TEXT, device,          EVENT_DERIVED, 1, 255) \
    X(COUNTRY,         "country",         TEXT, country,         EVENT_DERIVED, 1, 255) \
    X(REGION,          "region",          TEXT, region,          EVENT_DERIVED, 1, 255) \
    X(CITY,            "city",            TEXT, city,            EVENT_DERIVED, 1, 255) \
    X(VISITOR_ID,      "visitor_id",      ID64, visitor_id,      EVENT_DERIVED, 0, 0)
/* clang-format on */

/* All that few events have. */
#define EVENT_MORE_FIELDS(X)                                                             \
    EVENT_CLIENT_FIELDS(X)                                                               \
    EVENT_DERIVED_FIELDS(X)

#endif
