-- rollup.sql: the roll-up: which events are taken, and in which steps.
--
-- A roll-up takes the events with position < id <= bound in one chunk and adds them to the
-- rollups in one transaction, so that at every moment the rollups are exactly the
-- aggregate of the raw rows up to rollup_state.position.  The bound is settled: no row
-- up to it can still appear.  Late events have new ids, so they are nothing special.
--
-- In each rollup the day '-infinity' stands for all time.  Days are those of the site's
-- time zone.

-- Whether there is something to roll up: rows waiting (ids, to be exact, some of which may
-- never appear), how long ago the last chunk ended, what it took, the position, how many
-- rows are set aside (at most 1,000 are looked at), how many events were left out because
-- there were too many sites, and how many values went to (other).  Cheap.
CREATE OR REPLACE FUNCTION rollup_pending(OUT waiting bigint, OUT rested_ms bigint,
                                          OUT took_ms integer, OUT rolled_up bigint, OUT aside bigint,
                                          OUT left_out bigint, OUT capped bigint)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN q.is_called THEN q.last_value ELSE 0 END - s.position,
           (1000 * extract(epoch FROM clock_timestamp() - s.finished_at))::bigint,
           s.took_ms, s.position,
           (SELECT count(*) FROM (SELECT FROM rollup_aside LIMIT 1000) AS a),
           s.left_out, s.capped
      FROM rollup_state s, events_id_seq q
$$;

