-- visit_users.sql: the users of visits by their values, which a sketch cannot take back: they
-- are counted anew from the visits of the day.

-- Notes the days of which users are to be counted anew.
CREATE OR REPLACE FUNCTION rollup_note_stale(changes visit_change[], source rollup_source)
RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = on SET enable_nestloop = off AS $$
BEGIN
    INSERT INTO stale_users AS t (site_no, day, is_all, since)
    SELECT s.site_no, (d.first_at AT TIME ZONE s.time_zone)::date, bool_or(d.leaves), now()
      FROM (SELECT (now).site_no, (now).first_at, false AS leaves FROM unnest(changes)
             UNION ALL
            SELECT (was).site_no, (was).first_at, moves FROM unnest(changes)) AS d
      JOIN unnest(source.site_nos, source.zones) AS s (site_no, time_zone)
        ON s.site_no = d.site_no
     WHERE d.first_at IS NOT NULL
     GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (site_no, day) DO UPDATE SET is_all = t.is_all OR excluded.is_all
     WHERE excluded.is_all AND NOT t.is_all;
END
$$;

-- Counts users anew where that is due: of days with few visits at once, of others after a
-- minute; of days with at most p_max_visits together, and of one at least.
CREATE OR REPLACE FUNCTION rollup_recount_users(p_max_visits bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    stale record;
    spent bigint := 0;
BEGIN
    FOR stale IN
        SELECT u.*, coalesce(s.time_zone, b.time_zone) AS time_zone,
               coalesce(t.visits, 0) AS visits,
               coalesce(u.day < s.folded OR date_trunc('month', u.day) = f.month, false)
                   AS is_folded
          FROM (SELECT * FROM stale_users ORDER BY since LIMIT 100) AS u
          LEFT JOIN sites s ON s.site_no = u.site_no
          LEFT JOIN site_rebuilds b ON b.site_no = u.site_no
          LEFT JOIN folds f ON f.site_no = u.site_no
          LEFT JOIN totals t ON t.site_no = u.site_no AND t.grain = 1 AND t.day = u.day
                            AND t.hour = '-infinity'
         WHERE coalesce(t.visits, 0) <= 1000 OR u.since < now() - interval '1 minute'
         ORDER BY u.since
    LOOP
        spent := spent + stale.visits;
        EXIT WHEN spent > p_max_visits AND spent > stale.visits;
        IF stale.time_zone IS NOT NULL THEN -- else nobody reads that number any more
            PERFORM rollup_recount_day(stale.site_no, stale.day, stale.time_zone, stale.is_all);
        END IF;
        IF stale.is_folded THEN
            PERFORM rollup_refold_users(stale.site_no, stale.day);
        END IF;
        DELETE FROM stale_users WHERE site_no = stale.site_no AND day = stale.day;
    END LOOP;
END
$$;

-- Counts the users of a day's visits by their values, and writes those that differ.  Of a day
-- whose visits went with their raw events only those are there that came late: they are added.
CREATE OR REPLACE FUNCTION rollup_recount_day(p_site_no integer, p_day date, p_zone text,
                                              p_is_all boolean) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    is_whole boolean := (SELECT p_day::timestamp AT TIME ZONE p_zone >= raw_from
                           FROM rollup_state);
BEGIN
    WITH counted AS (
        SELECT (v.place + 3)::smallint AS dimension, v.value_id,
               value_users(array_agg(u.key)) AS users
          FROM visits one
         CROSS JOIN LATERAL unnest(one.value_ids) WITH ORDINALITY AS v (value_id, place)
         CROSS JOIN LATERAL unnest(one.users) AS u (key)
         WHERE one.site_no = p_site_no
           AND one.first_at >= p_day::timestamp AT TIME ZONE p_zone
           AND one.first_at < (p_day + 1)::timestamp AT TIME ZONE p_zone
           AND v.value_id IS NOT NULL AND (p_is_all OR v.place = 2)
         GROUP BY 1, 2
    ), dimension_of AS (
        SELECT dimension FROM dimensions
         WHERE kind = 'visit' AND (p_is_all OR dimension = dimension_exit_page())
    ), wanted AS (
        SELECT c.ctid AS tid,
               CASE WHEN is_whole THEN coalesce(n.users, hll_empty(11, 5, 128, 1))
                    ELSE hll_union(c.users, n.users) END AS users
          FROM dimension_of d
         CROSS JOIN LATERAL (
               SELECT c.ctid, c.dimension, c.value_id, c.users FROM counts c
                WHERE c.site_no = p_site_no AND c.dimension = d.dimension AND c.grain = 1
                  AND c.day = p_day OFFSET 0) AS c
          LEFT JOIN counted n ON n.dimension = c.dimension AND n.value_id = c.value_id
         WHERE CASE WHEN is_whole
                    THEN c.users IS DISTINCT FROM coalesce(n.users, hll_empty(11, 5, 128, 1))
                    ELSE n.users IS NOT NULL END
    )
    UPDATE counts c SET users = w.users FROM wanted w WHERE c.ctid = w.tid;
END
$$;

-- Makes the users of the values of a day's visits anew in the month that has been folded.
CREATE OR REPLACE FUNCTION rollup_refold_users(p_site_no integer, p_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', p_day);
    days  date[] := ARRAY(SELECT first + i FROM generate_series(0, 30) AS i
                           WHERE first + i < first + interval '1 month');
BEGIN
    UPDATE counts m SET users = c.users
      FROM (SELECT n.dimension, n.value_id, (
                   SELECT hll_union_agg(o.users) FROM counts o
                    WHERE o.site_no = p_site_no AND o.dimension = n.dimension AND o.grain = 1
                      AND o.day = ANY (days)
                      AND o.value_id = n.value_id) AS users
              FROM dimensions d
              JOIN counts n ON n.site_no = p_site_no AND n.dimension = d.dimension
                           AND n.grain = 1 AND n.day = p_day
             WHERE d.kind = 'visit') AS c
     WHERE m.site_no = p_site_no AND m.dimension = c.dimension AND m.grain = 3
       AND m.day = first AND m.value_id = c.value_id AND m.users IS DISTINCT FROM c.users;
END
$$;

-- Counts anew, until ends_at, what the chunks had no time for, or none came after.  False:
-- something is left.
CREATE OR REPLACE FUNCTION rollup_recount_rest(p_ends_at timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    before  bigint;
    waiting bigint := (SELECT count(*) FROM stale_users);
    all_of  bigint := waiting;
BEGIN
    WHILE waiting > 0 LOOP
        PERFORM rollup_recount_users(1000);
        before := waiting;
        waiting := (SELECT count(*) FROM stale_users);
        EXIT WHEN waiting = before; -- they are not due yet
        EXIT WHEN clock_timestamp() >= p_ends_at;
    END LOOP;
    IF waiting < all_of THEN
        PERFORM rollup_move_position(); -- readers may have the old figures
    END IF;
    RETURN waiting IN (0, before);
END
$$;
