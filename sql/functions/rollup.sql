-- rollup.sql: the tables that /stats reads, and the roll-up that fills them.
--
-- A roll-up takes the events with position < id <= bound in one chunk and adds them to the
-- rollups in one transaction, so that at every moment the rollups are exactly the
-- aggregate of the raw rows up to rollup_state.position.  The bound is settled: no row
-- up to it can still appear.  Late events have new ids, so they are nothing special.
--
-- In each rollup the day '-infinity' stands for all time.  Days are in UTC.

-- Whether there is something to roll up: rows waiting (ids, to be exact, some of which may
-- never appear), how long ago the last chunk ended, what it took, the position, and how many
-- rows are set aside (at most 1,000 are looked at).  Cheap.
CREATE OR REPLACE FUNCTION rollup_pending(OUT waiting bigint, OUT rested_ms bigint,
                                          OUT took_ms integer, OUT rolled_up bigint, OUT aside bigint)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN q.is_called THEN q.last_value ELSE 0 END - s.position,
           (1000 * extract(epoch FROM clock_timestamp() - s.finished_at))::bigint,
           s.took_ms, s.position,
           (SELECT count(*) FROM (SELECT FROM rollup_aside LIMIT 1000) AS a)
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

-- The steps of a chunk follow.  They hand each other arrays of numbers and of site_ids, the
-- elements with the same index belonging together: no temporary table, and the planner knows
-- how many there are.  No array has paths or users, which may be long: they stay within one
-- statement, whose sorts, hashes and tuple stores go to disk beyond work_mem.  rollup_chunk()
-- switches off all plans but those that start from the arrays and go through indexes, for
-- the tables' statistics lag behind.

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
                      + coalesce(octet_length(user_id), 0)) INTO bytes
          FROM events WHERE id > p_from AND id <= high;
        EXIT WHEN bytes IS NULL OR bytes <= p_max_bytes;
        high := p_from + greatest(1, trunc((high - p_from) * (p_max_bytes / bytes)))::bigint;
    END LOOP;
    RETURN high;
END
$$;

-- Counts the views of the events with p_from < id <= p_to by site, day and path, and of all
-- time besides, in the order of the key of rollup_paths.  Numbers the paths that have no
-- number yet.  total is the number of events.
CREATE OR REPLACE FUNCTION rollup_count_views(p_from bigint, p_to bigint,
                                   OUT counts rollup_counts, OUT total bigint)
LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_nestloop = off AS $$
BEGIN
    WITH found AS (
        SELECT site_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, path,
               count(*) AS views
          FROM events
         WHERE id > p_from AND id <= p_to
         GROUP BY 1, 2, 3
    ), looked AS MATERIALIZED (
        -- What is known by its number needs no text any more.
        SELECT f.site_id, f.day, f.views, p.path_id,
               CASE WHEN p.path_id IS NULL THEN h.path_hash END AS path_hash,
               CASE WHEN p.path_id IS NULL THEN f.path END AS path
          FROM found f
         CROSS JOIN LATERAL (
               SELECT sha256(convert_to(f.path, 'UTF8')) AS path_hash OFFSET 0) AS h
          LEFT JOIN LATERAL (
               SELECT path_id FROM paths
                WHERE paths.site_id = f.site_id AND paths.path_hash = h.path_hash OFFSET 0
               ) AS p ON true
    ), added AS (
        INSERT INTO paths AS p (site_id, path_hash, path)
        SELECT DISTINCT ON (site_id, path_hash) site_id, path_hash, path
          FROM looked WHERE path_id IS NULL
        RETURNING p.site_id, p.path_hash, p.path_id
    ), numbered AS (
        SELECT l.site_id, l.day, coalesce(l.path_id, a.path_id) AS path_id, l.views
          FROM looked l
          LEFT JOIN added a ON a.site_id = l.site_id AND a.path_hash = l.path_hash
    )
    SELECT array_agg(w.site_id), array_agg(w.day), array_agg(w.path_id), array_agg(w.views),
           coalesce(sum(w.views) FILTER (WHERE w.day > '-infinity'), 0)
      INTO counts.sites, counts.days, counts.path_ids, counts.views, total
      FROM (SELECT n.site_id, coalesce(n.day, '-infinity') AS day, n.path_id,
                   sum(n.views)::bigint AS views
              FROM numbered n
             GROUP BY GROUPING SETS ((n.site_id, n.day, n.path_id), (n.site_id, n.path_id))
             ORDER BY path_id, day) AS w;
