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
    SELECT site_id, 'page', 0, '-infinity', path, is_view, who FROM e
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

# Events of sites that are not there.
_UNKNOWN = """
SELECT 'unknown', site_id, count(*) FROM events e
WHERE NOT EXISTS (SELECT FROM sites s WHERE s.site_id = e.site_id) GROUP BY site_id
"""


def differences(database):
    """Rows in which rollup and raw events differ: none when all is rolled up."""
    return [row for sql in (_TOTALS, _COUNTS, _TOPS, _UNKNOWN) for row in database.rows(sql)]


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
