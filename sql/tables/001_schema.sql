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

-- The sites, made by their first event or by processor --sites.  Two numbers: site_no is that
-- of its counts, and changes when they are made anew; home_no never does.
CREATE SEQUENCE sites_site_no_seq AS integer;
CREATE TABLE sites (
    site_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    site_no    integer          NOT NULL UNIQUE DEFAULT nextval('sites_site_no_seq'),
    home_no    integer          NOT NULL UNIQUE DEFAULT nextval('sites_site_no_seq'),
                                -- of its values in dictionary
    time_zone  text             NOT NULL DEFAULT 'UTC', -- a name that Postgres knows
    folded     date             NOT NULL DEFAULT '-infinity', -- months before it are folded
    created_at timestamptz      NOT NULL DEFAULT now()
);
ALTER SEQUENCE sites_site_no_seq OWNED BY sites.site_no;

-- By what events and visits are counted; functions/dimensions.sql has the rows.
CREATE TABLE dimensions (
    dimension  smallint NOT NULL PRIMARY KEY,
    name       text     NOT NULL UNIQUE,
    kind       text     NOT NULL CHECK (kind IN ('event', 'visit')),
    expression text     NOT NULL -- over a row e of events
);

-- The values of dimensions by number: a value may have 8 KB and no index row can hold that.
-- The hash is the key by which a value is found, value_id the key by which it is counted.
CREATE SEQUENCE dictionary_value_id_seq AS bigint;
CREATE TABLE dictionary (
    value_id  bigint           NOT NULL PRIMARY KEY DEFAULT nextval('dictionary_value_id_seq'),
    home_no   integer          NOT NULL, -- of sites
    dimension smallint         NOT NULL,
    is_other  boolean          NOT NULL DEFAULT false, -- what came when there were too many
    hash      bytea            NOT NULL, -- half the sha256 of the value in UTF-8; '' is_other
    value     text COLLATE "C" NOT NULL,
    UNIQUE (home_no, dimension, hash)
);
ALTER SEQUENCE dictionary_value_id_seq OWNED BY dictionary.value_id;

-- How many values of a site were new on a day (of UTC).
CREATE TABLE values_made (
    home_no   integer  NOT NULL,
    dimension smallint NOT NULL,
    day       date     NOT NULL,
    made      integer  NOT NULL,
    PRIMARY KEY (home_no, dimension, day)
);

-- Figures of a site: of all time (grain 0), a day (1) and an hour (2).
--
-- An event, page view and user counts where its own time is, a visit with all it has where
-- its first event is.  Days and hours are those of the site's time zone: hour is the moment
-- at which it begins, so a day on which the clocks change has 23 or 25.
--
-- The top pages are kept, not searched for: counts only grow, so the ten first after a chunk
-- are among the ten first before it and the pages that the chunk touched.  Which ten is kept
-- here, and how often each was seen in counts.
CREATE TABLE totals (
    site_no     integer          NOT NULL,
    grain       smallint         NOT NULL,
    day         date             NOT NULL, -- '-infinity' of all time
    hour        timestamptz      NOT NULL, -- '-infinity' unless of an hour
    events      bigint           NOT NULL,
    pageviews   bigint           NOT NULL,
    visits      bigint           NOT NULL,
    bounces     bigint           NOT NULL,
    visit_views bigint           NOT NULL, -- page views of those visits
    duration_ms bigint           NOT NULL, -- of those visits
    users       hll(14,5,2048,1) NOT NULL, -- exact up to 2,048 users
    top_pages   bigint[]         NOT NULL DEFAULT '{}', -- at most ten, in no order
    top_least   bigint           NOT NULL DEFAULT 0, -- events of the tenth, or fewer
    PRIMARY KEY (site_no, grain, day, hour)
) WITH (fillfactor = 80);

-- Figures of a value: of a day (grain 1), of a month that is folded (3) and, of pages, of all
-- time (0).  Nothing but the key is indexed, and pages have room, so that counting updates a
-- row without touching an index.
CREATE TABLE counts (
    site_no     integer         NOT NULL,
    dimension   smallint        NOT NULL,
    grain       smallint        NOT NULL,
    day         date            NOT NULL, -- the first of a month; '-infinity' of all time
    value_id    bigint          NOT NULL, -- of dictionary
    events      bigint          NOT NULL,
    pageviews   bigint          NOT NULL,
    visits      bigint          NOT NULL,
    bounces     bigint          NOT NULL,
    duration_ms bigint          NOT NULL,
    users       hll(11,5,128,1) NOT NULL, -- exact up to 128 users
    PRIMARY KEY (site_no, dimension, grain, day, value_id)
) WITH (fillfactor = 80);

-- One row: how far the roll-up has come, and what the last chunk took, by which all
-- processors pace themselves; and what the processors' settings say about it.
CREATE TABLE rollup_state (
    only_one    boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
    position    bigint      NOT NULL, -- every event with an id up to it is rolled up
    finished_at timestamptz NOT NULL, -- of the last chunk
    took_ms     integer     NOT NULL,
    raw_from    timestamptz NOT NULL DEFAULT '-infinity', -- no older events were dropped
    sites_max   integer     NOT NULL DEFAULT 100000,
    values_max  integer     NOT NULL DEFAULT 10000,
    hours_days  integer     NOT NULL DEFAULT 400,
    left_out    bigint      NOT NULL DEFAULT 0, -- events not counted: too many sites
    capped      bigint      NOT NULL DEFAULT 0, -- values that went to (other)
    hours_from  date        NOT NULL DEFAULT '-infinity' -- days before lack their hours, whatever
                                                         -- hours_days says now
);
INSERT INTO rollup_state (position, finished_at, took_ms) VALUES (0, now(), 0);

