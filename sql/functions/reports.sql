-- reports.sql: the queries behind the reports, over totals and counts.
--
-- Days are those of the site's zone and inclusive.  Figures are sums in one order: users,
-- visits, pageviews, events, bounces, visit_views, duration in ms, all_users; reporting makes
-- the metrics of them.  What is compared comes as a second range, all of whose bounds are
-- NULL when nothing is.  Nearly all are plain SQL, so that the planner sees through them.

-- A moment as it is written down in a zone: 2026-11-01T00:00:00+01:00.
CREATE OR REPLACE FUNCTION report_time(p_at timestamptz, p_zone text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE p_zone, 'YYYY-MM-DD"T"HH24:MI:SS')
           || CASE WHEN minutes < 0 THEN '-' ELSE '+' END
           || to_char(abs(minutes) / 60, 'FM00') || ':' || to_char(abs(minutes) % 60, 'FM00')
      FROM (SELECT (extract(epoch FROM (p_at AT TIME ZONE p_zone)
                                       - (p_at AT TIME ZONE 'UTC')) / 60)::integer
                   AS minutes) AS o
$$;

-- A moment in UTC: 2026-11-01T00:00:00.000Z.
CREATE OR REPLACE FUNCTION report_utc(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The moment at which the hour of a moment began on the clocks of a zone.
CREATE OR REPLACE FUNCTION report_hour(p_at timestamptz, p_zone text) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT p_at - (l.at - date_trunc('hour', l.at))
      FROM (SELECT p_at AT TIME ZONE p_zone AS at) AS l
$$;

-- What stands in front of the figures: the site's zone, and how far they reach.
CREATE OR REPLACE FUNCTION report_head(p_site_id text)
RETURNS TABLE (time_zone text, as_of text)
LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT s.time_zone FROM sites s WHERE s.site_id = p_site_id), 'UTC'),
           report_utc(r.finished_at)
      FROM rollup_state r
$$;

-- What the arithmetic of periods needs: today and the hour of it on the site's clocks, its
-- first day with figures, when the last 24 hours began, and those before, and the first days
-- of which there are the hours, and all raw events (NULL: of every day).
CREATE OR REPLACE FUNCTION report_now(p_site_id text)
RETURNS TABLE (today date, hour integer, first_day date, since timestamptz,
               previous_since timestamptz, hours_from date, raw_from date)
LANGUAGE sql STABLE AS $$
    SELECT l.at::date, extract(hour FROM l.at)::integer,
           coalesce((SELECT t.day FROM sites s JOIN totals t USING (site_no)
                      WHERE s.site_id = p_site_id AND t.grain = 1
                      ORDER BY t.day LIMIT 1), l.at::date),
           report_hour(now(), h.time_zone) - interval '23 hours',
           report_hour(now(), h.time_zone) - interval '47 hours',
           -- A day more, for the day may change until the answer is read.
           greatest(r.hours_from, (now() AT TIME ZONE 'UTC')::date - r.hours_days) + 1,
           CASE WHEN isfinite(r.raw_from) -- the first day that begins no earlier
                THEN (r.raw_from AT TIME ZONE h.time_zone + interval '1 day'
                      - interval '1 microsecond')::date END
      FROM report_head(p_site_id) AS h
     CROSS JOIN rollup_state r
     CROSS JOIN LATERAL (SELECT now() AT TIME ZONE h.time_zone AS at) AS l
$$;

-- The first day of which all raw events are kept, where some of the day that is asked (NULL: of
-- all time) have been dropped; else NULL.
CREATE OR REPLACE FUNCTION stats_raw_from(p_site_id text, p_day date) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT n.raw_from FROM report_now(p_site_id) AS n
     WHERE coalesce(p_day, n.first_day) < n.raw_from AND coalesce(p_day, n.today) >= n.first_day
$$;

-- The rows of totals that a range consists of: its days, the last of them only up to an hour
-- if one is given; or the 24 hours that begin with p_since.
CREATE OR REPLACE FUNCTION report_totals(p_site_id text, p_from date, p_to date,
                                         p_hour integer, p_since timestamptz)
RETURNS SETOF totals
LANGUAGE sql STABLE AS $$
    SELECT t.* FROM sites s JOIN totals t USING (site_no)
     WHERE s.site_id = p_site_id AND p_since IS NULL AND t.grain = 1
       AND t.day BETWEEN p_from AND p_to - (CASE WHEN p_hour IS NULL THEN 0 ELSE 1 END)
     UNION ALL
    SELECT t.* FROM sites s JOIN totals t USING (site_no)
     WHERE s.site_id = p_site_id AND p_since IS NULL AND p_hour IS NOT NULL
       AND t.grain = 2 AND t.day = p_to
       AND extract(hour FROM t.hour AT TIME ZONE s.time_zone) <= p_hour
     UNION ALL
    SELECT t.* FROM sites s JOIN totals t USING (site_no)
     WHERE s.site_id = p_site_id AND p_since IS NOT NULL AND t.grain = 2
       AND t.day BETWEEN p_from - 1 AND p_to + 1 AND t.hour >= p_since
       AND t.hour < p_since + interval '24 hours'
