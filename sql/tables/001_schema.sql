-- 001_schema.sql: all tables, and what else is made once.
--
-- The processor applies the files of this folder in order, all that are missing in one
-- transaction under an advisory lock, and notes each in schema_version.  A file that has
-- been released is never edited: its checksum is compared at every start.  The functions
-- stand in sql/functions, and are made anew whenever one of them has changed.
--
-- Programs that read the tables and know at least this version understand them:
-- readable since 1

CREATE TABLE schema_version (
    version        integer     NOT NULL PRIMARY KEY, -- the number in the file's name
    name           text        NOT NULL,             -- 001_schema.sql
    checksum       text        NOT NULL,             -- SHA-256 of the file, in hex
    readable_since integer     NOT NULL, -- readers of this version understand the schema
    applied_at     timestamptz NOT NULL DEFAULT now()
);

-- One row: which functions are in force, and the version of the program that made them.
CREATE TABLE schema_functions (
    only_one   boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
    checksum   text        NOT NULL, -- SHA-256 over the checksums of sql/functions
    program    text        NOT NULL, -- 1.0.0
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- id orders the events for the roll-up, which takes all rows up to a settled bound.  CACHE
-- must stay 1: with a larger cache a session could hand out an id below that bound later.
CREATE SEQUENCE events_id_seq AS bigint CACHE 1;

-- One row per event.  Rows are inserted through this table, never straight into a
-- partition: the roll-up looks for writers here.  What is a text is compared by its bytes.
--
-- The key is the event's identity; every hop before it may repeat.  site_id and timestamp
-- are in it because a distributed and a partitioned table want them in each unique key.
-- timestamp comes first: most events arrive in the order of time, so that new keys go to the
-- few pages at the end, whatever the event_ids are.
CREATE TABLE events (
    id          bigint                   NOT NULL DEFAULT nextval('events_id_seq'),
    site_id     text        COLLATE "C"  NOT NULL,
    event_type  text        COLLATE "C"  NOT NULL,
    path        text        COLLATE "C"  NOT NULL,
    user_id     text        COLLATE "C",          -- NULL is nobody, '' is a user
    "timestamp" timestamptz              NOT NULL,
    event_id    uuid                     NOT NULL DEFAULT gen_random_uuid(),
    created_at  timestamptz              NOT NULL DEFAULT now(), -- when it was stored

    -- What few events have: NULL costs a bit.
    hostname        text COLLATE "C",
    referrer        text COLLATE "C", -- without scheme, www., query and fragment
    utm_source      text COLLATE "C",
    utm_medium      text COLLATE "C",
    utm_campaign    text COLLATE "C",
    utm_content     text COLLATE "C",
    utm_term        text COLLATE "C",
    screen_width    integer,
    language        text COLLATE "C", -- the first subtag
    props           jsonb,            -- strings, numbers and booleans by name
    duration_ms     integer,          -- not NULL: an engagement, which is no event
    scroll          integer,          -- 0 to 100
    source          text COLLATE "C",
    channel         text COLLATE "C",
    click           text COLLATE "C", -- the name of the click id that the url had
    browser         text COLLATE "C",
    browser_version text COLLATE "C",
    os              text COLLATE "C",
    os_version      text COLLATE "C",
    device          text COLLATE "C",
    country         text COLLATE "C", -- ISO 3166-1 alpha-2
    region          text COLLATE "C", -- ISO 3166-2
    city            text COLLATE "C",
    visitor_id      bigint,           -- derived anew each day; 64 bits

    PRIMARY KEY ("timestamp", event_id, site_id)
) PARTITION BY RANGE ("timestamp");

ALTER SEQUENCE events_id_seq OWNED BY events.id;

-- Takes every month that has no partition of its own.
CREATE TABLE events_default PARTITION OF events DEFAULT;

-- The roll-up's way to the newest rows.
CREATE INDEX events_id ON events (id);

-- A range of time of a site: a day in any zone, the last half hour.
CREATE INDEX events_site_time ON events (site_id, "timestamp");

-- The paths of a site.  A path may have 2,048 characters of four bytes and an index row
-- holds about 2,700 bytes, so the index has the beginning only.
CREATE INDEX events_site_path ON events (site_id, "left"(path, 256));

-- Jobs that could not be stored, with the bytes as they stood in the queue.  They commit
-- with the rest of their batch.  The key makes a batch that is run twice harmless.
CREATE TABLE dead_letters (
    event_id       uuid        NOT NULL, -- the event's, or made from batch and place
    site_id        text        COLLATE "C",  -- NULL when it could not be read
    payload        bytea       NOT NULL, -- the job, at most its first 1,048,576 bytes
    payload_bytes  bigint      NOT NULL, -- the length of the whole job
    payload_sha256 bytea       NOT NULL GENERATED ALWAYS AS (sha256(payload)) STORED,
    reason         text        NOT NULL, -- one sentence
    sqlstate       text,                 -- of Postgres; NULL when the job itself is wrong
    batch_id       text        NOT NULL,
    batch_place    integer     NOT NULL, -- from 0, in the order of the batch
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, payload_sha256)
);
CREATE INDEX dead_letters_created_at ON dead_letters (created_at);