-- Events below the position that are not counted: the roll-up failed with each of them
-- alone.  They outlive retention, until rollup_retry_aside() counts them.
CREATE TABLE rollup_aside (
    id       bigint      NOT NULL PRIMARY KEY, -- of events
    reason   text        NOT NULL,
    aside_at timestamptz NOT NULL DEFAULT now()
);

-- Sites that are being counted anew, under the number site_no; functions/rebuild.sql has the
-- way.  A row whose command has ended is removed by the next command or by upkeep.
CREATE TABLE site_rebuilds (
    site_no    integer     NOT NULL PRIMARY KEY,
    site_id    text        COLLATE "C" NOT NULL UNIQUE,
    shadow_no  integer     NOT NULL, -- of what has been copied of the days that stay
    time_zone  text        NOT NULL,
    raw_from   timestamptz NOT NULL, -- of rollup_state when it began
    since      timestamptz NOT NULL, -- events from here on are counted anew
    first_day  date        NOT NULL, -- days before it stay as they are
    low        bigint      NOT NULL, -- events up to this id are taken by time
    at         timestamptz NOT NULL, -- those before this are counted
    same_low   bigint,               -- and of those of this moment those up to this id
    caught     bigint      NOT NULL, -- after low events are taken by id: up to here
    dimension  smallint    NOT NULL DEFAULT 0, -- where copying stands; 0: at totals
    day        date        NOT NULL DEFAULT '-infinity',
    value_id   bigint      NOT NULL DEFAULT 0,
    phase      text        NOT NULL DEFAULT 'count',
    aside      bigint[]    NOT NULL, -- events that are set aside
    counted    bigint      NOT NULL DEFAULT 0,
    touched_at timestamptz NOT NULL DEFAULT now()
);

-- Numbers of sites that nobody reads any more, whose rows are deleted little by little.
CREATE TABLE sites_gone (
    site_no integer NOT NULL PRIMARY KEY,
    is_home boolean NOT NULL -- it is the home_no of values
);

-- Months whose values are being folded, in the order of (dimension, value_id): what is up to
-- there is, and the roll-up adds to it.
CREATE TABLE folds (
    site_no   integer  NOT NULL PRIMARY KEY,
    month     date     NOT NULL,
    dimension smallint NOT NULL,
    value_id  bigint   NOT NULL
);

-- What the steps of a chunk hand each other, elements with the same index belonging together.
--
-- The events of a chunk: ids above low and up to high, of these sites.  Of a site that is
-- counted anew: of only_site, in a stretch of time, without those that are set aside.
CREATE TYPE rollup_source AS (
    low       bigint,
    high      bigint,
    site_ids  text[],
    site_nos  integer[],
    home_nos  integer[],
    zones     text[],
    folded    date[],
    only_site text,
    since     timestamptz,
    until     timestamptz,
    aside     bigint[]
);

-- What is to be added to totals; without users none are.
CREATE TYPE rollup_totals AS (
    site_nos    integer[],
    grains      smallint[],
    days        date[],
    hours       timestamptz[],
    events      bigint[],
    pageviews   bigint[],
    visits      bigint[],
    bounces     bigint[],
    visit_views bigint[],
    durations   bigint[],
    users       hll[]
);

-- The same of counts; of the rows that have been changed, events are all of them.
CREATE TYPE rollup_counts AS (
    site_nos   integer[],
    dimensions smallint[],
    grains     smallint[],
    days       date[],
    value_ids  bigint[],
    events     bigint[],
    pageviews  bigint[],
    visits     bigint[],
    bounces    bigint[],
    durations  bigint[],
    users      hll[]
);

-- The visits, merged from their events, which they outlive no longer than a pass of upkeep.
CREATE TABLE visits (
    site_no    integer     NOT NULL,
    visitor    bigint      NOT NULL, -- visitor_id, or a hash of user_id
    began_at   timestamptz NOT NULL, -- of the first event or engagement
    ended_at   timestamptz NOT NULL, -- of the last
    first_at   timestamptz,          -- the first event; NULL: engagements alone, no visit
    first_id   uuid,
    entry_at   timestamptz,          -- the first page view; NULL: none
    entry_id   uuid,
    exit_at    timestamptz,          -- the last page view
    exit_id    uuid,
    events     bigint      NOT NULL,
    pageviews  bigint      NOT NULL,
    engaged_ms bigint      NOT NULL,
    users      bigint[]    NOT NULL, -- by event_user_key()
    value_ids  bigint[]    NOT NULL, -- by dimension_place(): of dictionary; NULL: has none
    PRIMARY KEY (site_no, visitor, began_at)
) WITH (fillfactor = 80);
CREATE INDEX visits_site_time ON visits (site_no, first_at);

-- The days whose visits changed so that the users of values are to be counted anew: a sketch
-- forgets nobody.  Of exit pages always, for a visit leaves one with each view.
CREATE TABLE stale_users (
    site_no integer     NOT NULL,
    day     date        NOT NULL,
    is_all  boolean     NOT NULL, -- of all values, not of exit pages alone
    since   timestamptz NOT NULL,
    PRIMARY KEY (site_no, day)
);

-- A visit before and after a chunk: was is NULL of a new one, now of one that was joined to
-- another.  Where it moves its values or its first event have changed.
CREATE TYPE visit_change AS (
    tid   tid,
    was   visits,
    now   visits,
    moves boolean
);
