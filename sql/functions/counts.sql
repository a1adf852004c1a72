-- counts.sql: the steps that add to totals and counts.

-- Where the rows of totals are to which something is added; NULL: there is none yet.
CREATE OR REPLACE FUNCTION rollup_find_totals(added rollup_totals) RETURNS tid[]
LANGUAGE sql AS $$
    SELECT array_agg(t.tid ORDER BY a.place)
      FROM unnest(added.site_nos, added.grains, added.days, added.hours) WITH ORDINALITY
           AS a (site_no, grain, day, hour, place)
      LEFT JOIN LATERAL (
           SELECT ctid AS tid FROM totals
            WHERE totals.site_no = a.site_no AND totals.grain = a.grain
              AND totals.day = a.day AND totals.hour = a.hour OFFSET 0) AS t ON true
$$;

-- Adds to totals; see rollup_write_counts().
CREATE OR REPLACE FUNCTION rollup_write_totals(added rollup_totals, tids tid[]) RETURNS void
LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off AS $$
BEGIN
    WITH a AS MATERIALIZED (
        SELECT * FROM unnest(added.site_nos, added.grains, added.days, added.hours,
                             added.events, added.pageviews, added.visits, added.bounces,
                             added.visit_views, added.durations, added.users, tids)
                      AS a (site_no, grain, day, hour, events, pageviews, visits, bounces,
                            visit_views, duration_ms, users, tid)
    ), updated AS (
        UPDATE totals t
           SET events = t.events + a.events, pageviews = t.pageviews + a.pageviews,
               visits = t.visits + coalesce(a.visits, 0),
               bounces = t.bounces + coalesce(a.bounces, 0),
               visit_views = t.visit_views + coalesce(a.visit_views, 0),
               duration_ms = t.duration_ms + coalesce(a.duration_ms, 0),
               users = CASE WHEN a.users IS NULL THEN t.users
                            ELSE hll_union(t.users, a.users) END
          FROM a
         WHERE t.ctid = a.tid
    )
    INSERT INTO totals (site_no, grain, day, hour, events, pageviews, visits, bounces,
                        visit_views, duration_ms, users)
    SELECT a.site_no, a.grain, a.day, a.hour, a.events, a.pageviews, coalesce(a.visits, 0),
           coalesce(a.bounces, 0), coalesce(a.visit_views, 0), coalesce(a.duration_ms, 0),
           coalesce(a.users, hll_empty(14, 5, 2048, 1))
      FROM a
     WHERE a.tid IS NULL;
END
$$;

CREATE OR REPLACE FUNCTION rollup_add_totals(added rollup_totals) RETURNS void
LANGUAGE sql AS $$ SELECT rollup_write_totals(added, rollup_find_totals(added)) $$;

