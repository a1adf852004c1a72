/* conf.c -- see conf.h. */
#include "ingestion/conf.h"

#include <stddef.h>

#include "ingestion/enrich/place.h"
#include "shared/access/secret.h"
#include "shared/daemon/conf.h"
#include "shared/event/event.h"

#define FIELD(field) offsetof(struct ingestion_conf, field)

static const struct conf_item items[] = {
    HTTP_CONF_LISTEN(struct ingestion_conf, "3000",
                     "TCP port of POST /event and the other ways in; 0: any free one"),
    REDIS_CONF_URL(struct ingestion_conf),
    CONF_ROW("INGEST_THREADS", CONF_INT, FIELD(ingest_threads), .initial = "0", .max = 64,
             .help = "Event loops, each with a thread; 0: one for each core"),
    CONF_ROW("ENQUEUE_TIMEOUT_MS", CONF_INT, FIELD(enqueue_timeout_ms), .initial = "2000",
             .min = 100, .max = 60000,
             .help = "Longest wait of a request for Redis to confirm its event, in "
                     "ms; then 503"),
    REDIS_CONF_TIMEOUT(struct ingestion_conf, "1000", 50),
    CONF_ROW("REDIS_CONFIRMS_WRITE", CONF_BOOL, FIELD(redis_confirms_write),
             .initial = "true",
             .help = "Whether 200 waits until Redis has written the event to its "
                     "file"),
    CONF_ROW("GROUP_MAX_EVENTS", CONF_INT, FIELD(group_max_events), .initial = "1000",
             .min = 1, .max = 10000, .help = "Events in one LPUSH at most"),
    CONF_ROW("GROUPS_IN_FLIGHT", CONF_INT, FIELD(groups_in_flight), .initial = "1",
             .min = 1, .max = 64,
             .help = "Groups of each loop that may wait for Redis's reply at the "
                     "same time"),
    CONF_ROW("GROUP_LINGER_MS", CONF_INT, FIELD(group_linger_ms), .initial = "2",
             .max = 100,
             .help = "Longest wait of a group for the clients just answered, while Redis "
                     "is slow, in ms"),
    CONF_ROW(
        "GROUP_POLL_US", CONF_INT, FIELD(group_poll_us), .initial = "100", .max = 1000,
        .help =
            "Time that a loop polls for the reply to a group of several events before it "
            "sleeps, in us"),
    CONF_ROW("PENDING_MAX_BYTES", CONF_INT, FIELD(pending_max_bytes),
             .initial = "16777216", .min = 1048576, .max = 1073741824,
             .help = "Bytes of the events that wait for Redis at most, for each "
                     "loop; beyond it 503 at once"),
    CONF_ROW("QUEUE_MAX_EVENTS", CONF_INT, FIELD(queue_max_events), .initial = "10000000",
             .max = 1000000000000,
             .help = "Events in the queue at most; beyond it the spool takes them, "
                     "then 503; 0: no limit"),
    CONF_ROW("SPOOL_DIR", CONF_TEXT, FIELD(spool_dir), .initial = "", .max = 4096,
             .help = "Folder for events that Redis does not take or has not "
                     "written; empty: none"),
    CONF_ROW("SPOOL_MAX_BYTES", CONF_INT, FIELD(spool_max_bytes), .initial = "1073741824",
             .min = 1048576, .max = 1125899906842624,
             .help = "Bytes of all spool files at most; beyond it as without a "
                     "spool"),
    CONF_ROW("SPOOL_SEGMENT_BYTES", CONF_INT, FIELD(spool_segment_bytes),
             .initial = "16777216", .min = 65536, .max = 1073741824,
             .help = "Bytes after which a spool file is finished"),
    HTTP_CONF_WAIT(struct ingestion_conf),
    HTTP_CONF_LIMITS(struct ingestion_conf, "10000", 1000000),
    CONF_ROW("MAX_BODY_BYTES", CONF_INT, FIELD(max_body_bytes), .initial = "102400",
             .min = 1024, .max = EVENT_BODY_MAX,
             .help = "Bytes of a request's body after decoding at most; beyond it "
                     "413"),
    CONF_ROW("MAX_BATCH_EVENTS", CONF_INT, FIELD(max_batch_events), .initial = "1000",
             .min = 1, .max = 10000,
             .help = "Events in the body of a POST /batch at most; beyond it 413"),
    CONF_ROW("MAX_BATCH_BYTES", CONF_INT, FIELD(max_batch_bytes), .initial = "2097152",
             .min = 1024, .max = 8388608,
             .help =
                 "Bytes of the body of a POST /batch after decoding at most; beyond it "
                 "413"),
    CONF_ROW("BODIES_MAX_BYTES", CONF_INT, FIELD(bodies_max_bytes), .initial = "67108864",
             .min = 1048576, .max = 1099511627776,
             .help = "Bytes of memory for all unfinished bodies over 4,096 bytes "
                     "at most; beyond it 503"),
    CONF_ROW("MAX_DRAIN_BYTES", CONF_INT, FIELD(max_drain_bytes), .initial = "16777216",
             .max = 1073741824,
             .help = "Bytes of a refused body that are read and thrown away, so "
                     "that the client reads its answer"),
    HTTP_CONF_TIMEOUTS(struct ingestion_conf, "620000"),
    CONF_ROW("SHUTDOWN_TIMEOUT_MS", CONF_INT, FIELD(shutdown_timeout_ms),
             .initial = "4000", .min = 100, .max = 60000,
             .help = "Longest time after SIGTERM to answer the requests under way, "
                     "in ms"),
    CONF_ROW(
        "INGEST_KEY", CONF_SECRET, FIELD(ingest_key), .initial = "", .max = SECRET_MAX,
        .help = "Key that POST /event and /batch must bring as Authorization: Bearer; "
                "empty: none is asked for"),
    CONF_ROW("INGEST_KEY_FILE", CONF_TEXT, FIELD(ingest_key_file), .initial = "",
             .max = 4096,
             .help = "File whose first line is that key, in place of INGEST_KEY"),
    CONF_ROW("COLLECT_PATH", CONF_TEXT, FIELD(collect_path), .initial = "/collect",
             .max = 255, .help = "Path of POST /collect, to which pages send"),
    CONF_ROW("PIXEL_PATH", CONF_TEXT, FIELD(pixel_path), .initial = "/pixel.gif",
             .max = 255, .help = "Path of the pixel for pages without script"),
    CONF_ROW("URL_QUERY_KEYS", CONF_TEXT, FIELD(url_query_keys), .initial = "",
             .max = 4096,
             .help = "Keys of a url's query that stay in its path, separated by commas; "
                     "empty: none"),
    CONF_ROW("ALLOWED_SITES", CONF_TEXT, FIELD(allowed_sites), .initial = "",
             .max = 65536,
             .help = "site_ids that are taken, separated by commas; empty: all"),
    CONF_ROW("TIMESTAMP_AHEAD_MAX_S", CONF_INT, FIELD(timestamp_ahead_max_s),
             .initial = "0", .max = 315360000,
             .help = "Longest time that a timestamp may lie ahead of the clock, in "
                     "s; 0: no limit"),
    CONF_ROW("VISITOR_DAY_STARTS_UTC", CONF_INT, FIELD(visitor_day_starts_utc),
             .initial = "0", .max = 23,
             .help = "Hour of UTC at which visitors without a cookie get new "
                     "numbers, best one when few are awake"),
    CONF_ROW("RESPECT_GPC", CONF_BOOL, FIELD(respect_gpc), .initial = "true",
             .help = "Count the events of browsers that send Sec-GPC: 1 without a "
                     "visitor"),
    CONF_ROW("GEOIP_DB", CONF_TEXT, FIELD(geoip_db), .initial = "", .max = 4096,
             .help = "Database of places in MaxMind's format (GeoLite2, DB-IP, IPinfo); "
                     "empty: GEOIP_TEXT_DIR"),
    CONF_ROW("GEOIP_TEXT_DIR", CONF_TEXT, FIELD(geoip_text_dir),
             .initial = PLACES_TEXT_DIR, .max = 4096,
             .help = "Folder of geoip and geoip6 as Debian's tor-geoipdb has them: "
                     "countries by IPFire Location, CC BY-SA 4.0; empty: none"),
    CONF_ROW("COUNTRY_HEADER", CONF_TEXT, FIELD(country_header), .initial = "", .max = 64,
             .help = "Header with the country, such as CF-IPCountry, believed only from "
                     "TRUSTED_PROXIES; empty: none"),
    CONF_ROW("IGNORE_IPS", CONF_TEXT, FIELD(ignore_ips), .initial = "", .max = 8192,
             .help = "Addresses and networks whose visits are not counted, at most 64, "
                     "separated by commas"),
    CONF_ROW("REFERRER_SPAM_FILE", CONF_TEXT, FIELD(referrer_spam_file), .initial = "",
             .max = 4096,
             .help = "File with a host each line whose referrers are spam; empty: none"),
    CONF_ROW("AGENT_CACHE_ENTRIES", CONF_INT, FIELD(agent_cache_entries),
             .initial = "4096", .max = 1000000,
             .help = "User-Agents whose browser is remembered, for each loop; 0: none"),
    CONF_ROW("TRACKER_PATH", CONF_TEXT, FIELD(tracker_path), .initial = "/t.js",
             .max = 100, .help = "Path of the tracker, for block lists go by names"),
    CONF_ROW("CORS_ORIGINS", CONF_TEXT, FIELD(cors_origins), .initial = "*", .max = 8192,
             .help = "Origins whose pages may send events, separated by commas "
                     "(https://*.a.example); *: all"),
    GUARD_CONF_RATES(struct ingestion_conf),
    CONF_ROW("RATE_LIMIT_PER_SITE", CONF_INT, FIELD(rate_limit_per_site), .initial = "0",
             .max = 10000000,
             .help = "Events a second of one site_id at most, then 429; 0: no "
                     "limit"),
    GUARD_CONF_CLIENTS(struct ingestion_conf),
    CONF_LOG_LEVEL(struct ingestion_conf),
    {.name = NULL},
};

const struct conf_program ingestion_program = {
    .name = "ingestion",
    .summary = "takes events over HTTP and puts them on the Redis queue",
    .items = items,
};