-- The settled bound, in two steps, neither of which holds up a writer.  First: the newest
-- id given out, and the transactions that are writing to events.  An id is given out only
-- under the lock that shows them, and the id is read first; so once all of them have ended,
-- every row up to the id is committed or will never be.
CREATE OR REPLACE FUNCTION rollup_writers(OUT bound bigint, OUT writers text[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO bound FROM events_id_seq;
    SELECT array_agg(virtualtransaction) INTO writers FROM pg_locks
     WHERE locktype = 'relation' AND relation = 'events'::regclass
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND mode = 'RowExclusiveLock' AND granted;
END
$$;

-- Second: waits for those transactions, at most p_wait_ms.  True when all have ended.
CREATE OR REPLACE FUNCTION rollup_await(p_writers text[],
                                        p_wait_ms integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    deadline timestamptz := clock_timestamp() + make_interval(secs => p_wait_ms / 1000.0);
BEGIN
    WHILE EXISTS (SELECT FROM pg_locks
                   WHERE locktype = 'relation' AND relation = 'events'::regclass
                     AND virtualtransaction = ANY (p_writers))
    LOOP
        IF clock_timestamp() >= deadline THEN
            RETURN false;
        END IF;
        PERFORM pg_sleep(0.003);
    END LOOP;
    RETURN true;
END
$$;

-- Both steps in one, for people: the bound, or 55P03 when a writer takes longer.
CREATE OR REPLACE FUNCTION rollup_settled(p_wait_ms integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    present record;
BEGIN
    SELECT * INTO present FROM rollup_writers();
    IF NOT rollup_await(present.writers, p_wait_ms) THEN
        RAISE EXCEPTION 'a transaction that writes to events has not ended'
              USING ERRCODE = 'lock_not_available';
    END IF;
    RETURN present.bound;
END
$$;

-- The end of a chunk that begins after p_from: p_to, or less when the texts up to it have
-- more than p_max_bytes, 64 bytes being added for each row.  One row alone may have more.  A
-- row that ingestion takes has less than 12 kB, so few rows are not measured; the lengths are
-- read without the texts themselves.
CREATE OR REPLACE FUNCTION rollup_fit(p_from bigint, p_to bigint,
                                      p_max_bytes bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    high  bigint := p_to;
    bytes numeric;
BEGIN
    WHILE high - p_from > greatest(1, p_max_bytes / 12288) LOOP
        SELECT sum(64 + octet_length(site_id) + octet_length(path)
                      + coalesce(octet_length(user_id), 0)
                      + coalesce(octet_length(hostname), 0)) INTO bytes
          FROM events WHERE id > p_from AND id <= high;
        EXIT WHEN bytes IS NULL OR bytes <= p_max_bytes;
        high := p_from + greatest(1, trunc((high - p_from) * (p_max_bytes / bytes)))::bigint;
    END LOOP;
    RETURN high;
END
$$;

-- Makes the sites that are not there yet, as long as there may be more.
CREATE OR REPLACE FUNCTION rollup_add_sites(p_site_ids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    added text[];
BEGIN
    SELECT array_agg(f.site_id) INTO added FROM unnest(p_site_ids) AS f (site_id)
     WHERE NOT EXISTS (SELECT FROM sites s WHERE s.site_id = f.site_id OFFSET 0);
    IF added IS NULL THEN -- as nearly always
        RETURN;
    END IF;
    INSERT INTO sites (site_id)
    SELECT a.site_id FROM unnest(added) AS a (site_id) ORDER BY a.site_id
     LIMIT (SELECT greatest(0, sites_max - (SELECT count(*) FROM sites)) FROM rollup_state)
        ON CONFLICT DO NOTHING;
END
$$;

-- The source of a chunk: makes the sites that are new, as long as there may be more, and
-- looks up their numbers.  The events of others are not counted.
CREATE OR REPLACE FUNCTION rollup_find_source(p_from bigint, p_to bigint) RETURNS rollup_source
LANGUAGE plpgsql AS $$
DECLARE
    source rollup_source;
    found  text[];
BEGIN
    SELECT array_agg(DISTINCT site_id) INTO found FROM events WHERE id > p_from AND id <= p_to;
    PERFORM rollup_add_sites(found);
    source.low := p_from;
    source.high := p_to;
    SELECT array_agg(s.site_id), array_agg(s.site_no), array_agg(s.home_no),
           array_agg(s.time_zone), array_agg(s.folded)
      INTO source.site_ids, source.site_nos, source.home_nos, source.zones, source.folded
      FROM unnest(found) AS f (site_id)
     CROSS JOIN LATERAL (
           SELECT * FROM sites WHERE sites.site_id = f.site_id OFFSET 0) AS s;
    IF cardinality(found) > coalesce(cardinality(source.site_ids), 0) THEN
        UPDATE rollup_state SET left_out = left_out + (
               SELECT count(*) FROM events e
                WHERE e.id > p_from AND e.id <= p_to AND e.duration_ms IS NULL
                  AND e.site_id <> ALL (coalesce(source.site_ids, '{}')));
    END IF;
    RETURN source;
END
$$;

-- Counts the events of a source; returns how many there were.
--
-- The steps hand each other arrays of numbers and of site_ids, elements with the same index
-- belonging together: no temporary table, and the planner knows how many there are.  No array
-- has paths or users' names, which may be long.  rollup_chunk() switches off all plans but
-- those that start from the arrays and go through indexes, for the tables' statistics lag
-- behind.
CREATE OR REPLACE FUNCTION rollup_count(source rollup_source) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found  record;
    visits visit_change[];
    added  record;
BEGIN
    IF source.site_ids IS NULL THEN
        RETURN 0;
    END IF;
    SELECT * INTO found FROM rollup_count_events(source);
    PERFORM rollup_add_totals(found.totals);
    PERFORM rollup_set_tops(rollup_add_counts(rollup_spread(found.counts, source)));
    visits := rollup_find_visits(source);
    PERFORM rollup_write_visits(visits);
    SELECT * INTO added FROM rollup_count_visits(visits, source);
    PERFORM rollup_add_totals(added.totals);
    PERFORM rollup_add_counts(rollup_spread(added.counts, source));
    PERFORM rollup_note_stale(visits, source);
    RETURN found.taken;
END
$$;

-- Rolls up the events with p_from < id <= p_to; returns how many there were.
CREATE OR REPLACE FUNCTION rollup_range(p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE sql AS $$ SELECT rollup_count(rollup_find_source(p_from, p_to)) $$;

-- One chunk: rolls up at most p_max_rows events of at most p_max_bytes of text, up to the
-- settled bound p_bound.  Returns how many rows it took, and whether nothing settled is left.
-- NULL: another roll-up is at work.  One statement, so that a client that stalls holds
-- nothing.
CREATE OR REPLACE FUNCTION rollup_chunk(p_bound bigint, p_max_rows bigint,
                            p_max_bytes bigint DEFAULT 67108864,
                            OUT taken bigint, OUT is_done boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    begun timestamptz := clock_timestamp();
    low   bigint;
    high  bigint;
BEGIN
    PERFORM rollup_check_id('p_bound', p_bound, 0),
            must_be_within('p_max_rows', p_max_rows, 1, 10000000),
            must_be_within('p_max_bytes', p_max_bytes, 1, 268435456);
    IF NOT pg_try_advisory_xact_lock(rollup_lock_key()) THEN
        RETURN;
    END IF;
    SELECT position INTO low FROM rollup_state;
    high := least(p_bound, low + p_max_rows);
    taken := 0;
    is_done := high >= p_bound;
    IF high <= low THEN
        RETURN;
    END IF;
    high := rollup_fit(low, high, p_max_bytes);
    is_done := high >= p_bound;
    taken := rollup_range(low, high);
    PERFORM rollup_recount_users(CASE WHEN is_done THEN 10000 ELSE 1 END);
    UPDATE rollup_state
       SET position = high, finished_at = clock_timestamp(),
           took_ms = 1000 * extract(epoch FROM clock_timestamp() - begun);
END
$$;

-- Whether an error of the roll-up of a single event is the event's, which is set aside then:
-- not that of an outage, of a lock, of a full disk or of what a person has changed, which
-- would meet every event.  Memory may be short for other reasons, so it is tried again a few
-- times first.
CREATE OR REPLACE FUNCTION rollup_blames(p_sqlstate text, p_tries integer) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_sqlstate IN ('53200', '53400') THEN p_tries >= 10
                ELSE p_sqlstate !~ '^(08|25|28|3D|3F|40|42|53|55|57|58)' END
$$;

-- The smallest chunk: of one id.  An event with which it fails is set aside, in the same
-- transaction; p_tries says how often it has failed with it before.  aside_id and reason are
-- NULL unless that was done.  A wait for a lock ends before statement_timeout does, so that
-- the two are told apart.
CREATE OR REPLACE FUNCTION rollup_chunk_alone(p_bound bigint, p_tries integer,
                                  OUT taken bigint, OUT is_done boolean,
                                  OUT aside_id bigint, OUT reason text)
LANGUAGE plpgsql SET lock_timeout = '90ms' AS $$
DECLARE low bigint;
BEGIN
    -- Before the block whose errors are the event's.
    PERFORM rollup_check_id('p_bound', p_bound, 0),
            must_be_within('p_tries', p_tries, 0, 2147483647);
    BEGIN
        SELECT b.taken, b.is_done INTO taken, is_done FROM rollup_chunk(p_bound, 1) AS b;
    EXCEPTION WHEN OTHERS THEN
        IF NOT rollup_blames(SQLSTATE, p_tries) THEN
            RAISE;
        END IF;
        -- What failed has been undone, the lock included.
        SELECT s.position INTO low FROM rollup_state s;
        reason := left(SQLERRM, 1000) || ' (SQLSTATE ' || SQLSTATE || ')';
        IF coalesce(low < p_bound AND rollup_set_aside(low + 1, reason), false) THEN
            taken := 0;
            is_done := low + 1 >= p_bound;
            aside_id := low + 1;
        END IF; -- else another roll-up is at work: all NULL but the reason
    END;
END
$$;

-- Sets an event aside that must be the next one.  False: it is not.  NULL: another roll-up
-- is at work.
CREATE OR REPLACE FUNCTION rollup_set_aside(p_id bigint,
                                            p_reason text)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rollup_check_id('p_id', p_id, 1),
            must_be_within('the length of p_reason', length(p_reason), 1, 100000);
    IF NOT pg_try_advisory_xact_lock(rollup_lock_key()) THEN
        RETURN NULL;
    END IF;
    UPDATE rollup_state SET position = p_id, finished_at = clock_timestamp()
     WHERE position = p_id - 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO rollup_aside (id, reason) VALUES (p_id, left(p_reason, 1100));
    RETURN true;
END
$$;

-- For people, once the reason is mended: counts at most p_max of the events that were set
-- aside, the longest one first.  Returns how many, and with how many it failed again.
CREATE OR REPLACE FUNCTION rollup_retry_aside(p_max integer DEFAULT 1000,
                                   OUT counted bigint, OUT failed bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off SET work_mem = '64MB'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE row record;
BEGIN
    PERFORM must_be_within('p_max', p_max, 1, 1000000);
    counted := 0;
    failed := 0;
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    FOR row IN SELECT a.id FROM rollup_aside a ORDER BY a.aside_at, a.id LIMIT p_max LOOP
        BEGIN
            counted := counted + rollup_range(row.id - 1, row.id);
            DELETE FROM rollup_aside WHERE id = row.id;
        EXCEPTION WHEN OTHERS THEN
            failed := failed + 1;
            UPDATE rollup_aside SET aside_at = clock_timestamp(), reason = SQLERRM
             WHERE id = row.id;
        END;
    END LOOP;
    UPDATE rollup_state SET finished_at = clock_timestamp(); -- other answers than before
END
$$;
