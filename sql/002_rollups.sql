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
-- so that counting updates a row without touching an index.
CREATE TABLE rollup_paths (
    site_id text COLLATE "C" NOT NULL,
    day     date             NOT NULL, -- '-infinity': all time
    path_id bigint           NOT NULL, -- of paths
    views   bigint           NOT NULL,
    PRIMARY KEY (site_id, day, path_id)
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

-- The settled bound.  The lock waits for the writers under way and makes new ones wait for
-- an instant; ids are given out under a lock that conflicts with it, so every row up to
-- the sequence's present value is committed or will never be.  ONLY keeps it clear of
-- autovacuum.  To be called in a transaction of its own, so that the lock ends with it.
-- When a writer is stalled it fails with 55P03 after p_wait_ms: try again later.
CREATE FUNCTION rollup_settled(p_wait_ms integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    bound bigint;
BEGIN
    PERFORM set_config('lock_timeout', p_wait_ms::text, true);
    LOCK TABLE ONLY events IN SHARE MODE;
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO bound FROM events_id_seq;
    RETURN bound;
END
$$;

-- The lock that only one roll-up at a time holds; retention takes it too.
CREATE FUNCTION rollup_lock_key() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 7236271843561001 $$;

-- Adds the paths of the events with p_from < id <= p_to that have no number yet.
CREATE FUNCTION rollup_add_paths(p_from bigint, p_to bigint) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO paths (site_id, path_hash, path)
    SELECT site_id, sha256(convert_to(path, 'UTF8')), path
      FROM (SELECT site_id, path FROM events
             WHERE id > p_from AND id <= p_to GROUP BY site_id, path) AS seen
        ON CONFLICT (site_id, path_hash) DO NOTHING
$$;

-- Adds the events with p_from < id <= p_to to rollup_sites.  The hll aggregate holds
-- 128 KB a group, so the groups are formed by sorting, one at a time, never by hashing.
CREATE FUNCTION rollup_add_sites(p_from bigint, p_to bigint) RETURNS bigint
LANGUAGE sql SET enable_hashagg = off AS $$
    WITH days AS MATERIALIZED (
        SELECT site_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, count(*) AS views,
               coalesce(hll_add_agg(hll_hash_text(user_id), 14, 5, 2048, 1)
                            FILTER (WHERE user_id IS NOT NULL),
                        hll_empty(14, 5, 2048, 1)) AS users
          FROM events
         WHERE id > p_from AND id <= p_to
         GROUP BY 1, 2
    ), added AS (
        INSERT INTO rollup_sites AS r (site_id, day, views, users)
        SELECT site_id, day, views, users FROM days
         UNION ALL
        SELECT site_id, '-infinity', sum(views), hll_union_agg(users) FROM days GROUP BY 1
            ON CONFLICT (site_id, day) DO UPDATE
           SET views = r.views + excluded.views,
               users = hll_union(r.users, excluded.users)
    )
    SELECT coalesce(sum(views), 0)::bigint FROM days
$$;

-- Adds the events with p_from < id <= p_to to rollup_paths, and brings the top paths of
-- the rows of rollup_sites that they belong to up to date.  Runs after the two above.
CREATE FUNCTION rollup_add_views(p_from bigint, p_to bigint) RETURNS void
LANGUAGE sql AS $$
    WITH counts AS MATERIALIZED (
        SELECT site_id, ("timestamp" AT TIME ZONE 'UTC')::date AS day, path,
               count(*) AS views
          FROM events
         WHERE id > p_from AND id <= p_to
         GROUP BY 1, 2, 3
    ), keyed AS MATERIALIZED (
        SELECT c.site_id, c.day, p.path_id, c.views
          FROM counts c
         CROSS JOIN LATERAL (
               SELECT path_id FROM paths
                WHERE paths.site_id = c.site_id
                  AND paths.path_hash = sha256(convert_to(c.path, 'UTF8'))
               OFFSET 0) AS p
    ), grown AS (
        INSERT INTO rollup_paths AS r (site_id, day, path_id, views)
        SELECT site_id, day, path_id, views FROM keyed
         UNION ALL
        SELECT site_id, '-infinity', path_id, sum(views) FROM keyed GROUP BY 1, 3
            ON CONFLICT (site_id, day, path_id) DO UPDATE
           SET views = r.views + excluded.views
        RETURNING r.site_id, r.day, r.path_id, r.views
    ), ranked AS (
        SELECT site_id, day, path_id, views,
               rank() OVER (PARTITION BY site_id, day ORDER BY views DESC) AS place
          FROM grown
    ), candidates AS (
        -- The ten most viewed of the bite, ties included, and the ten that were first.
        SELECT site_id, day, path_id, views FROM ranked WHERE place <= 10
         UNION ALL
        SELECT s.site_id, s.day, t.path_id, t.views
          FROM (SELECT DISTINCT site_id, day FROM ranked WHERE place <= 10) AS touched
         CROSS JOIN LATERAL (
               SELECT * FROM rollup_sites
                WHERE rollup_sites.site_id = touched.site_id
                  AND rollup_sites.day = touched.day
               OFFSET 0) AS s
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
     WHERE s.site_id = tops.site_id AND s.day = tops.day
$$;

-- One bite: rolls up at most p_max_rows events up to the settled bound p_bound.  Returns
-- how many rows it took, and whether some are left.  NULL: another roll-up is at work.
-- One statement, so that a client that stalls holds nothing.
CREATE FUNCTION rollup_bite(p_bound bigint, p_max_rows bigint,
                            OUT taken bigint, OUT is_done boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
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
    PERFORM rollup_add_paths(low, high);
    taken := rollup_add_sites(low, high);
    PERFORM rollup_add_views(low, high);
    UPDATE rollup_state
       SET position = high, finished_at = clock_timestamp(),
           took_ms = 1000 * extract(epoch FROM clock_timestamp() - begun);
END
$$;