CREATE EXTENSION IF NOT EXISTS hll;

-- Paths by number: a path may have 8 KB and no index row can hold that.  The hash is the
-- key by which a path is found, path_id the key by which it is counted.
CREATE SEQUENCE paths_path_id_seq AS bigint;
CREATE TABLE paths (
    site_id   text   COLLATE "C" NOT NULL,
    path_id   bigint             NOT NULL DEFAULT nextval('paths_path_id_seq'),
    path_hash bytea              NOT NULL, -- sha256 of the path in UTF-8
    path      text   COLLATE "C" NOT NULL,
    PRIMARY KEY (site_id, path_id),
    UNIQUE (site_id, path_hash)
);
ALTER SEQUENCE paths_path_id_seq OWNED BY paths.path_id;

-- One row per site and day: all that /stats needs.
--
-- The top paths are kept, not searched for: counts only grow, so the ten first after a
-- chunk are among the ten first before it and the paths that the chunk touched.  Order:
-- views descending, then path ascending by bytes.
CREATE TABLE rollup_sites (
    site_id      text COLLATE "C"  NOT NULL,
    day          date              NOT NULL, -- '-infinity': all time
    views        bigint            NOT NULL,
    users        hll(14,5,2048,1)  NOT NULL, -- exact up to 2,048 users
    top_path_ids bigint[]          NOT NULL DEFAULT '{}', -- at most ten, first one first
    top_views    bigint[]          NOT NULL DEFAULT '{}', -- of the same places
    PRIMARY KEY (site_id, day)
) WITH (fillfactor = 80);

-- One row per site, day and path.  Nothing but the key is indexed, and pages have room,
-- so that counting updates a row without touching an index.  The numbers come first in
-- the key: they are compared much faster than texts, and tell the site by themselves.
CREATE TABLE rollup_paths (
    site_id text COLLATE "C" NOT NULL,
    day     date             NOT NULL, -- '-infinity': all time
    path_id bigint           NOT NULL, -- of paths
    views   bigint           NOT NULL,
    PRIMARY KEY (path_id, day, site_id)
) WITH (fillfactor = 80);

-- One row: how far the roll-up has come, and what the last chunk took, by which all
-- processors pace themselves.
CREATE TABLE rollup_state (
    only_one    boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
    position    bigint      NOT NULL, -- every event with an id up to it is rolled up
    finished_at timestamptz NOT NULL, -- of the last chunk
    took_ms     integer     NOT NULL
);
INSERT INTO rollup_state (position, finished_at, took_ms) VALUES (0, now(), 0);

-- Events below the position that are not counted: the roll-up failed with each of them
-- alone.  They outlive retention, until rollup_retry_aside() counts them.
CREATE TABLE rollup_aside (
    id       bigint      NOT NULL PRIMARY KEY, -- of events
    reason   text        NOT NULL,
    aside_at timestamptz NOT NULL DEFAULT now()
);

-- Counts of paths, in arrays.
CREATE TYPE rollup_counts AS (
    sites    text[],
    days     date[],
    path_ids bigint[],
    views    bigint[]
);
