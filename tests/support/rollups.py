"""Compares the rollups with aggregates of the raw events, by SQL and row for row.

The number of users is compared exactly as far as the sketch holds the users themselves (2,047
of a site, 127 of a value), and to 3 and 12 % above.
"""
from support.wait import wait_until

# Each event of a site with its local day and the moment at which its local hour began.
_EVENTS = """
    SELECT e.*, coalesce('u' || e.user_id, 'v' || e.visitor_id) AS who,
           e.event_type IN ('page_view', 'pageview') AS is_view,
           (e."timestamp" AT TIME ZONE s.time_zone)::date AS day,
           e."timestamp" - ((e."timestamp" AT TIME ZONE s.time_zone) - date_trunc('hour',
               e."timestamp" AT TIME ZONE s.time_zone)) AS hour
    FROM events e JOIN sites s ON s.site_id = e.site_id WHERE e.duration_ms IS NULL
"""

# Hours are not kept of days long ago.
_TOTALS = f"""
WITH e AS ({_EVENTS}), kept AS (
    SELECT (now() AT TIME ZONE 'UTC')::date - hours_days + 1 AS since FROM rollup_state
), raw AS (
    SELECT site_id, (2 - GROUPING(hour) - GROUPING(day))::smallint AS grain,
           coalesce(day, '-infinity') AS day, coalesce(hour, '-infinity') AS hour,
           count(*) AS events, count(*) FILTER (WHERE is_view) AS pageviews,
           count(DISTINCT who) AS users
    FROM e GROUP BY GROUPING SETS ((site_id, day, hour), (site_id, day), (site_id))
), rolled AS (
    SELECT s.site_id, t.grain, t.day, t.hour, t.events, t.pageviews,
           round(coalesce(hll_cardinality(t.users), 0)) AS users
    FROM totals t LEFT JOIN sites s USING (site_no) WHERE t.events <> 0
)
SELECT 'totals', site_id, grain, day, hour, raw.events, rolled.events, raw.pageviews,
       rolled.pageviews, raw.users, rolled.users
FROM raw FULL JOIN rolled USING (site_id, grain, day, hour) CROSS JOIN kept
WHERE (grain < 2 OR day > kept.since)
  AND (raw.events IS DISTINCT FROM rolled.events
       OR raw.pageviews IS DISTINCT FROM rolled.pageviews
       OR raw.users IS NULL OR rolled.users IS NULL
       OR CASE WHEN raw.users < 2048 THEN raw.users <> rolled.users
               ELSE abs(raw.users - rolled.users) > 0.03 * raw.users END)
"""

# The values of an event: page, type and hostname; of pages those of all time, too.
_COUNTS = f"""
WITH e AS ({_EVENTS}), parts AS (
    SELECT e.site_id, d.name, 1 AS grain, e.day, d.value, e.is_view, e.who
    FROM e CROSS JOIN LATERAL (VALUES ('page', e.path), ('event_type', e.event_type),
                                      ('hostname', e.hostname)) AS d (name, value)
    WHERE d.value IS NOT NULL
    UNION ALL
    SELECT site_id, 'page', 0, '-infinity', path, is_view, NULL FROM e -- without users
), raw AS (
    SELECT site_id, name, grain, day, value, count(*) AS events,
           count(*) FILTER (WHERE is_view) AS pageviews, count(DISTINCT who) AS users
    FROM parts GROUP BY site_id, name, grain, day, value
), rolled AS (
    SELECT s.site_id, m.name, c.grain::integer, c.day, d.value, c.events, c.pageviews,
           round(coalesce(hll_cardinality(c.users), 0)) AS users
    FROM counts c LEFT JOIN sites s USING (site_no) LEFT JOIN dictionary d USING (value_id)
    JOIN dimensions m ON m.dimension = c.dimension
    WHERE c.grain < 2 AND m.kind = 'event' AND c.events <> 0
)
SELECT 'counts', site_id, name, grain, day, left(value, 80), raw.events, rolled.events,
       raw.pageviews, rolled.pageviews, raw.users, rolled.users
FROM raw FULL JOIN rolled USING (site_id, name, grain, day, value)
WHERE raw.events IS DISTINCT FROM rolled.events
   OR raw.pageviews IS DISTINCT FROM rolled.pageviews
   OR raw.users IS NULL OR rolled.users IS NULL
   OR CASE WHEN raw.users < 128 THEN raw.users <> rolled.users
           ELSE abs(raw.users - rolled.users) > 0.12 * raw.users END
"""

# The ten top pages of all time and of a day: events descending, then path ascending by bytes.
_TOPS = f"""
WITH e AS ({_EVENTS}), days AS (
    SELECT site_id, 1 AS grain, day, path FROM e
    UNION ALL
    SELECT site_id, 0, '-infinity', path FROM e
), ranked AS (
    SELECT site_id, grain, day, path,
           row_number() OVER (PARTITION BY site_id, grain, day
                              ORDER BY count(*) DESC, path COLLATE "C") AS place
    FROM days GROUP BY site_id, grain, day, path
), raw AS (
    SELECT site_id, grain, day, array_agg(path COLLATE "C" ORDER BY path COLLATE "C") AS paths
    FROM ranked WHERE place <= 10 GROUP BY site_id, grain, day
), rolled AS (
    SELECT s.site_id, t.grain::integer, t.day,
           array_agg(d.value ORDER BY d.value) AS paths
    FROM totals t JOIN sites s USING (site_no)
    CROSS JOIN LATERAL unnest(t.top_pages) AS p (value_id)
    JOIN dictionary d ON d.value_id = p.value_id
    WHERE t.grain < 2 GROUP BY s.site_id, t.grain, t.day
)
SELECT 'tops', site_id, grain, day, raw.paths, rolled.paths
FROM raw FULL JOIN rolled USING (site_id, grain, day)
WHERE raw.paths IS DISTINCT FROM rolled.paths
"""

