-- reports_values.sql: the queries behind the reports on values of a property, over counts: the
-- values themselves, one page of them at a time, and the figures of those that pass filters.
-- reports.sql says what is common to all of them.

-- Whether a value passes filters: of each clause one pattern must fit, or none if the clause
-- is negated.  Patterns are those of LIKE; an element of the three arrays belongs together.
CREATE OR REPLACE FUNCTION report_passes(p_value text, p_clauses integer[],
                                         p_negated boolean[], p_patterns text[])
RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM unnest(p_clauses, p_negated, p_patterns)
                    AS f (clause, is_negated, pattern)
         GROUP BY clause, is_negated
        HAVING bool_or(p_value LIKE pattern) = is_negated)
$$;

-- The rows of counts of a property that a range of days consists of: months that are folded and
-- lie wholly in it are taken as such.  Of some values, if they are given, each row is looked up
-- by its key; of all, what was counted is read.
CREATE OR REPLACE FUNCTION report_value_rows(p_site_id text, p_property text, p_from date,
                                             p_to date, p_value_ids bigint[])
RETURNS SETOF counts
LANGUAGE sql STABLE AS $$
    WITH site AS MATERIALIZED (
        SELECT s.site_no, d.dimension,
               date_trunc('month', p_from::timestamp + interval '1 month - 1 day')::date
                   AS since,
               least(date_trunc('month', p_to::timestamp + interval '1 day')::date, s.folded)
                   AS until,
               (SELECT min(t.day) FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1)
                   AS first_day,
               (SELECT max(t.day) FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1)
                   AS last_day
          FROM sites s JOIN dimensions d ON d.name = p_property
         WHERE s.site_id = p_site_id
    ), stretches AS MATERIALIZED ( -- the days before whole months, those, and the days after
        SELECT 1::smallint AS grain, p_from AS since,
               CASE WHEN site.since < site.until THEN site.since ELSE p_to + 1 END AS until,
               interval '1 day' AS step FROM site
         UNION ALL
        SELECT 3::smallint, site.since, site.until, interval '1 month' FROM site
         WHERE site.since < site.until
         UNION ALL
        SELECT 1::smallint, site.until, p_to + 1, interval '1 day' FROM site
         WHERE site.since < site.until
    )
    SELECT c.* FROM site CROSS JOIN stretches
     CROSS JOIN LATERAL (
           SELECT c.* FROM counts c
            WHERE c.site_no = site.site_no AND c.dimension = site.dimension
              AND c.grain = stretches.grain AND c.day >= stretches.since
              AND c.day < stretches.until) AS c
     WHERE p_value_ids IS NULL
     UNION ALL
    SELECT c.* FROM site CROSS JOIN stretches
     CROSS JOIN LATERAL generate_series(
           greatest(stretches.since, date_trunc('month', first_day)::date)::timestamp,
           least(stretches.until - 1, last_day)::timestamp, stretches.step) AS g
     CROSS JOIN LATERAL (
           SELECT c.* FROM unnest(p_value_ids) AS v (id) CROSS JOIN LATERAL (
                  SELECT c.* FROM counts c
                   WHERE c.site_no = site.site_no AND c.dimension = site.dimension
                     AND c.grain = stretches.grain AND c.day = g::date
                     AND c.value_id = v.id OFFSET 0) AS c) AS c
     WHERE p_value_ids IS NOT NULL AND p_from IS NOT NULL
$$;

-- The figures of each such value; of its users how many they are at most, each day by itself.
-- In plpgsql, which keeps the plan: where values are given it is not one with that of the caller.
CREATE OR REPLACE FUNCTION report_values(p_site_id text, p_property text, p_from date,
                                         p_to date, p_value_ids bigint[])
