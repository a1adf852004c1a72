-- reports_raw.sql: the answers that the counts cannot give, from raw events and visits.
--
-- A filter on a property of visits chooses visits, and with them all of their events; one on
-- a property of events chooses events, and the visits that have one.  A visit belongs to the
-- range in which it began, with all that is in it; an event by itself to that of its own
-- time.  Only what the roll-up has counted is looked at, so that as_of is true of it.
--
-- The statements are made from the table of dimensions.  Nothing of a question becomes a
-- part of their text: it is bound, as
--     $1 site_id       $5 values of filters     $9  bounds of the buckets
--     $2 since         $6 their patterns        $10 site_no
--     $3 until         $7 their properties      $11 since, and
--     $4 position      $8 the property asked    $12 until of the events that are read
-- Users are counted by sketches that are exact up to 2,048, as those of a site are.

-- The numbers of the values of a property that patterns fit.  A value without a wildcard is
-- found by its hash; else all that there are have to be looked at.
CREATE OR REPLACE FUNCTION raw_value_ids(p_site_id text, p_dimension smallint,
                                         p_values text[], p_patterns text[])
RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT found.value_id
      FROM unnest(p_values) AS given (value)
     CROSS JOIN LATERAL find_value(p_site_id, p_dimension, given.value) AS found (value_id)
     WHERE found.value_id IS NOT NULL
     UNION ALL
    SELECT d.value_id
      FROM sites s JOIN dictionary d ON d.home_no = s.home_no
     WHERE array_position(p_values, NULL) IS NOT NULL
       AND s.site_id = p_site_id AND d.dimension = dimension_values(p_dimension)
       AND NOT d.is_other
       AND d.value LIKE ANY (ARRAY(SELECT pattern FROM unnest(p_values, p_patterns)
                                          AS u (value, pattern) WHERE value IS NULL))
$$;

