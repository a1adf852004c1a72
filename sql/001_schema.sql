-- 001_schema.sql: the raw events, the dead letters, and the record of migrations.
--
-- The processor applies these files in order, all that are missing in one transaction
-- under an advisory lock, and notes each in schema_version.  A file that has been
-- released is never edited: its checksum is compared at every start.

CREATE TABLE schema_version (
    version    integer     NOT NULL PRIMARY KEY, -- the number in the file's name
    name       text        NOT NULL,             -- 001_schema.sql
    checksum   text        NOT NULL,             -- SHA-256 of the file, in hex
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Refuses an argument.  Functions that run with their owner's rights check all of theirs,
-- for whoever may call them may call them with anything.
CREATE FUNCTION must_be_within(p_name text, p_value bigint, p_low bigint, p_high bigint)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_value IS NULL OR p_value < p_low OR p_value > p_high THEN
        RAISE EXCEPTION '% must be from % to %, not %', p_name, p_low, p_high,
                        coalesce(p_value::text, 'NULL')
              USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- id orders the events for the roll-up, which takes all rows up to a settled bound.  CACHE
-- must stay 1: with a larger cache a session could hand out an id below that bound later.
CREATE SEQUENCE events_id_seq AS bigint CACHE 1;

-- One row per event.  Rows are inserted through this table, never straight into a
-- partition: the roll-up looks for writers here.  What is a text is compared by its bytes.
--
-- The key is the event's identity; every hop before it may repeat.  site_id and timestamp
-- are in it because a distributed and a partitioned table want them in each unique key.
CREATE TABLE events (
    id          bigint                   NOT NULL DEFAULT nextval('events_id_seq'),
    site_id     text        COLLATE "C"  NOT NULL,
    event_type  text        COLLATE "C"  NOT NULL,
    path        text        COLLATE "C"  NOT NULL,
    user_id     text        COLLATE "C",          -- NULL is nobody, '' is a user
    "timestamp" timestamptz              NOT NULL,
    event_id    uuid                     NOT NULL DEFAULT gen_random_uuid(),
    created_at  timestamptz              NOT NULL DEFAULT now(), -- when it was stored
    PRIMARY KEY (event_id, site_id, "timestamp")
) PARTITION BY RANGE ("timestamp");

ALTER SEQUENCE events_id_seq OWNED BY events.id;

-- Refuses what is no id that was given out: a bound beyond the newest would have the events
-- that come after it counted never.
CREATE FUNCTION rollup_check_id(p_name text, p_id bigint, p_low bigint) RETURNS void
LANGUAGE sql AS $$
    SELECT must_be_within(p_name, p_id, p_low,
                          CASE WHEN is_called THEN last_value ELSE 0 END)
      FROM events_id_seq
$$;

-- The lock that only one roll-up at a time holds; retention takes it too.
CREATE FUNCTION rollup_lock_key() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 7236271843561001 $$;

-- Takes every month that has no partition of its own.
CREATE TABLE events_default PARTITION OF events DEFAULT;

-- The roll-up's way to the newest rows.
CREATE INDEX events_id ON events (id);

-- A day of a site, in UTC.  Queries must use the same expression.
CREATE INDEX events_site_day ON events (site_id, (("timestamp" AT TIME ZONE 'UTC')::date));

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

-- Where a batch goes first when some of its events may be stored already: one table a
-- session, empty again after each transaction.
CREATE FUNCTION events_prepare_incoming() RETURNS void
LANGUAGE sql AS $$
    CREATE TEMPORARY TABLE IF NOT EXISTS events_incoming (
        place       integer,
        event_id    uuid,
        site_id     text COLLATE "C",
        event_type  text COLLATE "C",
        path        text COLLATE "C",
        user_id     text COLLATE "C",
        "timestamp" timestamptz
    ) ON COMMIT DELETE ROWS
$$;