RETURNS TABLE (value_id bigint, most float8, visits bigint, pageviews bigint, events bigint,
               bounces bigint, duration_ms bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT r.value_id, sum(hll_cardinality(r.users)), sum(r.visits)::bigint,
           sum(r.pageviews)::bigint, sum(r.events)::bigint, sum(r.bounces)::bigint,
           sum(r.duration_ms)::bigint
      FROM report_value_rows(p_site_id, p_property, p_from, p_to, p_value_ids) AS r
     GROUP BY r.value_id;
END
$$;

-- And the users.  The sketches are gathered first: an aggregate over all of the rows would hold
-- 128 KB for each value.
CREATE OR REPLACE FUNCTION report_value_users(p_site_id text, p_property text, p_from date,
                                              p_to date, p_value_ids bigint[])
RETURNS TABLE (value_id bigint, users bigint)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT g.value_id, (SELECT round(hll_cardinality(hll_union_agg(s.one)))::bigint
                          FROM (SELECT unnest(g.sketches) AS one) AS s)
      FROM (SELECT r.value_id, array_agg(r.users) AS sketches
              FROM report_value_rows(p_site_id, p_property, p_from, p_to, p_value_ids) AS r
             GROUP BY r.value_id) AS g;
END
$$;

-- The metric by which values are sorted, as it is shown; of conversion rates their numerator.
CREATE OR REPLACE FUNCTION report_rank(p_metric text, users bigint, visits bigint,
                                       pageviews bigint, events bigint, bounces bigint,
                                       duration bigint)
RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_metric
               WHEN 'visitors' THEN users
               WHEN 'visits' THEN visits
               WHEN 'pageviews' THEN pageviews
               WHEN 'events' THEN events
               WHEN 'views_per_visit' THEN round(pageviews::numeric / nullif(visits, 0), 2)
               WHEN 'bounce_rate' THEN round(bounces * 100.0 / nullif(visits, 0), 1)
               WHEN 'visit_duration' THEN round(duration / 1000.0 / nullif(visits, 0))
               WHEN 'conversion_rate' THEN users
               WHEN 'time_on_page' THEN round(duration / 1000.0 / nullif(pageviews, 0))
           END
$$;

-- Whether a clause of filters names all the values that it lets pass.
CREATE OR REPLACE FUNCTION report_are_named(p_clauses integer[], p_negated boolean[],
                                            p_values text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT EXISTS (SELECT FROM unnest(p_clauses, p_negated, p_values)
                               AS f (clause, is_negated, value)
                    GROUP BY clause HAVING bool_and(NOT is_negated AND value IS NOT NULL))
$$;

-- The numbers of the values of a site's dimension that pass filters.  Where a clause names its
-- values they are found by their hashes; else all that there are have to be looked at.
CREATE OR REPLACE FUNCTION report_passing(p_site_id text, p_dimension smallint,
                                          p_clauses integer[], p_negated boolean[],
                                          p_values text[], p_patterns text[],
                                          OUT value_id bigint, OUT is_named boolean)
RETURNS SETOF record
LANGUAGE sql STABLE AS $$
    WITH naming AS MATERIALIZED (
        SELECT clause FROM unnest(p_clauses, p_negated, p_values)
                           AS f (clause, is_negated, value)
         GROUP BY clause HAVING bool_and(NOT is_negated AND value IS NOT NULL)
         ORDER BY clause LIMIT 1
    )
    SELECT DISTINCT d.value_id, true
      FROM naming
      JOIN unnest(p_clauses, p_values) AS f (clause, value) USING (clause)
      JOIN dictionary d ON d.value_id = find_value(p_site_id, p_dimension, f.value)
     WHERE NOT d.is_other AND report_passes(d.value, p_clauses, p_negated, p_patterns)
     UNION ALL
    SELECT d.value_id, false
      FROM sites s JOIN dictionary d ON d.home_no = s.home_no
                                    AND d.dimension = dimension_values(p_dimension)
     WHERE NOT EXISTS (SELECT FROM naming) AND s.site_id = p_site_id AND NOT d.is_other
       AND report_passes(d.value, p_clauses, p_negated, p_patterns)
$$;

-- One page of the values of a property with their figures, greatest first by a metric, and
-- with those of the range before.  (other) is last.
--
-- Counting users takes longest, and so is done only of values that may be on the page: if it is
-- sorted by them, first of those that have the most with each day counted by itself, then of all
-- that may have as many as the last of these.  A tenth is for the errors of sketches.
CREATE OR REPLACE FUNCTION report_breakdown(
    p_site_id text, p_property text, p_from date, p_to date, p_previous_from date,
    p_previous_to date, p_sort text, p_clauses integer[], p_negated boolean[],
    p_values text[], p_patterns text[], p_limit integer, p_offset bigint)
RETURNS TABLE (place bigint, value text, is_other boolean, users bigint, visits bigint,
               pageviews bigint, events bigint, bounces bigint, visit_views bigint,
               duration bigint, all_users bigint, previous_users bigint,
               previous_visits bigint, previous_pageviews bigint, previous_events bigint,
               previous_bounces bigint, previous_visit_views bigint,
               previous_duration bigint, previous_all_users bigint)
LANGUAGE sql STABLE AS $$
    WITH named AS MATERIALIZED (
        SELECT v.*, d.value, d.is_other
          FROM report_values(p_site_id, p_property, p_from, p_to, CASE
                   WHEN report_are_named(p_clauses, p_negated, p_values)
                   THEN ARRAY(SELECT f.value_id
                                FROM dimensions m CROSS JOIN LATERAL report_passing(
                                     p_site_id, m.dimension, p_clauses, p_negated, p_values,
                                     p_patterns) AS f
                               WHERE m.name = p_property) END) AS v
          JOIN dictionary d USING (value_id)
         WHERE (v.events > 0 OR v.visits > 0 OR v.pageviews > 0)
           AND (p_clauses IS NULL OR NOT d.is_other
                AND report_passes(d.value, p_clauses, p_negated, p_patterns))
    ), plan AS MATERIALIZED ( -- a part of all values; and whether they are sorted by users
        SELECT coalesce(p_limit + p_offset <= 1001, false) AS is_part,
               p_sort IN ('visitors', 'conversion_rate') AS by_users
    ), bound AS MATERIALIZED (
        SELECT min(u.users) AS users
          FROM report_value_users(p_site_id, p_property, p_from, p_to, ARRAY(
                   SELECT n.value_id FROM named n CROSS JOIN plan
                    WHERE NOT n.is_other AND plan.is_part AND plan.by_users
                    ORDER BY n.most DESC LIMIT p_limit + p_offset)) AS u
    ), counted AS MATERIALIZED (
        SELECT n.*, u.users
          FROM named n
          LEFT JOIN report_value_users(p_site_id, p_property, p_from, p_to, CASE
                        WHEN (SELECT is_part FROM plan) THEN ARRAY(
                   SELECT o.value_id FROM named o CROSS JOIN plan
                    WHERE plan.by_users
                      AND (o.is_other OR o.most * 1.1 >= (SELECT users FROM bound))) END) AS u
                 USING (value_id)
    ), page AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY n.is_other,
                   report_rank(p_sort, n.users, n.visits, n.pageviews, n.events, n.bounces,
                               n.duration_ms) DESC NULLS LAST, n.value) AS place, n.*
          FROM counted n
         ORDER BY place LIMIT p_limit OFFSET p_offset
    ), everyone AS MATERIALIZED (
        SELECT now.all_users, before.all_users AS previous
          FROM report_figures(p_site_id, p_from, p_to, NULL, NULL) AS now
         CROSS JOIN report_figures(p_site_id, p_previous_from, p_previous_to, NULL, NULL)
                    AS before
         WHERE p_property = 'event_type'
    )
    SELECT p.place, p.value, p.is_other, coalesce(p.users, u.users), p.visits, p.pageviews,
           p.events, p.bounces, p.pageviews, p.duration_ms, coalesce(e.all_users, 0),
           coalesce(c.users, 0), coalesce(b.visits, 0), coalesce(b.pageviews, 0),
           coalesce(b.events, 0), coalesce(b.bounces, 0), coalesce(b.pageviews, 0),
           coalesce(b.duration_ms, 0), coalesce(e.previous, 0)
      FROM page p
      LEFT JOIN report_value_users(p_site_id, p_property, p_from, p_to,
                                   ARRAY(SELECT o.value_id FROM page o WHERE o.users IS NULL))
                AS u ON u.value_id = p.value_id
      LEFT JOIN report_values(p_site_id, p_property, p_previous_from, p_previous_to,
                              CASE WHEN (SELECT is_part FROM plan)
                                   THEN ARRAY(SELECT o.value_id FROM page o) END) AS b
             ON b.value_id = p.value_id
      LEFT JOIN report_value_users(p_site_id, p_property, p_previous_from, p_previous_to,
                                   CASE WHEN (SELECT is_part FROM plan)
                                        THEN ARRAY(SELECT o.value_id FROM page o) END) AS c
             ON c.value_id = p.value_id
      LEFT JOIN everyone e ON true