END
$$;

-- Adds to the rows of rollup_paths that are there; returns their new totals.
CREATE OR REPLACE FUNCTION rollup_update_views(counts rollup_counts) RETURNS rollup_counts
LANGUAGE plpgsql AS $$
DECLARE
    grown rollup_counts;
BEGIN
    WITH updated AS (
        UPDATE rollup_paths r
           SET views = r.views + c.views
          FROM unnest(counts.sites, counts.days, counts.path_ids, counts.views)
               AS c (site_id, day, path_id, views)
         WHERE r.path_id = c.path_id AND r.day = c.day AND r.site_id = c.site_id
        RETURNING r.site_id, r.day, r.path_id, r.views
    )
    SELECT array_agg(u.site_id), array_agg(u.day), array_agg(u.path_id), array_agg(u.views)
      INTO grown.sites, grown.days, grown.path_ids, grown.views FROM updated u;
    RETURN grown;
END
$$;

-- Inserts the counts whose rows are not in grown; returns both.
CREATE OR REPLACE FUNCTION rollup_insert_views(counts rollup_counts, grown rollup_counts)
RETURNS rollup_counts LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    made rollup_counts;
BEGIN
    WITH inserted AS (
        INSERT INTO rollup_paths AS r (site_id, day, path_id, views)
        SELECT c.site_id, c.day, c.path_id, c.views
          FROM unnest(counts.sites, counts.days, counts.path_ids, counts.views)
               AS c (site_id, day, path_id, views)
          LEFT JOIN unnest(grown.days, grown.path_ids) AS g (day, path_id)
            ON g.path_id = c.path_id AND g.day = c.day
         WHERE g.path_id IS NULL
        RETURNING r.site_id, r.day, r.path_id, r.views
    )
    SELECT array_agg(i.site_id), array_agg(i.day), array_agg(i.path_id), array_agg(i.views)
      INTO made.sites, made.days, made.path_ids, made.views FROM inserted i;
    made.sites := made.sites || grown.sites;
    made.days := made.days || grown.days;
    made.path_ids := made.path_ids || grown.path_ids;
    made.views := made.views || grown.views;
    RETURN made;
END
$$;

-- Adds to rollup_paths; returns the new totals.  Only one roll-up runs at a time, so that
-- nothing comes in between; ON CONFLICT DO UPDATE would cost twice as much.
CREATE OR REPLACE FUNCTION rollup_add_views(counts rollup_counts) RETURNS rollup_counts
LANGUAGE plpgsql AS $$
DECLARE
    grown rollup_counts := rollup_update_views(counts);
BEGIN
    IF coalesce(cardinality(grown.sites), 0) < cardinality(counts.sites) THEN
        RETURN rollup_insert_views(counts, grown);
    END IF;
    RETURN grown;
END
$$;

-- Adds the events with p_from < id <= p_to to rollup_sites; p_days is the number of their
-- sites and days.  The hll aggregate holds 128 KB a group, so that many groups are formed
-- by sorting, one at a time; only few are by hashing, which is faster.
CREATE OR REPLACE FUNCTION rollup_add_sites(p_from bigint, p_to bigint,
                                            p_days bigint) RETURNS void
LANGUAGE plpgsql
SET enable_hashagg = on SET enable_sort = on AS $$
BEGIN
    PERFORM set_config(CASE WHEN p_days <= 256 THEN 'enable_sort' ELSE 'enable_hashagg' END,
                       'off', true);
    WITH counted AS MATERIALIZED (
        SELECT site_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) AS views,
               coalesce(hll_add_agg(hll_hash_text(user_id), 14, 5, 2048, 1)
                            FILTER (WHERE user_id IS NOT NULL),
                        hll_empty(14, 5, 2048, 1)) AS users
          FROM events
         WHERE id > p_from AND id <= p_to
         GROUP BY 1, 2
    )
    INSERT INTO rollup_sites AS r (site_id, day, views, users)
    SELECT site_id, day, views, users FROM counted
     UNION ALL
    SELECT site_id, '-infinity', sum(views), hll_union_agg(users) FROM counted GROUP BY 1
        ON CONFLICT (site_id, day) DO UPDATE
       SET views = r.views + excluded.views, users = hll_union(r.users, excluded.users);
