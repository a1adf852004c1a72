"""Compares the rollups with aggregates of the raw events, by SQL and row for row.

The number of users is compared exactly up to 2,047, where the sketch holds the users
themselves, and to 3 % above.
"""
from support.wait import wait_until

_DAYS = """
    SELECT e.*, (e."timestamp" AT TIME ZONE 'UTC')::date AS day FROM events e
    UNION ALL
    SELECT e.*, '-infinity'::date FROM events e
"""

_SITES = f"""
WITH raw AS (
    SELECT site_id, day, count(*) AS views, count(DISTINCT user_id) AS users
    FROM ({_DAYS}) e GROUP BY site_id, day
), rolled AS (
    SELECT site_id, day, views, round(coalesce(hll_cardinality(users), 0)) AS users
    FROM rollup_sites
)
SELECT site_id, day, raw.views, rolled.views, raw.users, rolled.users
FROM raw FULL JOIN rolled USING (site_id, day)
WHERE raw.views IS DISTINCT FROM rolled.views
   OR raw.users IS NULL OR rolled.users IS NULL
   OR CASE WHEN raw.users < 2048 THEN raw.users <> rolled.users
           ELSE abs(raw.users - rolled.users) > 0.03 * raw.users END
"""

_PATHS = f"""
WITH raw AS (
    SELECT site_id, day, path, count(*) AS views
    FROM ({_DAYS}) e GROUP BY site_id, day, path
), rolled AS (
    SELECT r.site_id, r.day, p.path, r.views
    FROM rollup_paths r JOIN paths p USING (site_id, path_id)
)
SELECT site_id, day, left(path, 80), raw.views, rolled.views
FROM raw FULL JOIN rolled USING (site_id, day, path)
WHERE raw.views IS DISTINCT FROM rolled.views
"""

# The ten top paths of a row: views descending, then path ascending by bytes.
_TOPS = f"""
WITH ranked AS (
    SELECT site_id, day, path, count(*) AS views,
           row_number() OVER (PARTITION BY site_id, day
                              ORDER BY count(*) DESC, path COLLATE "C") AS place
    FROM ({_DAYS}) e GROUP BY site_id, day, path
), raw AS (
    SELECT site_id, day, array_agg(path ORDER BY place) AS paths,
           array_agg(views ORDER BY place) AS views
    FROM ranked WHERE place <= 10 GROUP BY site_id, day
), rolled AS (
    SELECT r.site_id, r.day, array_agg(p.path ORDER BY t.place) AS paths,
           array_agg(t.views ORDER BY t.place) AS views
    FROM rollup_sites r
    CROSS JOIN LATERAL unnest(r.top_path_ids, r.top_views) WITH ORDINALITY
               AS t (path_id, views, place)
    JOIN paths p ON p.site_id = r.site_id AND p.path_id = t.path_id
    GROUP BY r.site_id, r.day
)
SELECT site_id, day, raw.paths, raw.views, rolled.paths, rolled.views
FROM raw FULL JOIN rolled USING (site_id, day)
WHERE raw.paths IS DISTINCT FROM rolled.paths OR raw.views IS DISTINCT FROM rolled.views
"""


def differences(database):
    """Rows in which rollup and raw events differ: none when all is rolled up."""
    return database.rows(_SITES) + database.rows(_PATHS) + database.rows(_TOPS)


def is_caught_up(database):
    """The cheap question to ask before the thorough one."""
    return database.value(
        "SELECT (SELECT count(*) FROM events) = (SELECT coalesce(sum(views), 0) "
        "FROM rollup_sites WHERE day = '-infinity')")


def wait_equal(database, timeout=30):
    """Waits until everything is rolled up, then compares."""
    wait_until(lambda: is_caught_up(database), timeout,
               lambda: f"the roll-up to catch up; differences: {differences(database)[:5]}",
               interval=0.05)
    found = differences(database)
    assert not found, f"{len(found)} differences, such as {found[:5]}"