$$;

-- What was counted on days of a range for the values of a property that pass filters.  Page
-- views of an event's property are no visit's.  Of values that are named each day is looked up
-- by the key, of others all that was counted is read.
CREATE OR REPLACE FUNCTION report_passed(p_site_id text, p_property text, p_from date,
                                         p_to date, p_clauses integer[],
                                         p_negated boolean[], p_values text[],
                                         p_patterns text[])
RETURNS TABLE (day date, users hll, visits bigint, pageviews bigint, events bigint,
               bounces bigint, duration_ms bigint)
LANGUAGE sql STABLE AS $$
    WITH site AS MATERIALIZED (
        SELECT s.site_no, d.dimension,
               (SELECT t.day FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1
                 ORDER BY t.day LIMIT 1) AS first_day,
               (SELECT t.day FROM totals t WHERE t.site_no = s.site_no AND t.grain = 1
                 ORDER BY t.day DESC LIMIT 1) AS last_day
          FROM sites s JOIN dimensions d ON d.name = p_property
         WHERE s.site_id = p_site_id
    ), passed AS MATERIALIZED (
        SELECT p.* FROM site CROSS JOIN LATERAL report_passing(
               p_site_id, site.dimension, p_clauses, p_negated, p_values, p_patterns) AS p
    )
    SELECT c.day, c.users, c.visits, c.pageviews, c.events, c.bounces, c.duration_ms
      FROM site
     CROSS JOIN passed p
     CROSS JOIN LATERAL generate_series(greatest(p_from, first_day)::timestamp,
                                        least(p_to, last_day)::timestamp,
                                        interval '1 day') AS g
     CROSS JOIN LATERAL (
           SELECT c.* FROM counts c
            WHERE c.site_no = site.site_no AND c.dimension = site.dimension AND c.grain = 1
              AND c.day = g::date AND c.value_id = p.value_id OFFSET 0) AS c
     WHERE p.is_named
     UNION ALL
    SELECT c.day, c.users, c.visits, c.pageviews, c.events, c.bounces, c.duration_ms
      FROM site
      JOIN counts c ON c.site_no = site.site_no AND c.dimension = site.dimension
                   AND c.grain = 1 AND c.day BETWEEN p_from AND p_to
     WHERE c.value_id IN (SELECT value_id FROM passed WHERE NOT is_named)
       AND EXISTS (SELECT FROM passed WHERE NOT is_named)
