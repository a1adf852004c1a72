-- values.sql: the statements that count events by the values of their dimensions, made from
-- the table of dimensions.
--
-- Texts stay within one statement, whose sorts, hashes and tuple stores go to disk beyond
-- work_mem; what comes out has numbers.

-- A part of those statements: looks up the numbers of the values in `wanted` (home_no,
-- dimension, value), numbers those that have none, and gives them out as `named`.
CREATE OR REPLACE FUNCTION rollup_sql_named() RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT '
    looked AS MATERIALIZED (
        -- What is known by its number needs no hash any more.
        SELECT w.home_no, w.dimension, w.value, d.value_id,
               CASE WHEN d.value_id IS NULL THEN h.hash END AS hash
          FROM wanted w
         CROSS JOIN LATERAL (
               SELECT substr(sha256(convert_to(w.value, ''UTF8'')), 1, 16) AS hash OFFSET 0
               ) AS h
          LEFT JOIN LATERAL (
               SELECT value_id FROM dictionary
                WHERE dictionary.home_no = w.home_no AND dictionary.dimension = w.dimension
                  AND dictionary.hash = h.hash OFFSET 0) AS d ON true
    ), added AS (
        INSERT INTO dictionary AS d (home_no, dimension, hash, value)
        SELECT DISTINCT ON (home_no, dimension, hash) home_no, dimension, hash, value
          FROM looked WHERE value_id IS NULL
        RETURNING d.home_no, d.dimension, d.hash, d.value_id
    ), named AS (
        SELECT l.home_no, l.dimension, l.value, coalesce(l.value_id, a.value_id) AS value_id
          FROM looked l
          LEFT JOIN added a ON a.home_no = l.home_no AND a.dimension = l.dimension
                           AND a.hash = l.hash
    )' $$;

-- rollup_count_values(source): what the events of a chunk add to counts.  An engagement adds
-- its time to its page.
DO $do$
DECLARE
    columns text;
    rows    text;
BEGIN
    SELECT string_agg(format('e.%I AS v%s', expression, dimension), ', '
                      ORDER BY dimension),
           string_agg(format(CASE WHEN dimension = dimension_page() THEN '(%s, v%1$s)'
                                  ELSE '(%s, CASE WHEN is_event THEN v%1$s END)' END,
                             dimension), ', ' ORDER BY dimension)
      INTO columns, rows FROM dimensions WHERE kind = 'event';
    EXECUTE format($create$
CREATE OR REPLACE FUNCTION rollup_count_values(source rollup_source) RETURNS rollup_counts
LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_nestloop = off AS $$
DECLARE
    counted rollup_counts;
BEGIN
    WITH taken AS (
        SELECT s.site_no, s.home_no,
               (e."timestamp" AT TIME ZONE s.time_zone)::date AS day,
               e.duration_ms, e.duration_ms IS NULL AS is_event,
               event_is_view(e.event_type) AS is_view,
               event_user_key(e.user_id, e.visitor_id) AS user_key, %1$s
          FROM events e
          JOIN unnest(source.site_ids, source.site_nos, source.home_nos, source.zones)
               AS s (site_id, site_no, home_no, time_zone) ON s.site_id = e.site_id
         WHERE e.id > source.low AND e.id <= source.high
           AND (source.only_site IS NULL
                OR e.site_id = source.only_site AND e."timestamp" >= source.since
                   AND e."timestamp" < source.until AND e.id <> ALL (source.aside))
    ), parts AS MATERIALIZED (
        SELECT t.site_no, t.home_no, t.day, t.duration_ms, t.is_event, t.is_view, t.user_key,
               v.dimension::smallint AS dimension, v.value
          FROM taken t CROSS JOIN LATERAL (VALUES %2$s) AS v (dimension, value)
         WHERE v.value IS NOT NULL
    ), wanted AS (
        SELECT home_no, dimension, value FROM parts GROUP BY 1, 2, 3
    ), %3$s, summed AS (
        SELECT p.site_no, n.dimension, p.day, n.value_id,
               count(*) FILTER (WHERE p.is_event) AS events,
               count(*) FILTER (WHERE p.is_event AND p.is_view) AS pageviews,
               coalesce(sum(p.duration_ms), 0)::bigint AS duration_ms,
               array_agg(p.user_key) FILTER (WHERE p.is_event AND p.user_key IS NOT NULL)
                   AS user_keys
          FROM parts p
          JOIN named n ON n.home_no = p.home_no AND n.dimension = p.dimension
                      AND n.value = p.value
         GROUP BY 1, 2, 3, 4
    )
    SELECT array_agg(site_no), array_agg(dimension), array_agg(1::smallint), array_agg(day),
           array_agg(value_id), array_agg(events), array_agg(pageviews),
           array_agg(0::bigint), array_agg(0::bigint), array_agg(duration_ms),
           array_agg((SELECT hll_add_agg(key::hll_hashval, 11, 5, 128, 1)
                           FROM unnest(user_keys) AS key))
      INTO counted.site_nos, counted.dimensions, counted.grains, counted.days,
           counted.value_ids, counted.events, counted.pageviews, counted.visits,
           counted.bounces, counted.durations, counted.users
      FROM summed;
    RETURN counted;
END
$$ $create$, columns, rows, rollup_sql_named());
END
$do$;
