-- 002_rollups.sql: the tables that /stats reads, and the roll-up that fills them.
--
-- A roll-up takes the events with position < id <= bound in one bite and adds them to the
-- rollups in one transaction, so that at every moment the rollups are exactly the
-- aggregate of the raw rows up to rollup_state.position.  The bound is settled: no row
-- up to it can still appear.  Late events have new ids, so they are nothing special.
--
-- In each rollup the day '-infinity' stands for all time.  Days are in UTC.

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
-- bite are among the ten first before it and the paths that the bite touched.  Order:
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

-- One row: how far the roll-up has come, and what the last bite took, by which all
-- processors pace themselves.
CREATE TABLE rollup_state (
    only_one    boolean     NOT NULL DEFAULT true PRIMARY KEY CHECK (only_one),
    position    bigint      NOT NULL, -- every event with an id up to it is rolled up
    finished_at timestamptz NOT NULL, -- of the last bite
    took_ms     integer     NOT NULL
);
INSERT INTO rollup_state (position, finished_at, took_ms) VALUES (0, now(), 0);

-- Whether there is something to roll up: rows waiting (ids, to be exact, some of which may
-- never appear), how long ago the last bite ended, and what it took.  Cheap.
CREATE FUNCTION rollup_pending(OUT waiting bigint, OUT rested_ms bigint, OUT took_ms integer)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN q.is_called THEN q.last_value ELSE 0 END - s.position,
           (1000 * extract(epoch FROM clock_timestamp() - s.finished_at))::bigint,
           s.took_ms
      FROM rollup_state s, events_id_seq q
$$;

-- The settled bound, in two steps, neither of which holds up a writer.  First: the newest
-- id given out, and the transactions that are writing to events.  An id is given out only
-- under the lock that shows them, and the id is read first; so once all of them have ended,
-- every row up to the id is committed or will never be.
CREATE FUNCTION rollup_writers(OUT bound bigint, OUT writers text[])
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
CREATE FUNCTION rollup_await(p_writers text[], p_wait_ms integer) RETURNS boolean
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
CREATE FUNCTION rollup_settled(p_wait_ms integer) RETURNS bigint
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

-- The lock that only one roll-up at a time holds; retention takes it too.
CREATE FUNCTION rollup_lock_key() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 7236271843561001 $$;

-- The steps of a bite follow.  They hand each other arrays, the elements with the same
-- index belonging together: no temporary table, and the planner knows how many there are.
-- rollup_bite() switches off all plans but those that start from the arrays and go through
-- indexes, for the tables' statistics lag behind.

-- The numbers of paths, in the same order; NULL where there is none yet.  p_ids has those
-- that are known already, which are not looked for again.
CREATE FUNCTION rollup_path_ids(p_sites text[], p_paths text[], p_ids bigint[])
RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    SELECT array_agg(coalesce(c.path_id, p.path_id) ORDER BY c.place) INTO ids
      FROM unnest(p_sites, p_paths, p_ids) WITH ORDINALITY
           AS c (site_id, path, path_id, place)
      LEFT JOIN LATERAL (
           SELECT paths.path_id FROM paths
            WHERE c.path_id IS NULL
              AND paths.site_id = c.site_id
              AND paths.path_hash = sha256(convert_to(c.path, 'UTF8'))
           OFFSET 0) AS p ON true;
    RETURN ids;
END
$$;

-- Numbers the paths that have no number yet.
CREATE FUNCTION rollup_add_paths(p_sites text[], p_paths text[], p_ids bigint[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO paths (site_id, path_hash, path)
    SELECT DISTINCT c.site_id, sha256(convert_to(c.path, 'UTF8')), c.path
      FROM unnest(p_sites, p_paths, p_ids) AS c (site_id, path, path_id)
     WHERE c.path_id IS NULL;
END
$$;

-- Counts of paths, in arrays.
CREATE TYPE rollup_counts AS (
    sites    text[],
    days     date[],
    path_ids bigint[],
    views    bigint[]
);

-- Adds to the rows of rollup_paths that are there; returns their new totals.
CREATE FUNCTION rollup_update_views(counts rollup_counts) RETURNS rollup_counts
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
CREATE FUNCTION rollup_insert_views(counts rollup_counts, grown rollup_counts)
RETURNS rollup_counts
LANGUAGE plpgsql SET enable_hashjoin = on AS $$
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
CREATE FUNCTION rollup_add_views(counts rollup_counts) RETURNS rollup_counts
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
CREATE FUNCTION rollup_add_sites(p_from bigint, p_to bigint, p_days bigint) RETURNS void
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
CREATE FUNCTION rollup_set_tops(counts rollup_counts) RETURNS void
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
        -- The ten most viewed of the bite, ties included, and the ten that were first.
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
CREATE FUNCTION rollup_range(p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    found  record; -- as rollup_counts, with the paths themselves
    ids    bigint[];
    counts rollup_counts;
    days   bigint;
BEGIN
    SELECT array_agg(c.site_id) AS sites, array_agg(c.day) AS days,
           array_agg(c.path) AS paths, array_agg(c.views) AS views, sum(c.views) AS total
      INTO found
      FROM (SELECT site_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, path,
                   count(*) AS views
              FROM events
             WHERE id > p_from AND id <= p_to
             GROUP BY 1, 2, 3) AS c;
    IF found.total IS NULL THEN
        RETURN 0;
    END IF;
    ids := rollup_path_ids(found.sites, found.paths, NULL);
    IF array_position(ids, NULL) IS NOT NULL THEN
        PERFORM rollup_add_paths(found.sites, found.paths, ids);
        ids := rollup_path_ids(found.sites, found.paths, ids);
    END IF;
    -- The rows of all time besides; in the order of the key.
    SELECT array_agg(w.site_id), array_agg(w.day), array_agg(w.path_id), array_agg(w.views)
      INTO counts.sites, counts.days, counts.path_ids, counts.views
      FROM (SELECT c.site_id, coalesce(c.day, '-infinity') AS day, c.path_id,
                   sum(c.views)::bigint AS views
              FROM unnest(found.sites, found.days, ids, found.views)
                   AS c (site_id, day, path_id, views)
             GROUP BY GROUPING SETS ((c.site_id, c.day, c.path_id), (c.site_id, c.path_id))
             ORDER BY path_id, day) AS w;
    counts := rollup_add_views(counts);
    SELECT count(*) INTO days
      FROM (SELECT DISTINCT c.site_id, c.day
              FROM unnest(found.sites, found.days) AS c (site_id, day)) AS d;
    PERFORM rollup_add_sites(p_from, p_to, days);
    PERFORM rollup_set_tops(counts);
    RETURN found.total;
END
$$;

-- One bite: rolls up at most p_max_rows events up to the settled bound p_bound.  Returns
-- how many rows it took, and whether nothing settled is left.  NULL: another roll-up is at
-- work.  One statement, so that a client that stalls holds nothing.
CREATE FUNCTION rollup_bite(p_bound bigint, p_max_rows bigint,
                            OUT taken bigint, OUT is_done boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET work_mem = '64MB'
SET jit = off AS $$
DECLARE
    begun timestamptz := clock_timestamp();
    low   bigint;
    high  bigint;
BEGIN
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
    taken := rollup_range(low, high);
    UPDATE rollup_state
       SET position = high, finished_at = clock_timestamp(),
           took_ms = 1000 * extract(epoch FROM clock_timestamp() - begun);
END
$$;
