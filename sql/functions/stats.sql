-- stats.sql: the queries behind /stats.
--
-- Both return at least one row: total_views and unique_users, the same in each, and one top
-- path a row in the order of the answer (views descending, path ascending by bytes).  path
-- is NULL in the single row of a site without paths.  p_day NULL is all time.  They are
-- plain SQL, so that the planner sees through them to the indexes.

-- From the rollups: one row of totals by its key, ten of counts and of dictionary by theirs.
CREATE OR REPLACE FUNCTION stats(p_site_id text, p_day date)
RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(t.events, 0), coalesce(t.users, 0), d.value, c.events
      FROM (VALUES (1)) AS always
      LEFT JOIN (
           -- OFFSET 0 has the users counted once: joined, they would be for each path.
           SELECT r.site_no, r.grain, r.day, r.events, r.top_pages,
                  round(hll_cardinality(r.users))::bigint AS users
             FROM sites s
             JOIN totals r ON r.site_no = s.site_no
            WHERE s.site_id = p_site_id AND r.hour = '-infinity'
              AND r.grain = CASE WHEN p_day IS NULL THEN 0 ELSE 1 END
              AND r.day = coalesce(p_day, '-infinity')
           OFFSET 0) AS t ON true
      LEFT JOIN LATERAL unnest(t.top_pages) AS p (value_id) ON true
      LEFT JOIN LATERAL (
           SELECT events FROM counts
            WHERE counts.site_no = t.site_no AND counts.dimension = 1 -- page
              AND counts.grain = t.grain AND counts.day = t.day
              AND counts.value_id = p.value_id OFFSET 0) AS c ON true
      LEFT JOIN dictionary d ON d.value_id = p.value_id
     ORDER BY c.events DESC, d.value
$$;

-- The day of a site, in its own time zone: from, and until before.
CREATE OR REPLACE FUNCTION stats_day_bounds(p_site_id text, p_day date,
                                 OUT since timestamptz, OUT until timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p_day::timestamp AT TIME ZONE z.time_zone,
           (p_day + 1)::timestamp AT TIME ZONE z.time_zone
      FROM (SELECT coalesce((SELECT time_zone FROM sites WHERE site_id = p_site_id), 'UTC')
                   AS time_zone) AS z
$$;

-- From the raw events of a day, exactly; the range of timestamps leaves out partitions.
CREATE OR REPLACE FUNCTION stats_exact_day(p_site_id text, p_day date)
RETURNS TABLE (total_views bigint, unique_users bigint, path text, views bigint)
LANGUAGE sql STABLE AS $$
    WITH seen AS MATERIALIZED (
        SELECT e.path, event_user_key(e.user_id, e.visitor_id) AS user_key FROM events e
         WHERE e.site_id = p_site_id AND e.duration_ms IS NULL
           AND e."timestamp" >= (SELECT since FROM stats_day_bounds(p_site_id, p_day))
           AND e."timestamp" < (SELECT until FROM stats_day_bounds(p_site_id, p_day))
    )
    SELECT a.total_views, a.unique_users, t.path, t.views
      FROM (SELECT count(*) AS total_views, count(DISTINCT user_key) AS unique_users
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
        SELECT e.path, event_user_key(e.user_id, e.visitor_id) AS user_key FROM events e
         WHERE e.site_id = p_site_id AND e.duration_ms IS NULL
    )
    SELECT a.total_views, a.unique_users, t.path, t.views
      FROM (SELECT count(*) AS total_views, count(DISTINCT user_key) AS unique_users
              FROM seen) AS a
      LEFT JOIN (SELECT seen.path, count(*) AS views FROM seen
                  GROUP BY seen.path ORDER BY views DESC, seen.path LIMIT 10) AS t ON true
     ORDER BY t.views DESC, t.path
$$;
