-- stats.sql: the queries behind /stats.
--
-- Both return at least one row: total_views and unique_users, the same in each, and one top
-- path a row in the order of the answer (views descending, path ascending by bytes).  path
-- is NULL in the single row of a site without paths.  p_day NULL is all time.  They are
-- plain SQL, so that the planner sees through them to the indexes.

-- From the rollups: one row of rollup_sites by its key, and ten of paths by theirs.
CREATE OR REPLACE FUNCTION stats(p_site_id text, p_day date)
RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(s.views, 0), coalesce(s.users, 0), p.path, t.views
      FROM (VALUES (1)) AS always
      LEFT JOIN (
           -- OFFSET 0 has the users counted once: joined, they would be for each path.
           SELECT site_id, views, round(hll_cardinality(users))::bigint AS users,
                  top_path_ids, top_views
             FROM rollup_sites
            WHERE site_id = p_site_id AND day = coalesce(p_day, '-infinity')
           OFFSET 0) AS s ON true
      LEFT JOIN LATERAL unnest(s.top_path_ids, s.top_views) WITH ORDINALITY
                AS t (path_id, views, place) ON true
      LEFT JOIN paths p ON p.site_id = s.site_id AND p.path_id = t.path_id
     ORDER BY t.place
$$;

-- From the raw events of a day, exactly; the range of timestamps leaves out partitions.
CREATE OR REPLACE FUNCTION stats_exact_day(p_site_id text, p_day date)
RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
LANGUAGE sql STABLE AS $$
    WITH seen AS MATERIALIZED (
        SELECT e.path, e.user_id FROM events e
         WHERE e.site_id = p_site_id AND e.duration_ms IS NULL -- no engagement
           AND e."timestamp" >= p_day::timestamp AT TIME ZONE 'UTC'
           AND e."timestamp" < (p_day + 1)::timestamp AT TIME ZONE 'UTC'
    )
    SELECT a.total_views, a.unique_users, t.path, t.views
      FROM (SELECT count(*) AS total_views, count(DISTINCT user_id) AS unique_users
              FROM seen) AS a
      LEFT JOIN (SELECT seen.path, count(*) AS views FROM seen
                  GROUP BY seen.path ORDER BY views DESC, seen.path LIMIT 10) AS t ON true
     ORDER BY t.views DESC, t.path
$$;

-- The same of all time.
CREATE OR REPLACE FUNCTION stats_exact_all(p_site_id text)
RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
LANGUAGE sql STABLE AS $$
    WITH seen AS MATERIALIZED (
        SELECT e.path, e.user_id FROM events e
         WHERE e.site_id = p_site_id AND e.duration_ms IS NULL -- no engagement
    )
    SELECT a.total_views, a.unique_users, t.path, t.views
      FROM (SELECT count(*) AS total_views, count(DISTINCT user_id) AS unique_users
              FROM seen) AS a
      LEFT JOIN (SELECT seen.path, count(*) AS views FROM seen
                  GROUP BY seen.path ORDER BY views DESC, seen.path LIMIT 10) AS t ON true
     ORDER BY t.views DESC, t.path
$$;