-- What is added to days is added to all time as well, of pages and without their users, whom
-- nobody asks for, and to the months that are folded; in the order of the key.
CREATE OR REPLACE FUNCTION rollup_spread(added rollup_counts, source rollup_source)
RETURNS rollup_counts LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    spread rollup_counts;
BEGIN
    WITH a AS MATERIALIZED (
        SELECT * FROM unnest(added.site_nos, added.dimensions, added.days, added.value_ids,
                             added.events, added.pageviews, added.visits, added.bounces,
                             added.durations, added.users)
                      AS a (site_no, dimension, day, value_id, events, pageviews, visits,
                            bounces, duration_ms, users)
    ), months AS (
        SELECT a.*, date_trunc('month', a.day)::date AS month
          FROM a
          JOIN unnest(source.site_nos, source.folded) AS s (site_no, folded)
            ON s.site_no = a.site_no AND a.day < s.folded
         UNION ALL
        SELECT a.*, f.month
          FROM a
          JOIN folds f ON f.site_no = a.site_no AND a.day >= f.month
                      AND a.day < f.month + interval '1 month'
                      AND (a.dimension, a.value_id) <= (f.dimension, f.value_id)
    ), rows AS (
        SELECT site_no, dimension, 1::smallint AS grain, day, value_id, events, pageviews,
               visits, bounces, duration_ms, users
          FROM a
         UNION ALL
        SELECT site_no, dimension, 0::smallint, '-infinity', value_id, sum(events)::bigint,
               sum(pageviews)::bigint, sum(visits)::bigint, sum(bounces)::bigint,
               sum(duration_ms)::bigint, NULL
          FROM a WHERE dimension = dimension_page() GROUP BY site_no, dimension, value_id
         UNION ALL
        SELECT site_no, dimension, 3::smallint, month, value_id, sum(events)::bigint,
               sum(pageviews)::bigint, sum(visits)::bigint, sum(bounces)::bigint,
               sum(duration_ms)::bigint,
               CASE WHEN count(users) > 0
                    THEN (SELECT hll_union_agg(one) FROM unnest(array_agg(users)) AS one) END
          FROM months GROUP BY site_no, dimension, month, value_id
    )
    SELECT array_agg(site_no), array_agg(dimension), array_agg(grain), array_agg(day),
           array_agg(value_id), array_agg(events), array_agg(pageviews), array_agg(visits),
           array_agg(bounces), array_agg(duration_ms), array_agg(users)
      INTO spread.site_nos, spread.dimensions, spread.grains, spread.days,
           spread.value_ids, spread.events, spread.pageviews, spread.visits,
           spread.bounces, spread.durations, spread.users
      FROM (SELECT * FROM rows ORDER BY site_no, dimension, grain, day, value_id) AS r;
    RETURN spread;
END
$$;

-- Where the rows of counts are to which something is added; NULL: there is none yet.
CREATE OR REPLACE FUNCTION rollup_find_counts(added rollup_counts) RETURNS tid[]
LANGUAGE sql AS $$
    SELECT array_agg(c.tid ORDER BY a.place)
      FROM unnest(added.site_nos, added.dimensions, added.grains, added.days,
                  added.value_ids) WITH ORDINALITY
           AS a (site_no, dimension, grain, day, value_id, place)
      LEFT JOIN LATERAL (
           SELECT ctid AS tid FROM counts
            WHERE counts.site_no = a.site_no AND counts.dimension = a.dimension
              AND counts.grain = a.grain AND counts.day = a.day
              AND counts.value_id = a.value_id OFFSET 0) AS c ON true
$$;

-- Adds to counts; returns the rows of pages that it has changed, with their events.  Only one
-- roll-up runs at a time, so that nothing comes in between; ON CONFLICT DO UPDATE would cost
-- twice as much.  Rows are found by their places alone, whatever the statistics say: those of
-- a table that was empty let the planner read all of it for each row.
CREATE OR REPLACE FUNCTION rollup_write_counts(added rollup_counts, tids tid[])
RETURNS rollup_counts
LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off AS $$
DECLARE
    changed rollup_counts;
BEGIN
    WITH a AS MATERIALIZED (
        SELECT * FROM unnest(added.site_nos, added.dimensions, added.grains, added.days,
                             added.value_ids, added.events, added.pageviews, added.visits,
                             added.bounces, added.durations, added.users, tids)
                      AS a (site_no, dimension, grain, day, value_id, events, pageviews,
                            visits, bounces, duration_ms, users, tid)
    ), updated AS (
        UPDATE counts c
           SET events = c.events + a.events, pageviews = c.pageviews + a.pageviews,
               visits = c.visits + a.visits, bounces = c.bounces + a.bounces,
               duration_ms = c.duration_ms + a.duration_ms,
               users = CASE WHEN a.users IS NULL THEN c.users
                            ELSE hll_union(c.users, a.users) END
          FROM a
         WHERE c.ctid = a.tid
        RETURNING c.site_no, c.dimension, c.grain, c.day, c.value_id, c.events
    ), inserted AS (
        INSERT INTO counts (site_no, dimension, grain, day, value_id, events, pageviews,
                            visits, bounces, duration_ms, users)
        SELECT a.site_no, a.dimension, a.grain, a.day, a.value_id, a.events, a.pageviews,
               a.visits, a.bounces, a.duration_ms,
               coalesce(a.users, hll_empty(11, 5, 128, 1))
          FROM a
         WHERE a.tid IS NULL
        RETURNING site_no, dimension, grain, day, value_id, events
    )
    SELECT array_agg(site_no), array_agg(dimension), array_agg(grain), array_agg(day),
           array_agg(value_id), array_agg(events)
      INTO changed.site_nos, changed.dimensions, changed.grains, changed.days,
           changed.value_ids, changed.events
      FROM (SELECT * FROM updated UNION ALL SELECT * FROM inserted) AS r
     WHERE dimension = dimension_page() AND grain < 3 AND events > 0;
    RETURN changed;
