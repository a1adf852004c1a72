-- values.sql: the statements that count events by the values of their dimensions, made from
-- the table of dimensions.
--
-- Texts stay within one statement, whose sorts, hashes and tuple stores go to disk beyond
-- work_mem; what comes out has numbers.

-- A part of those statements: looks up the numbers of the values in `wanted` (home_no,
-- dimension, value), numbers those that have none, and gives them out as `named`.  Of new values
-- a site has at most values_max a day and dimension; further ones have the number of (other).
CREATE OR REPLACE FUNCTION rollup_sql_named() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT '
    looked AS MATERIALIZED (
        -- What is known by its number needs no hash any more.
        SELECT w.home_no, w.dimension, w.value, d.value_id,
               CASE WHEN d.value_id IS NULL THEN w.hash END AS hash
          FROM (SELECT home_no, dimension, value,
                       substr(sha256(convert_to(value, ''UTF8'')), 1, 16) AS hash
                  FROM wanted ORDER BY 1, 2, 4) AS w -- the order of the key
          LEFT JOIN LATERAL (
               SELECT value_id FROM dictionary
                WHERE dictionary.home_no = w.home_no AND dictionary.dimension = w.dimension
                  AND dictionary.hash = w.hash OFFSET 0) AS d ON true
    ), fresh AS MATERIALIZED (
        SELECT l.home_no, l.dimension, l.hash, min(l.value) AS value,
               row_number() OVER (PARTITION BY l.home_no, l.dimension) AS place
          FROM looked l WHERE l.value_id IS NULL GROUP BY 1, 2, 3
    ), allowed AS MATERIALIZED (
        -- How many of them the day has room for.
        SELECT f.home_no, f.dimension, f.wanted, (now() AT TIME ZONE ''UTC'')::date AS day,
               least(f.wanted, greatest(0, (SELECT values_max FROM rollup_state)
                                           - coalesce(m.made, 0))) AS room
          FROM (SELECT home_no, dimension, max(place) AS wanted FROM fresh GROUP BY 1, 2) AS f
          LEFT JOIN LATERAL (
               SELECT made FROM values_made
                WHERE values_made.home_no = f.home_no AND values_made.dimension = f.dimension
                  AND values_made.day = (now() AT TIME ZONE ''UTC'')::date OFFSET 0
               ) AS m ON true
    ), made AS (
        INSERT INTO values_made AS m (home_no, dimension, day, made)
        SELECT home_no, dimension, day, room FROM allowed WHERE room > 0
            ON CONFLICT (home_no, dimension, day) DO UPDATE SET made = m.made + excluded.made
    ), capped AS (
        UPDATE rollup_state SET capped = capped + c.count
          FROM (SELECT sum(wanted - room)::bigint AS count FROM allowed) AS c
         WHERE c.count > 0
    ), added AS (
        INSERT INTO dictionary AS d (home_no, dimension, hash, value)
        SELECT f.home_no, f.dimension, f.hash, f.value
          FROM fresh f
          JOIN allowed a ON a.home_no = f.home_no AND a.dimension = f.dimension
         WHERE f.place <= a.room
        RETURNING d.home_no, d.dimension, d.hash, d.value_id
    ), others AS (
        INSERT INTO dictionary AS d (home_no, dimension, is_other, hash, value)
        SELECT home_no, dimension, true, '''', ''(other)'' FROM allowed WHERE room < wanted
            ON CONFLICT (home_no, dimension, hash) DO UPDATE SET value = excluded.value
        RETURNING d.home_no, d.dimension, d.value_id
    ), named AS (
        SELECT l.home_no, l.dimension, l.value,
               coalesce(l.value_id, a.value_id, o.value_id) AS value_id,
               l.value_id IS NULL AND a.value_id IS NULL AS is_other
          FROM looked l
          LEFT JOIN added a ON a.home_no = l.home_no AND a.dimension = l.dimension
                           AND a.hash = l.hash
          LEFT JOIN others o ON o.home_no = l.home_no AND o.dimension = l.dimension
    )' $$;

-- rollup_count_events(source): what the events of a chunk add to totals and to counts, and how
-- many events and engagements there were.  An engagement adds its time to its page.
--
-- The aggregate of a sketch holds 128 KB for each group that it forms, so the users' keys are
-- gathered first, and made a sketch one group at a time.
DO $do$
DECLARE
    columns text;
    sums    text; -- one for each dimension
BEGIN
    SELECT string_agg(format('e.%I AS v%s', expression, dimension), ', '
                      ORDER BY dimension),
           string_agg(format('
        SELECT site_no, home_no, %1$s::smallint AS dimension, day, v%1$s AS value,
               count(*) FILTER (WHERE is_event) AS events,
               count(*) FILTER (WHERE is_event AND is_view) AS pageviews,
               coalesce(sum(duration_ms), 0)::bigint AS duration_ms,
               array_agg(user_key) FILTER (WHERE is_event AND user_key IS NOT NULL)
                   AS user_keys
          FROM taken WHERE v%1$s IS NOT NULL%2$s GROUP BY site_no, home_no, day, v%1$s',
                             dimension,
                             CASE WHEN dimension <> dimension_page() THEN ' AND is_event' END),
                      ' UNION ALL ' ORDER BY dimension)
      INTO columns, sums FROM dimensions WHERE kind = 'event';
    EXECUTE format($create$
CREATE OR REPLACE FUNCTION rollup_count_events(source rollup_source, OUT totals rollup_totals,
                                    OUT counts rollup_counts, OUT taken bigint)
LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    counted record;
BEGIN
    WITH taken AS MATERIALIZED ( -- or each expression is worked out several times
        SELECT s.site_no, s.home_no, l.local_time::date AS day,
               e."timestamp" - (l.local_time - date_trunc('hour', l.local_time)) AS hour,
               e.duration_ms, e.duration_ms IS NULL AS is_event,
               event_is_view(e.event_type) AS is_view,
               event_user_key(e.user_id, e.visitor_id) AS user_key, %1$s
          FROM events e
          JOIN unnest(source.site_ids, source.site_nos, source.home_nos, source.zones)
               AS s (site_id, site_no, home_no, time_zone) ON s.site_id = e.site_id
         CROSS JOIN LATERAL (
               SELECT e."timestamp" AT TIME ZONE s.time_zone AS local_time) AS l
         WHERE e.id > source.low AND e.id <= source.high
           AND (source.only_site IS NULL
                OR e.site_id = source.only_site AND e."timestamp" >= source.since
                   AND e."timestamp" < source.until AND e.id <> ALL (source.aside))
    ), in_total AS (
        SELECT site_no, day, hour, count(*) FILTER (WHERE is_event) AS events,
               count(*) FILTER (WHERE is_event AND is_view) AS pageviews,
               array_agg(user_key) FILTER (WHERE is_event AND user_key IS NOT NULL)
                   AS user_keys,
               (2 - GROUPING(hour) - GROUPING(day))::smallint AS grain
          FROM taken
         GROUP BY GROUPING SETS ((site_no, day, hour), (site_no, day), (site_no))
    ), totals AS (
        SELECT ROW(array_agg(site_no), array_agg(grain), array_agg(coalesce(day, '-infinity')),
                   array_agg(coalesce(hour, '-infinity')), array_agg(events),
                   array_agg(pageviews), NULL, NULL, NULL, NULL,
                   array_agg((SELECT hll_add_agg(key::hll_hashval, 14, 5, 2048, 1)
                                FROM unnest(user_keys) AS key)))::rollup_totals AS arrays
          FROM in_total
         WHERE events > 0
           AND (grain < 2 OR day >= (SELECT (now() AT TIME ZONE 'UTC')::date - hours_days
                                       FROM rollup_state))
    ), texts AS MATERIALIZED (%2$s
    ), wanted AS (
        SELECT DISTINCT home_no, dimension, value FROM texts
    ), %3$s, numbered AS (
        SELECT t.site_no, t.dimension, t.day, n.value_id, n.is_other, t.events, t.pageviews,
               t.duration_ms,
               CASE WHEN cardinality(t.user_keys) = 1
                    THEN hll_add(hll_empty(11, 5, 128, 1), t.user_keys[1]::hll_hashval)
                    ELSE (SELECT hll_add_agg(key::hll_hashval, 11, 5, 128, 1)
                            FROM unnest(t.user_keys) AS key) END AS users
          FROM texts t
          JOIN named n ON n.home_no = t.home_no AND n.dimension = t.dimension
                      AND n.value = t.value
    ), summed AS (
        SELECT site_no, dimension, day, value_id, events, pageviews, duration_ms, users
          FROM numbered WHERE NOT is_other
         UNION ALL -- of (other) there may be several
        SELECT site_no, dimension, day, value_id, sum(events)::bigint,
               sum(pageviews)::bigint, sum(duration_ms)::bigint, hll_union_agg(users)
          FROM numbered WHERE is_other GROUP BY 1, 2, 3, 4
    )
    SELECT (SELECT t.arrays FROM totals t) AS totals,
           ROW(array_agg(site_no), array_agg(dimension), array_agg(1::smallint),
               array_agg(day), array_agg(value_id), array_agg(events), array_agg(pageviews),
               array_agg(0::bigint), array_agg(0::bigint), array_agg(duration_ms),
               array_agg(users))::rollup_counts AS counts,
           (SELECT count(*) FROM taken) AS taken
      INTO counted
      FROM summed;
    totals := counted.totals;
    counts := counted.counts;
    taken := counted.taken;
END
$$ $create$, columns, sums, rollup_sql_named());
END
$do$;