$$;

-- The figures of a range for such values; one row.
CREATE OR REPLACE FUNCTION report_passed_figures(
    p_site_id text, p_property text, p_from date, p_to date, p_clauses integer[],
    p_negated boolean[], p_values text[], p_patterns text[])
RETURNS TABLE (users bigint, visits bigint, pageviews bigint, events bigint, bounces bigint,
               visit_views bigint, duration_ms bigint, all_users bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce(round(f.users)::bigint, 0), coalesce(f.visits::bigint, 0),
           coalesce(f.pageviews::bigint, 0), coalesce(f.events::bigint, 0),
           coalesce(f.bounces::bigint, 0), coalesce(f.pageviews::bigint, 0),
           coalesce(f.duration_ms::bigint, 0), coalesce(round(f.users)::bigint, 0)
      FROM (SELECT hll_cardinality(hll_union_agg(t.users)) AS users, sum(t.visits) AS visits,
                   sum(t.pageviews) AS pageviews, sum(t.events) AS events,
                   sum(t.bounces) AS bounces, sum(t.duration_ms) AS duration_ms
              FROM report_passed(p_site_id, p_property, p_from, p_to, p_clauses, p_negated,
                                 p_values, p_patterns) AS t) AS f
$$;

-- The same for each day, week or month.
CREATE OR REPLACE FUNCTION report_passed_series(
    p_site_id text, p_property text, p_interval text, p_from date, p_to date,
    p_clauses integer[], p_negated boolean[], p_values text[], p_patterns text[])
RETURNS TABLE (place bigint, at timestamptz, users bigint, visits bigint, pageviews bigint,
               events bigint, bounces bigint, visit_views bigint, duration bigint,
               all_users bigint)
LANGUAGE sql STABLE AS $$
    WITH buckets AS (
        SELECT row_number() OVER (ORDER BY d.day) AS place, d.day
          FROM (SELECT DISTINCT date_trunc(p_interval, g) AS day
                  FROM generate_series(p_from::timestamp, p_to::timestamp,
                                       interval '1 day') AS g) AS d
    ), sums AS (
        SELECT date_trunc(p_interval, t.day::timestamp) AS day,
               round(hll_cardinality(hll_union_agg(t.users)))::bigint AS users,
               sum(t.visits)::bigint AS visits, sum(t.pageviews)::bigint AS pageviews,
               sum(t.events)::bigint AS events, sum(t.bounces)::bigint AS bounces,
               sum(t.duration_ms)::bigint AS duration_ms
          FROM report_passed(p_site_id, p_property, p_from, p_to, p_clauses, p_negated,
                             p_values, p_patterns) AS t
         GROUP BY 1
    )
    SELECT b.place, b.day AT TIME ZONE h.time_zone, coalesce(s.users, 0),
           coalesce(s.visits, 0), coalesce(s.pageviews, 0), coalesce(s.events, 0),
           coalesce(s.bounces, 0), coalesce(s.pageviews, 0), coalesce(s.duration_ms, 0),
           coalesce(s.users, 0)
      FROM report_head(p_site_id) AS h CROSS JOIN buckets b LEFT JOIN sums s USING (day)
$$;
