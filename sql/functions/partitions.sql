-- partitions.sql: partitions made ahead of time, and retention.
--
-- Only months near the present get a partition of their own, whatever the timestamps that
-- clients send: others live in events_default.  Both functions run in one transaction,
-- are called at start and every hour, and give up with 55P03 when a lock cannot be had
-- within 1.5 s: writers queue behind them so long, and autovacuum gives way after 1 s.

CREATE OR REPLACE FUNCTION events_upkeep_lock_key() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 7236271843561002 $$;

CREATE OR REPLACE FUNCTION events_partition_name(p_month date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT to_char(p_month, '"events_y"YYYY"m"MM') $$;

-- Makes the partition of one month (its first day) unless it is there.  The month's rows
-- move out of events_default, ids and all, so that the roll-up sees no difference.
CREATE OR REPLACE FUNCTION events_add_partition(p_month date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    name text := events_partition_name(p_month);
    low  timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (p_month + interval '1 month')::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF p_month IS NULL OR NOT isfinite(p_month) OR p_month <> date_trunc('month', p_month)
       OR p_month < '0001-01-01' OR p_month > '9999-12-01' THEN
        RAISE EXCEPTION 'p_month must be the first day of a month of the years 1 to 9999, not %',
                        coalesce(p_month::text, 'NULL')
              USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE ONLY events IN SHARE UPDATE EXCLUSIVE MODE;
    LOCK TABLE events_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING INDEXES,
                        CONSTRAINT of_month
                        CHECK ("timestamp" >= %L AND "timestamp" < %L))', name, low, high);
    EXECUTE format('WITH moved AS (DELETE FROM events_default
                        WHERE "timestamp" >= $1 AND "timestamp" < $2 RETURNING *)
                    INSERT INTO %I SELECT * FROM moved', name) USING low, high;
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, low, high);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT of_month', name);
    RETURN true;
END
$$;

-- Makes the partitions from p_back months before the present one to p_ahead after it;
-- returns how many were new.
CREATE OR REPLACE FUNCTION events_add_partitions(p_back integer,
                                                 p_ahead integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    present date := date_trunc('month', now() AT TIME ZONE 'UTC');
    made    integer := 0;
BEGIN
    PERFORM must_be_within('p_back', p_back, 0, 120),
            must_be_within('p_ahead', p_ahead, 0, 24);
    -- Of several processors that start together one does it.
    IF NOT pg_try_advisory_xact_lock(events_upkeep_lock_key()) THEN
        RETURN 0;
    END IF;
    PERFORM set_config('lock_timeout', '1500', true);
    -- A chunk that was planned before a partition is attached and reads after its rows have
    -- moved would find them in neither place.
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    FOR i IN -p_back .. p_ahead LOOP
        IF events_add_partition((present + make_interval(months => i))::date) THEN
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END
$$;

-- Whether a partition has events that the roll-up has set aside; by its index, for few are.
CREATE OR REPLACE FUNCTION events_have_aside(p_name text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    has boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM rollup_aside a CROSS JOIN LATERAL (
                        SELECT FROM %I AS p WHERE p.id = a.id OFFSET 0) AS present)', p_name)
       INTO has;
    RETURN has;
END
$$;

-- Deletes the raw events of the months before the last p_months full ones; the rollups
-- stay.  Drops partitions, and deletes from events_default at most p_max_rows rows a call.
-- Rows that are not rolled up yet, or were set aside, stay until they are.  Returns the
-- partitions dropped and the rows deleted besides.
CREATE OR REPLACE FUNCTION events_drop_old(p_months integer, p_max_rows integer,
                                OUT dropped integer, OUT deleted bigint)
LANGUAGE plpgsql AS $$
DECLARE
    first_kept date;
    settled    bigint;
    newest     bigint;
    name       text;
BEGIN
    PERFORM must_be_within('p_months', p_months, 1, 1200),
            must_be_within('p_max_rows', p_max_rows, 1, 1000000);
    first_kept := date_trunc('month', now() AT TIME ZONE 'UTC')
                      - make_interval(months => p_months);
    dropped := 0;
    deleted := 0;
    IF NOT pg_try_advisory_xact_lock(events_upkeep_lock_key()) THEN
        RETURN;
    END IF;
    PERFORM set_config('lock_timeout', '1500', true);
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    SELECT position INTO settled FROM rollup_state;
    -- First, while nothing is locked: it may read all of events_default.
    DELETE FROM events_default
     WHERE ctid IN (SELECT ctid FROM events_default
                     WHERE "timestamp" < first_kept::timestamp AT TIME ZONE 'UTC'
                       AND id <= settled
                       AND NOT EXISTS (SELECT FROM rollup_aside a
                                        WHERE a.id = events_default.id)
                     LIMIT p_max_rows);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_y\d{4,}m\d\d$'
           AND c.relname < events_partition_name(first_kept)
         ORDER BY c.relname
    LOOP
        -- The parent first, as every writer does, or the two would wait for each other.
        LOCK TABLE ONLY events IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('SELECT max(id) FROM %I', name) INTO newest;
        IF newest IS NULL OR newest <= settled AND NOT events_have_aside(name) THEN
            EXECUTE format('DROP TABLE %I', name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    IF dropped + deleted > 0 THEN
        UPDATE rollup_state
           SET raw_from = first_kept::timestamp AT TIME ZONE 'UTC'
         WHERE raw_from < first_kept::timestamp AT TIME ZONE 'UTC';
    END IF;
END
$$;

-- Whether a site's paths are to be found by an index (PATHS_INDEX): drops it, or makes it again.
-- The latter partition by partition, one a call, because each is locked against writers
-- meanwhile; the default one first, as it is small.  Returns how many steps were made: 0 when
-- there is nothing to do.
CREATE OR REPLACE FUNCTION events_keep_paths_index(p_wanted integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    has  boolean := to_regclass('events_site_path') IS NOT NULL;
    name text;
BEGIN
    PERFORM must_be_within('p_wanted', p_wanted, 0, 1);
    IF (p_wanted = 0 AND NOT has) OR NOT pg_try_advisory_xact_lock(events_upkeep_lock_key()) THEN
        RETURN 0;
    END IF;
    PERFORM set_config('lock_timeout', '1500', true);
    IF p_wanted = 0 OR NOT has THEN
        -- Before the tables, as everybody who locks more than one of them.
        PERFORM pg_advisory_xact_lock(rollup_lock_key());
        LOCK TABLE ONLY events IN ACCESS EXCLUSIVE MODE;
    END IF;
    IF p_wanted = 0 THEN
        DROP INDEX events_site_path;
        RETURN 1;
    END IF;
    IF NOT has THEN
        CREATE INDEX events_site_path ON ONLY events (site_id, "left"(path, 256));
        RETURN 1;
    END IF;
    SELECT c.relname INTO name
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'events'::regclass
       AND NOT EXISTS (SELECT FROM pg_index x JOIN pg_inherits p ON p.inhrelid = x.indexrelid
                        WHERE x.indrelid = c.oid
                          AND p.inhparent = 'events_site_path'::regclass)
     ORDER BY c.relname
     LIMIT 1;
    IF name IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE INDEX %I ON %I (site_id, "left"(path, 256))', name || '_path', name);
    EXECUTE format('ALTER INDEX events_site_path ATTACH PARTITION %I', name || '_path');
    RETURN 1;
END
$$;