$$;

-- The figures of a range; one row.
CREATE OR REPLACE FUNCTION report_figures(p_site_id text, p_from date, p_to date,
                                          p_hour integer, p_since timestamptz)
RETURNS TABLE (users bigint, visits bigint, pageviews bigint, events bigint, bounces bigint,
               visit_views bigint, duration_ms bigint, all_users bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(round(f.users)::bigint, 0), coalesce(f.visits::bigint, 0),
           coalesce(f.pageviews::bigint, 0), coalesce(f.events::bigint, 0),
           coalesce(f.bounces::bigint, 0), coalesce(f.visit_views::bigint, 0),
           coalesce(f.duration_ms::bigint, 0), coalesce(round(f.users)::bigint, 0)
      FROM (SELECT hll_cardinality(hll_union_agg(t.users)) AS users, sum(t.visits) AS visits,
                   sum(t.pageviews) AS pageviews, sum(t.events) AS events,
                   sum(t.bounces) AS bounces, sum(t.visit_views) AS visit_views,
                   sum(t.duration_ms) AS duration_ms
              FROM report_totals(p_site_id, p_from, p_to, p_hour, p_since) AS t) AS f
$$;

-- When the hours, days, weeks or months of a range begin, numbered from 1.  The first week or
-- month keeps its own beginning.
CREATE OR REPLACE FUNCTION report_buckets(p_site_id text, p_interval text, p_from date,
                                          p_to date, p_since timestamptz)
RETURNS TABLE (place bigint, at timestamptz)
LANGUAGE sql STABLE AS $$
    WITH zone AS MATERIALIZED (
        SELECT time_zone AS name FROM report_head(p_site_id)
    ), hours AS (
        -- By half hours, for clocks that change by one.
        SELECT DISTINCT report_hour(g, zone.name) AS at
          FROM zone
         CROSS JOIN LATERAL generate_series(
               coalesce(p_since, p_from::timestamp AT TIME ZONE zone.name),
               coalesce(p_since + interval '24 hours',
                        (p_to + 1)::timestamp AT TIME ZONE zone.name) - interval '1 second',
               interval '30 minutes') AS g
         WHERE p_interval = 'hour'
    ), days AS (
        SELECT DISTINCT date_trunc(p_interval, g) AS day
          FROM generate_series(p_from::timestamp, p_to::timestamp, interval '1 day') AS g
         WHERE p_interval <> 'hour'
    )
    SELECT row_number() OVER (ORDER BY b.at), b.at
      FROM (SELECT at FROM hours
             UNION ALL
            SELECT day AT TIME ZONE zone.name FROM days CROSS JOIN zone) AS b
$$;

-- The same figures for each bucket of a range; those without any are there as well.
CREATE OR REPLACE FUNCTION report_series(p_site_id text, p_interval text, p_from date,
                                         p_to date, p_hour integer, p_since timestamptz)
RETURNS TABLE (place bigint, at timestamptz, users bigint, visits bigint, pageviews bigint,
               events bigint, bounces bigint, visit_views bigint, duration bigint,
               all_users bigint)
LANGUAGE sql STABLE AS $$
    WITH zone AS MATERIALIZED (
        SELECT time_zone AS name FROM report_head(p_site_id)
    ), rows AS (
        SELECT t.hour AS at, t.users, t.visits, t.pageviews, t.events, t.bounces,
               t.visit_views, t.duration_ms
          FROM sites s JOIN totals t USING (site_no)
         WHERE s.site_id = p_site_id AND p_interval = 'hour' AND t.grain = 2
           AND t.day BETWEEN p_from - 1 AND p_to + 1
         UNION ALL
        SELECT date_trunc(p_interval, t.day::timestamp) AT TIME ZONE zone.name, t.users,
               t.visits, t.pageviews, t.events, t.bounces, t.visit_views, t.duration_ms
          FROM report_totals(p_site_id, p_from, p_to, p_hour, p_since) AS t CROSS JOIN zone
         WHERE p_interval <> 'hour'
    ), sums AS (
        SELECT at, round(hll_cardinality(hll_union_agg(users)))::bigint AS users,
               sum(visits)::bigint AS visits, sum(pageviews)::bigint AS pageviews,
               sum(events)::bigint AS events, sum(bounces)::bigint AS bounces,
               sum(visit_views)::bigint AS visit_views,
               sum(duration_ms)::bigint AS duration_ms
          FROM rows GROUP BY at
    )
    SELECT b.place, b.at, coalesce(s.users, 0), coalesce(s.visits, 0),
           coalesce(s.pageviews, 0), coalesce(s.events, 0), coalesce(s.bounces, 0),
           coalesce(s.visit_views, 0), coalesce(s.duration_ms, 0), coalesce(s.users, 0)
      FROM report_buckets(p_site_id, p_interval, p_from, p_to, p_since) AS b
      LEFT JOIN sums s USING (at)
$$;

-- The sites, by name.
CREATE OR REPLACE FUNCTION report_sites(p_limit integer, p_offset bigint)
RETURNS TABLE (site_id text, time_zone text, first_day text, last_day text,
               views_today bigint)
LANGUAGE sql STABLE AS $$
    SELECT s.site_id, s.time_zone, f.day::text, l.day::text,
           coalesce((SELECT t.pageviews FROM totals t
                      WHERE t.site_no = s.site_no AND t.grain = 1 AND t.hour = '-infinity'
                        AND t.day = (now() AT TIME ZONE s.time_zone)::date), 0)
      FROM (SELECT * FROM sites ORDER BY site_id LIMIT p_limit OFFSET p_offset) AS s
      LEFT JOIN LATERAL (
           SELECT t.day FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1
            ORDER BY t.day LIMIT 1) AS f ON true
      LEFT JOIN LATERAL (
           SELECT t.day FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1
            ORDER BY t.day DESC LIMIT 1) AS l ON true
     ORDER BY s.site_id
$$;

-- The last 30 minutes, from raw events: lists as JSON.  Visitors are those of 5 minutes.
CREATE OR REPLACE FUNCTION report_realtime(p_site_id text)
RETURNS TABLE (as_of text, visitors bigint, minutes text, pages text, sources text)
LANGUAGE sql STABLE AS $$
    WITH recent AS MATERIALIZED (
        SELECT e.path, e.source, event_is_view(e.event_type) AS is_view,
               event_user_key(e.user_id, e.visitor_id) AS visitor,
               e."timestamp" > now() - interval '5 minutes' AS is_now,
               (extract(epoch FROM date_trunc('minute', now())
                                   - date_trunc('minute', e."timestamp")) / 60)::integer
                   AS minutes_ago
          FROM events e
         WHERE e.site_id = p_site_id AND e.duration_ms IS NULL AND e."timestamp" <= now()
           AND e."timestamp" >= date_trunc('minute', now()) - interval '29 minutes'
    ), pages AS (
        SELECT path AS page, count(DISTINCT visitor) AS visitors
          FROM recent WHERE is_now AND visitor IS NOT NULL
         GROUP BY path ORDER BY 2 DESC, 1 LIMIT 10
    ), sources AS (
        SELECT source, count(DISTINCT visitor) AS visitors
          FROM recent WHERE is_now AND visitor IS NOT NULL AND source IS NOT NULL
         GROUP BY source ORDER BY 2 DESC, 1 LIMIT 10
    ), minutes AS (
        SELECT ago, coalesce(r.views, 0) AS views
          FROM generate_series(0, 29) AS ago
          LEFT JOIN (SELECT minutes_ago, count(*) AS views FROM recent WHERE is_view
                      GROUP BY minutes_ago) AS r ON r.minutes_ago = ago
    )
    SELECT report_utc(now()),
           (SELECT count(DISTINCT visitor) FROM recent WHERE is_now),
           (SELECT '[' || string_agg(views::text, ',' ORDER BY ago DESC) || ']' FROM minutes),
           (SELECT '[' || coalesce(string_agg(row_to_json(p)::text, ','
                                              ORDER BY visitors DESC, page), '') || ']'
              FROM pages p),
           (SELECT '[' || coalesce(string_agg(row_to_json(s)::text, ','
                                              ORDER BY visitors DESC, source), '') || ']'
              FROM sources s)
$$;

-- The rows of events of days of a site, or of the 24 hours that begin with p_since.
CREATE OR REPLACE FUNCTION report_export(p_site_id text, p_from date, p_to date,
                                         p_since timestamptz)
RETURNS SETOF events
LANGUAGE sql STABLE AS $$
    SELECT e.* FROM events e
     WHERE e.site_id = p_site_id
       AND e."timestamp" >= (
           SELECT coalesce(p_since, p_from::timestamp AT TIME ZONE h.time_zone)
             FROM report_head(p_site_id) AS h)
       AND e."timestamp" < (
           SELECT coalesce(p_since + interval '24 hours',
                           (p_to + 1)::timestamp AT TIME ZONE h.time_zone)
             FROM report_head(p_site_id) AS h)
     ORDER BY e.id
$$;

-- The version of all that is counted: another one after each chunk of the roll-up, and after
-- each change of sites (see sites_changed()).
CREATE OR REPLACE FUNCTION report_version() RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT r.xmin::text || '-' || r.position FROM rollup_state r
$$;

-- A site's days and numbers are a part of every answer: its change is one of the version.
CREATE OR REPLACE FUNCTION sites_changed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rollup_state SET finished_at = finished_at;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER sites_changed BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sites
    FOR EACH STATEMENT EXECUTE FUNCTION sites_changed();