# Visits by the day of their first event, all in one pass over the events.
_VISITS = """
WITH points AS (
    SELECT site_id, coalesce('v' || visitor_id, 'u' || user_id) AS visitor, "timestamp" AS at,
           event_id, duration_ms, path, source, browser,
           duration_ms IS NULL AND event_type IN ('page_view', 'pageview') AS is_view
    FROM events WHERE visitor_id IS NOT NULL OR user_id IS NOT NULL
), starts AS (
    SELECT *, (at - lag(at) OVER line <= interval '30 minutes') IS NOT TRUE AS starts
    FROM points WINDOW line AS (PARTITION BY site_id, visitor ORDER BY at, event_id)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE starts) OVER (
        PARTITION BY site_id, visitor ORDER BY at, event_id ROWS UNBOUNDED PRECEDING) AS visit
    FROM starts
), found AS (
    SELECT site_id, min(at) FILTER (WHERE duration_ms IS NULL) AS first_at,
           count(*) FILTER (WHERE duration_ms IS NULL) AS events,
           count(*) FILTER (WHERE is_view) AS views,
           greatest(coalesce(sum(duration_ms), 0),
                    trunc(1000 * extract(epoch FROM max(at) - min(at)))) AS lasted,
           (array_agg(ARRAY[path, source, browser] ORDER BY is_view DESC, at, event_id)
                FILTER (WHERE duration_ms IS NULL))[1:1] AS first
    FROM numbered GROUP BY site_id, visitor, visit
), visits AS (
    SELECT site_id, (first_at AT TIME ZONE time_zone)::date AS day, views, lasted,
           views < 2 AND views = events AS bounces, first[1][1] AS page, first[1][2] AS source,
           first[1][3] AS browser
    FROM found JOIN sites USING (site_id) WHERE events > 0
), parts AS (
    SELECT v.*, p.name, p.value FROM visits v CROSS JOIN LATERAL (
        VALUES ('', ''), ('entry_page', CASE WHEN views > 0 THEN page END), ('source', source),
               ('browser', browser)) AS p (name, value)
    WHERE p.value IS NOT NULL
), raw AS (
    SELECT site_id, day, name, value, count(*) AS visits, count(*) FILTER (WHERE bounces) AS bounces,
           sum(views) AS views, sum(lasted)::bigint AS lasted
    FROM parts GROUP BY site_id, day, name, value
), rolled AS (
    SELECT s.site_id, t.day, '' AS name, '' AS value, t.visits, t.bounces, t.visit_views AS views,
           t.duration_ms AS lasted
    FROM totals t LEFT JOIN sites s USING (site_no) WHERE t.grain = 1 AND t.visits <> 0
    UNION ALL
    SELECT s.site_id, c.day, m.name, d.value, c.visits, c.bounces, c.pageviews, c.duration_ms
    FROM counts c LEFT JOIN sites s USING (site_no) JOIN dictionary d USING (value_id)
    JOIN dimensions m ON m.dimension = c.dimension
    WHERE c.grain = 1 AND c.visits <> 0 AND m.name IN ('entry_page', 'source', 'browser')
)
SELECT 'visits', site_id, day, name, value, raw.*, rolled.*
FROM raw FULL JOIN rolled USING (site_id, day, name, value)
WHERE (raw.visits, raw.bounces, raw.views, raw.lasted)
      IS DISTINCT FROM (rolled.visits, rolled.bounces, rolled.views, rolled.lasted)
"""

# Events of sites that are not there.
_UNKNOWN = """
SELECT 'unknown', site_id, count(*) FROM events e
WHERE NOT EXISTS (SELECT FROM sites s WHERE s.site_id = e.site_id) GROUP BY site_id
"""


def differences(database):
    """Rows in which rollup and raw events differ: none when all is rolled up."""
    return [row for sql in (_TOTALS, _COUNTS, _TOPS, _VISITS, _UNKNOWN)
            for row in database.rows(sql)]


def is_caught_up(database):
    """The cheap question to ask before the thorough one."""
    return database.value(
        "SELECT (SELECT count(*) FROM events WHERE duration_ms IS NULL) = "
        "(SELECT coalesce(sum(events), 0) FROM totals WHERE grain = 0)")


def wait_equal(database, timeout=30):
    """Waits until everything is rolled up, then compares."""
    wait_until(lambda: is_caught_up(database), timeout,
               lambda: f"the roll-up to catch up; differences: {differences(database)[:5]}",
               interval=0.05)
    found = differences(database)
    assert not found, f"{len(found)} differences, such as {found[:5]}"