END
$$;

-- Brings the top paths of rollup_sites up to date, given the new totals of paths.
CREATE OR REPLACE FUNCTION rollup_set_tops(counts rollup_counts) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = on AS $$
BEGIN
    WITH given AS (
        SELECT * FROM unnest(counts.sites, counts.days, counts.path_ids, counts.views)
                      AS c (site_id, day, path_id, views)
    ), touched AS MATERIALIZED (
        SELECT d.site_id, d.day, s.top_path_ids, s.top_views
          FROM (SELECT DISTINCT site_id, day FROM given) AS d
         CROSS JOIN LATERAL (
               SELECT * FROM rollup_sites
                WHERE rollup_sites.site_id = d.site_id AND rollup_sites.day = d.day
               OFFSET 0) AS s
    ), ranked AS (
        SELECT g.site_id, g.day, g.path_id, g.views,
               rank() OVER (PARTITION BY g.site_id, g.day ORDER BY g.views DESC) AS place
          FROM given g JOIN touched t ON t.site_id = g.site_id AND t.day = g.day
         WHERE g.views >= coalesce(t.top_views[10], 0)
    ), candidates AS (
        -- The ten most viewed of the chunk, ties included, and the ten that were first.
        SELECT site_id, day, path_id, views FROM ranked WHERE place <= 10
         UNION ALL
        SELECT s.site_id, s.day, t.path_id, t.views
          FROM touched s
         CROSS JOIN LATERAL unnest(s.top_path_ids, s.top_views) AS t (path_id, views)
    ), merged AS (
        -- A path that is in both has the greater count now.
        SELECT site_id, day, path_id, max(views) AS views FROM candidates GROUP BY 1, 2, 3
    ), placed AS (
        SELECT m.site_id, m.day, m.path_id, m.views,
               row_number() OVER (PARTITION BY m.site_id, m.day
                                  ORDER BY m.views DESC, p.path) AS place
          FROM merged m
         CROSS JOIN LATERAL (
               SELECT path FROM paths
                WHERE paths.site_id = m.site_id AND paths.path_id = m.path_id
               OFFSET 0) AS p
    ), tops AS (
        SELECT site_id, day, array_agg(path_id ORDER BY place) AS path_ids,
               array_agg(views ORDER BY place) AS views
          FROM placed WHERE place <= 10 GROUP BY 1, 2
    )
    UPDATE rollup_sites s
       SET top_path_ids = tops.path_ids, top_views = tops.views
      FROM tops
     WHERE s.site_id = tops.site_id AND s.day = tops.day;
END
$$;

-- Rolls up the events with p_from < id <= p_to; returns how many there were.
CREATE OR REPLACE FUNCTION rollup_range(p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found  record;
    counts rollup_counts;
    days   bigint;
BEGIN
    SELECT * INTO found FROM rollup_count_views(p_from, p_to);
    counts := found.counts;
    IF found.total = 0 THEN
        RETURN 0;
    END IF;
    days := cardinality(counts.sites); -- at most
    IF days > 256 THEN
        SELECT count(*) INTO days
          FROM (SELECT DISTINCT c.site_id, c.day
                  FROM unnest(counts.sites, counts.days) AS c (site_id, day)
                 WHERE c.day > '-infinity') AS d;
    END IF;
    counts := rollup_add_views(counts);
    PERFORM rollup_add_sites(p_from, p_to, days);
    PERFORM rollup_set_tops(counts);
    RETURN found.total;
END
$$;

-- One chunk: rolls up at most p_max_rows events of at most p_max_bytes of text, up to the
-- settled bound p_bound.  Returns how many rows it took, and whether nothing settled is left.
-- NULL: another roll-up is at work.  One statement, so that a client that stalls holds
-- nothing.
CREATE OR REPLACE FUNCTION rollup_chunk(p_bound bigint, p_max_rows bigint,
                            p_max_bytes bigint DEFAULT 67108864,
                            OUT taken bigint, OUT is_done boolean)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB'
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
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB'
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
END
$$;