END
$$;

CREATE OR REPLACE FUNCTION rollup_add_counts(added rollup_counts) RETURNS rollup_counts
LANGUAGE sql AS $$ SELECT rollup_write_counts(added, rollup_find_counts(added)) $$;

-- Brings the top pages of totals up to date, given the counts of pages that have changed.
-- Where none of them has come up to the tenth from below, nothing is to be done: the ten
-- first are still the same, and their order is that of their counts.
CREATE OR REPLACE FUNCTION rollup_set_tops(changed rollup_counts) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = on AS $$
BEGIN
    WITH given AS (
        SELECT * FROM unnest(changed.site_nos, changed.grains, changed.days,
                             changed.value_ids, changed.events)
                      AS c (site_no, grain, day, value_id, events)
    ), touched AS MATERIALIZED (
        SELECT d.site_no, d.grain, d.day, t.top_pages, t.top_least
          FROM (SELECT DISTINCT site_no, grain, day FROM given) AS d
         CROSS JOIN LATERAL (
               SELECT top_pages, top_least FROM totals
                WHERE totals.site_no = d.site_no AND totals.grain = d.grain
                  AND totals.day = d.day AND totals.hour = '-infinity' OFFSET 0) AS t
    ), risen AS MATERIALIZED (
        SELECT g.*, rank() OVER (PARTITION BY g.site_no, g.grain, g.day
                                 ORDER BY g.events DESC) AS place
          FROM given g
          JOIN touched t ON t.site_no = g.site_no AND t.grain = g.grain AND t.day = g.day
         WHERE g.events >= t.top_least AND NOT g.value_id = ANY (t.top_pages)
    ), members AS (
        -- The ten most seen that are new among them, ties included, and the ten before.  One
        -- more, for (other) may be among them.
        SELECT site_no, grain, day, value_id, events FROM risen WHERE place <= 11
         UNION ALL
        SELECT t.site_no, t.grain, t.day, p.value_id, c.events
          FROM touched t
          JOIN (SELECT DISTINCT site_no, grain, day FROM risen) AS r
            ON r.site_no = t.site_no AND r.grain = t.grain AND r.day = t.day
         CROSS JOIN LATERAL unnest(t.top_pages) AS p (value_id)
         CROSS JOIN LATERAL (
               SELECT events FROM counts
                WHERE counts.site_no = t.site_no AND counts.dimension = dimension_page()
                  AND counts.grain = t.grain AND counts.day = t.day
                  AND counts.value_id = p.value_id OFFSET 0) AS c
    ), placed AS (
        SELECT m.*, row_number() OVER (PARTITION BY m.site_no, m.grain, m.day
                                       ORDER BY m.events DESC, d.value) AS place
          FROM members m
         CROSS JOIN LATERAL (
               SELECT value FROM dictionary
                WHERE dictionary.value_id = m.value_id AND NOT is_other OFFSET 0) AS d
    ), tops AS (
        SELECT site_no, grain, day, array_agg(value_id) AS top_pages,
               CASE WHEN count(*) = 10 THEN min(events) ELSE 0 END AS top_least
          FROM placed WHERE place <= 10 GROUP BY 1, 2, 3
    )
    UPDATE totals t
       SET top_pages = tops.top_pages, top_least = tops.top_least
      FROM tops
     WHERE t.site_no = tops.site_no AND t.grain = tops.grain AND t.day = tops.day
       AND t.hour = '-infinity';
END
$$;