-- What a property is of an event e; `name` is the parameter that has its name.
CREATE OR REPLACE FUNCTION raw_event_value(p_property text, p_name text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_property LIKE 'prop:%'
                THEN format('(e.props ->> substr(%s, 6)) COLLATE "C"', p_name)
                WHEN p_property = 'prop' THEN 'jsonb_object_keys(e.props) COLLATE "C"' -- each
                ELSE (SELECT 'e.' || quote_ident(expression) FROM dimensions
                       WHERE name = p_property) END
$$;

CREATE OR REPLACE FUNCTION raw_kind(p_property text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_property LIKE 'prop:%' OR p_property = 'prop' THEN 'event'
                ELSE (SELECT kind FROM dimensions WHERE name = p_property) END
$$;

-- A condition for each clause of the filters, over an event e or a visit v.
CREATE OR REPLACE FUNCTION raw_conditions(p_properties text[], p_clauses integer[],
                                          p_negated boolean[], p_values text[])
RETURNS TABLE (property text, kind text, condition text)
LANGUAGE sql STABLE AS $$
    SELECT c.property, raw_kind(c.property),
           format(CASE WHEN c.is_negated THEN '(%s) IS NOT TRUE' ELSE '%s' END,
                  CASE WHEN raw_kind(c.property) = 'visit'
                       THEN format('v.value_ids[%s] IN (SELECT raw_value_ids($1, '
                                   '%s::smallint, $5[%s:%s], $6[%3$s:%4$s]))',
                                   dimension_place(d.dimension), d.dimension, c.first,
                                   c.last)
                       ELSE format(CASE WHEN c.is_wild THEN '%s LIKE ANY ($6[%s:%s])'
                                        ELSE '%s = ANY ($5[%s:%s])' END,
                                   raw_event_value(c.property, format('$7[%s]', c.first)),
                                   c.first, c.last) END)
      FROM (SELECT u.clause, u.is_negated, max(u.property) AS property,
                   min(u.place) AS first, max(u.place) AS last,
                   bool_or(u.value IS NULL) AS is_wild
              FROM unnest(p_clauses, p_properties, p_negated, p_values) WITH ORDINALITY
                   AS u (clause, property, is_negated, value, place)
             GROUP BY u.clause, u.is_negated) AS c
      LEFT JOIN dimensions d ON d.name = c.property
     ORDER BY c.clause
$$;

-- How many users there are among hashes.  They are an array first, since a sketch that grows
-- takes 128 KB.
CREATE OR REPLACE FUNCTION raw_sql_users(p_keys text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('CASE WHEN cardinality(%1$s) > 1
                        THEN (SELECT round(hll_cardinality(hll_add_agg(
                                         key::hll_hashval, 14, 5, 2048, 1)))::bigint
                                FROM (SELECT unnest(%1$s) AS key) AS keys)
                        ELSE coalesce(cardinality(%1$s), 0) END', p_keys)
$$;

-- The events that pass: those of visits v, or of the range.
CREATE OR REPLACE FUNCTION raw_sql_events(p_of_visits boolean, p_where text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format(CASE WHEN p_of_visits
                       THEN 'events e WHERE e.site_id = $1 AND e.id <= $4
                             AND e."timestamp" >= $11 AND e."timestamp" < $12
                             AND v.visitor = coalesce(e.visitor_id, event_user_hash(e.user_id))
                             AND e."timestamp" BETWEEN v.began_at AND v.ended_at AND (%s)'
                       ELSE 'events e WHERE e.site_id = $1 AND e.id <= $4
                             AND e."timestamp" >= $2 AND e."timestamp" < $3 AND (%s)' END,
                  p_where)
$$;

-- The visits of a range that pass: by their own properties `chosen`, and `visited` those that
-- have an event that passes.  A visit without a value of the property is in neither.
CREATE OR REPLACE FUNCTION raw_sql_visits(p_property text, p_visits text, p_events text)
RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT format('chosen AS NOT MATERIALIZED (
        SELECT v.visitor, v.began_at, v.ended_at, v.events, v.pageviews, v.users,
               visit_is_bounce(v)::integer AS bounces, visit_duration_ms(v) AS duration_ms,
               coalesce(width_bucket(v.first_at, $9), 1) AS place, %1$s AS value_id
          FROM visits v
         WHERE v.site_no = $10 AND v.first_at >= $2 AND v.first_at < $3 AND v.events > 0
           AND %1$s IS NOT NULL AND %2$s
    ), visited AS (SELECT * FROM chosen v WHERE %3$s)',
        coalesce((SELECT format('v.value_ids[%s]', dimension_place(dimension)) FROM dimensions
                   WHERE name = p_property AND kind = 'visit'), '0'),
        coalesce(p_visits, 'true'),
        CASE WHEN p_events IS NULL THEN 'true'
             ELSE 'EXISTS (SELECT FROM ' ||
                  raw_sql_events(true, 'e.duration_ms IS NULL AND ' || p_events) || ')' END)
$$;

-- The figures of visits and of all that is in them, by their time and their value.
CREATE OR REPLACE FUNCTION raw_sql_by_visits(p_visits text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('WITH %s, summed AS (
        SELECT place, value_id, count(*) AS visits, sum(bounces)::bigint AS bounces,
               sum(events)::bigint AS events, sum(pageviews)::bigint AS pageviews,
               sum(duration_ms)::bigint AS duration
          FROM visited GROUP BY place, value_id
    ), keyed AS (
        SELECT place, value_id, array_agg(key) AS keys
          FROM (SELECT place, value_id, unnest(users) AS key FROM visited WHERE $13) AS k
         GROUP BY place, value_id
    ), counted AS (
        SELECT place, value_id, %s AS users FROM keyed
    )
    SELECT s.place, d.value, coalesce(d.is_other, false), coalesce(c.users, 0), s.visits,
           s.pageviews, s.events, s.bounces, s.pageviews, s.duration, coalesce(c.users, 0)
      FROM summed s LEFT JOIN counted c USING (place, value_id)
      LEFT JOIN dictionary d ON d.value_id = s.value_id', p_visits, raw_sql_users('keys'))
$$;

-- The events that pass, each with what it counts for; those of a visit have its time, and what
-- is known of it.
CREATE OR REPLACE FUNCTION raw_sql_rows(p_of_visits boolean, p_value text, p_where text)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('
        SELECT %1$s AS place, %2$s AS value, e.duration_ms, e.duration_ms IS NULL AS is_event,
               event_is_view(e.event_type) AS is_view,
               CASE WHEN $13 THEN event_user_key(e.user_id, e.visitor_id) END AS key%3$s
          FROM %4$s',
        CASE WHEN p_of_visits THEN 'v.place'
             ELSE 'coalesce(width_bucket(e."timestamp", $9), 1)' END,
        p_value,
        CASE WHEN p_of_visits THEN ', v.visitor, v.began_at, v.bounces, v.pageviews AS views,
               v.duration_ms AS stayed_ms' ELSE '' END,
        CASE WHEN p_of_visits THEN 'chosen v, ' ELSE '' END
        || raw_sql_events(p_of_visits, p_where))
$$;

-- The figures of such rows, by their time and their value.
CREATE OR REPLACE FUNCTION raw_sql_by_rows(p_rows text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('
        SELECT s.place, s.value, s.events, s.pageviews, s.duration, %2$s AS users
          FROM (SELECT r.place, r.value, count(*) FILTER (WHERE r.is_event) AS events,
                       count(*) FILTER (WHERE r.is_event AND r.is_view) AS pageviews,
                       sum(r.duration_ms)::bigint AS duration,
                       array_agg(r.key) FILTER (WHERE r.is_event AND r.key IS NOT NULL) AS keys
                  FROM %1$s AS r
                 GROUP BY r.place, r.value) AS s
         WHERE s.events > 0', p_rows, raw_sql_users('s.keys'))
$$;

-- The visits that have an event that passes, found by the way.
CREATE OR REPLACE FUNCTION raw_sql_hits(p_visits text, p_rows text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s, hits AS MATERIALIZED (%s), found AS (
        SELECT DISTINCT visitor, began_at, place, bounces, views AS pageviews,
               stayed_ms AS duration_ms
          FROM hits)', p_visits, p_rows)
$$;

-- The figures of events, and beside those of a bucket of time what its visits have.  Each is
-- left out where no metric needs it.
CREATE OR REPLACE FUNCTION raw_sql_joined(p_with text, p_visits text, p_seen text,
                                          p_everyone text)
RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s SELECT coalesce(s.place, v.place), s.value, false, coalesce(s.users, 0),
           coalesce(v.visits, 0), coalesce(s.pageviews, 0), coalesce(s.events, 0),
           coalesce(v.bounces, 0), coalesce(v.pageviews, 0),
           coalesce(v.duration, s.duration, 0), coalesce(%s, 0)
      FROM (%s) AS s
      FULL JOIN (%s) AS v (place, visits, bounces, pageviews, duration) USING (place)',
        'WITH ' || p_with, p_everyone, p_seen,
        CASE WHEN p_visits IS NULL
             THEN 'SELECT NULL::integer, 0::bigint, 0::bigint, 0::bigint, 0::bigint WHERE false'
             ELSE format('SELECT place, count(*), sum(bounces)::bigint, sum(pageviews)::bigint,
                                 sum(duration_ms)::bigint FROM %s GROUP BY place', p_visits)
             END)
$$;

-- The figures of a stretch of time: of all of it, of each bucket that begins at one of the
-- bounds, or of each value of a property.  No row is a bucket of zeros.
CREATE OR REPLACE FUNCTION raw_figures(
    p_site_id text, p_property text, p_since timestamptz, p_until timestamptz,
    p_bounds timestamptz[], p_metrics text[], p_properties text[], p_clauses integer[],
    p_negated boolean[], p_values text[], p_patterns text[])
RETURNS TABLE (place integer, value text, is_other boolean, users bigint, visits bigint,
               pageviews bigint, events bigint, bounces bigint, visit_views bigint,
               duration bigint, all_users bigint)
LANGUAGE plpgsql STABLE
SET work_mem = '64MB' AS $raw$
DECLARE
    asks_users  boolean := p_metrics && '{visitors, conversion_rate}';
    asks_visits boolean := p_property IS NULL AND
                p_metrics && '{visits, bounce_rate, visit_duration, views_per_visit}';
    of_visits   boolean;
    parts       record;
    visits_sql  text;
    rows_sql    text;
    has_hits    boolean;
    passes      text;
    statement   text;
    site        integer := (SELECT s.site_no FROM sites s WHERE s.site_id = p_site_id);
    known       bigint := (SELECT r.position FROM rollup_state r);
    since       timestamptz;
    until       timestamptz;
BEGIN
    SELECT raw_kind(p_property) AS kind, raw_event_value(p_property, '$8') AS value,
           string_agg(c.condition, ' AND ') FILTER (WHERE c.kind = 'visit') AS visits,
           string_agg(c.condition, ' AND ') FILTER (WHERE c.kind = 'event') AS events,
           string_agg(c.condition, ' AND ') FILTER (
               WHERE c.kind = 'event' AND c.property <> 'event_type') AS engaged,
           string_agg(c.condition, ' AND ') FILTER (
               WHERE c.kind = 'event' AND c.property <> p_property) AS others,
           coalesce(bool_or(c.kind IS NULL), false) AS is_unknown
      INTO parts FROM raw_conditions(p_properties, p_clauses, p_negated, p_values) AS c;
    IF parts.is_unknown OR parts.kind IS NULL AND p_property IS NOT NULL THEN
        RETURN; -- of an older schema
    END IF;
    of_visits := parts.visits IS NOT NULL;
    visits_sql := raw_sql_visits(p_property, parts.visits, parts.events);
    passes := 'e.duration_ms IS NULL AND ' || coalesce(parts.events, 'true');
    IF 'time_on_page' = ANY (p_metrics) THEN -- engagements have no type of their own
        passes := format('(%s OR e.duration_ms IS NOT NULL AND %s)', passes,
                         coalesce(parts.engaged, 'true'));
    END IF;
    IF parts.kind = 'visit' OR p_property IS NULL AND of_visits AND parts.events IS NULL THEN
        statement := raw_sql_by_visits(visits_sql);
    ELSE
        rows_sql := raw_sql_rows(of_visits, coalesce(parts.value, 'NULL::text'), passes
                        || CASE WHEN p_property = 'prop' THEN ' AND e.props IS NOT NULL'
                                ELSE coalesce(' AND ' || parts.value || ' IS NOT NULL', '') END);
        -- With filters on both, the events of the visits that are counted are those that pass.
        has_hits := of_visits AND asks_visits;
        statement := raw_sql_joined(
            CASE WHEN has_hits THEN raw_sql_hits(visits_sql, rows_sql)
                 WHEN of_visits OR asks_visits THEN visits_sql END,
            CASE WHEN has_hits THEN 'found' WHEN asks_visits THEN 'visited' END,
            raw_sql_by_rows(CASE WHEN has_hits THEN 'hits' ELSE '(' || rows_sql || ')' END),
            CASE WHEN 'conversion_rate' = ANY (p_metrics)
                 THEN '(SELECT a.users FROM (' || raw_sql_by_rows('(' || raw_sql_rows(
                          of_visits, 'NULL::text',
                          'e.duration_ms IS NULL AND ' || coalesce(parts.others, 'true'))
                      || ')') || ') AS a)'
                 ELSE 's.users' END);
    END IF;
    IF statement LIKE '%$11%' THEN
        EXECUTE 'WITH ' || raw_sql_visits(p_property, parts.visits, NULL)
                || ' SELECT min(began_at), max(ended_at) + interval ''1 microsecond''
                       FROM chosen'
           INTO since, until
          USING p_site_id, p_since, p_until, known, p_values, p_patterns, p_properties,
                p_property, p_bounds, site;
    END IF;
    RETURN QUERY EXECUTE statement
        USING p_site_id, p_since, p_until, known, p_values, p_patterns, p_properties,
              p_property, p_bounds, site, since, until, asks_users;
END
$raw$;

-- The stretch of time that a range is: its days, the last of them only up to an hour if one
-- is given; or the 24 hours that begin with p_since.
CREATE OR REPLACE FUNCTION raw_stretch(p_zone text, p_from date, p_to date, p_hour integer,
                                       p_since timestamptz, OUT since timestamptz,
                                       OUT until timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(p_since, p_from::timestamp AT TIME ZONE p_zone),
           coalesce(p_since + interval '24 hours',
                    (p_to::timestamp + make_interval(hours => coalesce(p_hour + 1, 24)))
                    AT TIME ZONE p_zone)
$$;

-- The figures of a range; no row where it is NULL or has nothing.
CREATE OR REPLACE FUNCTION raw_range(
    p_site_id text, p_property text, p_from date, p_to date, p_hour integer,
    p_since timestamptz, p_metrics text[], p_properties text[], p_clauses integer[],
    p_negated boolean[], p_values text[], p_patterns text[])
RETURNS TABLE (place integer, value text, is_other boolean, users bigint, visits bigint,
               pageviews bigint, events bigint, bounces bigint, visit_views bigint,
               duration bigint, all_users bigint)
LANGUAGE sql STABLE AS $$
    SELECT f.*
      FROM report_head(p_site_id) AS h
     CROSS JOIN raw_stretch(h.time_zone, p_from, p_to, p_hour, p_since) AS s
     CROSS JOIN LATERAL raw_figures(
           p_site_id, p_property, s.since, s.until, NULL, p_metrics, p_properties,
           p_clauses, p_negated, p_values, p_patterns) AS f
     WHERE p_from IS NOT NULL
$$;

-- The same for each hour, day, week or month.
CREATE OR REPLACE FUNCTION raw_series(
    p_site_id text, p_interval text, p_from date, p_to date, p_hour integer,
    p_since timestamptz, p_metrics text[], p_properties text[], p_clauses integer[],
    p_negated boolean[], p_values text[], p_patterns text[])
RETURNS TABLE (place bigint, at timestamptz, users bigint, visits bigint, pageviews bigint,
               events bigint, bounces bigint, visit_views bigint, duration bigint,
               all_users bigint)
LANGUAGE sql STABLE AS $$
    WITH buckets AS MATERIALIZED (
        SELECT b.* FROM report_buckets(p_site_id, p_interval, p_from, p_to, p_since) AS b
    )
    SELECT b.place, b.at, coalesce(f.users, 0), coalesce(f.visits, 0),
           coalesce(f.pageviews, 0), coalesce(f.events, 0), coalesce(f.bounces, 0),
           coalesce(f.visit_views, 0), coalesce(f.duration, 0), coalesce(f.users, 0)
      FROM buckets b
      LEFT JOIN (
           SELECT f.*
             FROM report_head(p_site_id) AS h
            CROSS JOIN raw_stretch(h.time_zone, p_from, p_to, p_hour, p_since) AS s
            CROSS JOIN LATERAL raw_figures(
                  p_site_id, NULL, s.since, s.until,
                  ARRAY(SELECT at FROM buckets ORDER BY place), p_metrics, p_properties,
                  p_clauses, p_negated, p_values, p_patterns) AS f
            WHERE p_from IS NOT NULL) AS f ON f.place = b.place
$$;

-- One page of the values of a property, as report_breakdown().
CREATE OR REPLACE FUNCTION raw_breakdown(
    p_site_id text, p_property text, p_from date, p_to date, p_since timestamptz,
    p_previous_from date, p_previous_to date, p_previous_hour integer,
    p_previous_since timestamptz, p_metrics text[], p_properties text[],
    p_clauses integer[], p_negated boolean[], p_values text[], p_patterns text[],
    p_limit integer, p_offset bigint)
RETURNS TABLE (place bigint, value text, is_other boolean, users bigint, visits bigint,
               pageviews bigint, events bigint, bounces bigint, visit_views bigint,
               duration bigint, all_users bigint, previous_users bigint,
               previous_visits bigint, previous_pageviews bigint, previous_events bigint,
               previous_bounces bigint, previous_visit_views bigint,
               previous_duration bigint, previous_all_users bigint)
LANGUAGE sql STABLE AS $$
    WITH page AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY f.is_other, report_rank(
                   p_metrics[1], f.users, f.visits, f.pageviews, f.events, f.bounces,
                   f.duration) DESC NULLS LAST, f.value COLLATE "C") AS rank, f.*
          FROM raw_range(p_site_id, p_property, p_from, p_to, NULL, p_since, p_metrics,
                         p_properties, p_clauses, p_negated, p_values, p_patterns) AS f
         ORDER BY rank LIMIT p_limit OFFSET p_offset
    )
    SELECT p.rank, p.value, p.is_other, p.users, p.visits, p.pageviews, p.events, p.bounces,
           p.visit_views, p.duration, p.all_users, coalesce(b.users, 0),
           coalesce(b.visits, 0), coalesce(b.pageviews, 0), coalesce(b.events, 0),
           coalesce(b.bounces, 0), coalesce(b.visit_views, 0), coalesce(b.duration, 0),
           coalesce(b.all_users, 0)
      FROM page p
      LEFT JOIN raw_range(p_site_id, p_property, p_previous_from, p_previous_to,
                          p_previous_hour, p_previous_since, p_metrics, p_properties,
                          p_clauses, p_negated, p_values, p_patterns) AS b
             ON b.value = p.value AND b.is_other = p.is_other
$$;
