-- rebuild.sql: a site counted anew from its raw events, for another time zone or without what
-- was forgotten, by the functions of the roll-up.
--
--   count   events up to the position at which it began, in the order of time, under a new
--           number that nobody reads
--   copy    the days that stay because raw events of them are gone, from the old number
--   catch   events that came since, in the order of ids; days of copy that they touch again
--   swap    with the last of them: sites.site_no becomes the new number
--
-- Each step is a transaction that holds the roll-up's lock for a moment, so that the two never
-- make values of the dictionary at the same time; the caller pauses in between.  A command that
-- is killed leaves a row in site_rebuilds, which the next one removes.
--
-- An event is counted once: the first day that is counted anew begins where the last day that
-- stays has ended, in the zone of that day.  What has been copied is kept under a shadow
-- number, so that copying again adds the difference.

-- Ends a rebuild that is under way, if there is one; what it has made is deleted later.
CREATE OR REPLACE FUNCTION site_rebuild_abandon(p_site_id text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    r site_rebuilds;
BEGIN
    DELETE FROM site_rebuilds WHERE site_id = p_site_id RETURNING * INTO r;
    IF r.site_no IS NOT NULL THEN
        INSERT INTO sites_gone VALUES (r.site_no, false), (r.shadow_no, false);
    END IF;
END
$$;

-- Begins; with the zone '' the site's own stays.  number is NULL when there is no such site.
-- events is about how many there are to count; the rest says which days stay, and their zone.
CREATE OR REPLACE FUNCTION site_rebuild_begin(p_site_id text, p_time_zone text,
    OUT number integer, OUT events bigint, OUT kept bigint, OUT kept_first date,
    OUT kept_last date, OUT kept_zone text)
LANGUAGE plpgsql AS $$
DECLARE
    present sites;
    zone    text;
    state   rollup_state;
    first   date := '-infinity';
    since   timestamptz := '-infinity';
BEGIN
    PERFORM must_be_site(p_site_id),
            must_be_within('the length of p_time_zone', length(p_time_zone), 0, 100);
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    SELECT * INTO present FROM sites WHERE site_id = p_site_id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    zone := CASE WHEN p_time_zone = '' THEN present.time_zone ELSE site_zone(p_time_zone) END;
    PERFORM must_be_within('the number of zones with this name',
                           CASE WHEN zone IS NULL THEN 0 ELSE 1 END, 1, 1),
            site_rebuild_abandon(p_site_id);
    SELECT * INTO state FROM rollup_state;
    kept := 0;
    IF isfinite(state.raw_from) THEN
        first := (state.raw_from AT TIME ZONE present.time_zone)::date;
        IF first::timestamp AT TIME ZONE present.time_zone < state.raw_from THEN
            first := first + 1;
        END IF;
        SELECT count(*), min(t.day), max(t.day) INTO kept, kept_first, kept_last
          FROM totals t WHERE t.site_no = present.site_no AND t.grain = 1 AND t.day < first;
        IF kept = 0 THEN
            first := '-infinity';
        ELSE
            since := first::timestamp AT TIME ZONE present.time_zone;
            kept_zone := present.time_zone;
        END IF;
    END IF;
    SELECT coalesce(sum(t.events), 0) INTO events FROM totals t
     WHERE t.site_no = present.site_no AND t.grain = 1 AND t.day >= first;
    INSERT INTO site_rebuilds (site_no, site_id, shadow_no, time_zone, raw_from, since,
                               first_day, low, at, caught, aside)
    VALUES (nextval('sites_site_no_seq'), p_site_id, nextval('sites_site_no_seq'), zone,
            state.raw_from, since, first, state.position, since, state.position,
            ARRAY(SELECT a.id FROM rollup_aside a WHERE a.id <= state.position))
    RETURNING site_no INTO number;
END
$$;

-- Adds what the totals of the days after p_after up to p_to have more under the old number than
-- under the shadow, to the shadow and to the new number, there to all time as well.
CREATE OR REPLACE FUNCTION site_copy_totals(r site_rebuilds, p_old integer, p_after date,
                                            p_to date) RETURNS void
LANGUAGE plpgsql SET enable_hashjoin = on AS $$
DECLARE
    copied rollup_totals;
    whole  rollup_totals;
BEGIN
    WITH more AS MATERIALIZED (
        SELECT o.grain, o.day, o.hour, o.events - coalesce(s.events, 0) AS events,
               o.pageviews - coalesce(s.pageviews, 0) AS pageviews,
               o.visits - coalesce(s.visits, 0) AS visits,
               o.bounces - coalesce(s.bounces, 0) AS bounces,
               o.visit_views - coalesce(s.visit_views, 0) AS visit_views,
               o.duration_ms - coalesce(s.duration_ms, 0) AS duration_ms, o.users
          FROM totals o
          LEFT JOIN totals s ON s.site_no = r.shadow_no AND s.grain = o.grain
                            AND s.day = o.day AND s.hour = o.hour
         WHERE o.site_no = p_old AND o.grain IN (1, 2) AND o.day > p_after AND o.day <= p_to
           AND (o.events, o.pageviews, o.visits, o.bounces, o.visit_views, o.duration_ms)
               IS DISTINCT FROM (s.events, s.pageviews, s.visits, s.bounces, s.visit_views,
                                 s.duration_ms)
    ), all_time AS (
        SELECT * FROM more
         UNION ALL
        SELECT 0, '-infinity', '-infinity', sum(events)::bigint, sum(pageviews)::bigint,
               sum(visits)::bigint, sum(bounces)::bigint, sum(visit_views)::bigint,
               sum(duration_ms)::bigint, hll_union_agg(users)
          FROM more WHERE grain = 1 HAVING count(*) > 0
    )
    SELECT array_agg(r.site_no), array_agg(grain), array_agg(day), array_agg(hour),
           array_agg(events), array_agg(pageviews), array_agg(visits), array_agg(bounces),
           array_agg(visit_views), array_agg(duration_ms), array_agg(users)
      INTO whole.site_nos, whole.grains, whole.days, whole.hours, whole.events,
           whole.pageviews, whole.visits, whole.bounces, whole.visit_views, whole.durations,
           whole.users
      FROM all_time;
    copied := whole; -- all time does no harm there
    copied.site_nos := ARRAY(SELECT r.shadow_no FROM unnest(whole.site_nos));
    copied.users := NULL;
    PERFORM rollup_add_totals(whole), rollup_add_totals(copied);
END
$$;

-- The same of the values of one dimension, of at most p_max_rows rows that come after a day
-- and value.  Returns the last of them, or NULL when there were none.
CREATE OR REPLACE FUNCTION site_copy_counts(r site_rebuilds, p_old integer, p_source rollup_source,
                                            p_dimension smallint, p_to date,
                                            p_max_rows integer, INOUT day date,
                                            INOUT value_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    whole  rollup_counts;
    copied rollup_counts;
    after  date := day;
    above  bigint := value_id;
BEGIN
    WITH chosen AS MATERIALIZED (
        SELECT o.* FROM counts o
         WHERE o.site_no = p_old AND o.dimension = p_dimension AND o.grain = 1
           AND o.day >= after AND o.day <= p_to AND (o.day, o.value_id) > (after, above)
         ORDER BY o.day, o.value_id LIMIT p_max_rows
    ), more AS MATERIALIZED (
        SELECT o.day, o.value_id, o.events - coalesce(s.events, 0) AS events,
               o.pageviews - coalesce(s.pageviews, 0) AS pageviews,
               o.visits - coalesce(s.visits, 0) AS visits,
               o.bounces - coalesce(s.bounces, 0) AS bounces,
               o.duration_ms - coalesce(s.duration_ms, 0) AS duration_ms, o.users
          FROM chosen o
          LEFT JOIN LATERAL (
               SELECT * FROM counts c
                WHERE c.site_no = r.shadow_no AND c.dimension = p_dimension AND c.grain = 1
                  AND c.day = o.day AND c.value_id = o.value_id OFFSET 0) AS s ON true
         WHERE (o.events, o.pageviews, o.visits, o.bounces, o.duration_ms)
               IS DISTINCT FROM (s.events, s.pageviews, s.visits, s.bounces, s.duration_ms)
    ), arrays AS (
        SELECT array_agg(r.site_no) AS a, array_agg(p_dimension) AS b,
               array_agg(1::smallint) AS c, array_agg(m.day) AS d,
               array_agg(m.value_id) AS e, array_agg(m.events) AS f,
               array_agg(m.pageviews) AS g, array_agg(m.visits) AS h,
               array_agg(m.bounces) AS i, array_agg(m.duration_ms) AS j,
               array_agg(m.users) AS k
          FROM more m
    ), last AS (
        SELECT c.day, c.value_id FROM chosen c ORDER BY c.day DESC, c.value_id DESC LIMIT 1
    )
    SELECT a.*, l.day, l.value_id
      INTO whole.site_nos, whole.dimensions, whole.grains, whole.days, whole.value_ids,
           whole.events, whole.pageviews, whole.visits, whole.bounces, whole.durations,
           whole.users, day, value_id
      FROM arrays a LEFT JOIN last l ON true;
    IF whole.site_nos IS NULL THEN
        RETURN;
    END IF;
    copied := whole;
    copied.site_nos := ARRAY(SELECT r.shadow_no FROM unnest(whole.site_nos));
    copied.users := NULL;
    PERFORM rollup_set_tops(rollup_add_counts(rollup_spread(whole, p_source))),
            rollup_add_counts(copied);
END
$$;

-- The next p_max_rows events in the order of time; those of one moment, if there are more, in
-- the order of ids.
CREATE OR REPLACE FUNCTION site_rebuild_count(r site_rebuilds, p_source rollup_source,
                                              p_max_rows integer) RETURNS site_rebuilds
LANGUAGE plpgsql AS $$
DECLARE
    source rollup_source := p_source;
    upto   timestamptz;
BEGIN
    SELECT e."timestamp" INTO upto FROM events e
     WHERE e.site_id = r.site_id AND e."timestamp" >= r.at
     ORDER BY e."timestamp" OFFSET p_max_rows LIMIT 1;
    source.low := 0;
    source.high := r.low;
    source.since := r.at;
    source.until := coalesce(upto, 'infinity');
    IF upto IS NULL THEN
        r.phase := CASE WHEN isfinite(r.first_day) THEN 'copy' ELSE 'catch' END;
    ELSIF upto > r.at THEN
        r.at := upto;
    ELSE
        IF r.same_low IS NULL THEN
            SELECT min(e.id) - 1 INTO r.same_low FROM events e
             WHERE e.site_id = r.site_id AND e."timestamp" = r.at;
        END IF;
        source.until := r.at + interval '1 microsecond';
        source.low := r.same_low;
        source.high := least(r.low, r.same_low + p_max_rows);
        r.same_low := source.high;
        IF source.high >= r.low THEN
            r.at := source.until;
            r.same_low := NULL;
        END IF;
    END IF;
    IF source.high > source.low THEN
        r.counted := r.counted + rollup_count(source);
    END IF;
    RETURN r;
END
$$;

-- The next part of the days that stay: first all totals, then one dimension after the other.
CREATE OR REPLACE FUNCTION site_rebuild_copy(r site_rebuilds, p_old integer,
                                             p_source rollup_source, p_max_rows integer)
RETURNS site_rebuilds
LANGUAGE plpgsql AS $$
DECLARE
    last record;
BEGIN
    IF r.dimension = 0 THEN
        SELECT max(t.day) AS day INTO last
          FROM (SELECT day FROM totals
                 WHERE site_no = p_old AND grain = 1 AND day > r.day AND day < r.first_day
                 ORDER BY day LIMIT greatest(1, p_max_rows / 100)) AS t;
        IF last.day IS NOT NULL THEN
            PERFORM site_copy_totals(r, p_old, r.day, last.day);
            r.day := last.day;
            RETURN r;
        END IF;
    ELSE
        SELECT * INTO last FROM site_copy_counts(r, p_old, p_source, r.dimension,
                                                 r.first_day - 1, p_max_rows, r.day, r.value_id);
        IF last.day IS NOT NULL THEN
            r.day := last.day;
            r.value_id := last.value_id;
            RETURN r;
        END IF;
    END IF;
    r.day := '-infinity';
    r.value_id := 0;
    SELECT min(d.dimension) AS dimension INTO last FROM dimensions d
     WHERE d.dimension > r.dimension;
    IF last.dimension IS NULL THEN
        r.phase := 'catch';
    ELSE
        r.dimension := last.dimension;
    END IF;
    RETURN r;
END
$$;

-- Copies those of the days that stay again that events with low < id <= high have touched; a
-- visit may have begun on the day before or go on on the day after.
CREATE OR REPLACE FUNCTION site_copy_touched(r site_rebuilds, p_site sites,
                                             p_source rollup_source) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    touched date;
    part    smallint;
BEGIN
    FOR touched IN
        SELECT DISTINCT (e."timestamp" AT TIME ZONE p_site.time_zone)::date + o.days
          FROM events e CROSS JOIN (VALUES (-1), (0), (1)) AS o (days)
         WHERE e.id > p_source.low AND e.id <= p_source.high AND e.site_id = r.site_id
           AND e."timestamp" < r.since
           AND (e."timestamp" AT TIME ZONE p_site.time_zone)::date + o.days < r.first_day
    LOOP
        PERFORM site_copy_totals(r, p_site.site_no, touched - 1, touched);
        FOR part IN SELECT dimension FROM dimensions LOOP
            PERFORM site_copy_counts(r, p_site.site_no, p_source, part, touched, 2147483647,
                                     touched, 0);
        END LOOP;
    END LOOP;
END
$$;

-- Has the new number take the place of the old one.
CREATE OR REPLACE FUNCTION site_rebuild_swap(r site_rebuilds, p_site sites,
                                             p_source rollup_source) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    source rollup_source := p_source;
BEGIN
    -- What was set aside and has been counted meanwhile.
    source.aside := '{}';
    FOR source.high IN
        SELECT a.id FROM unnest(r.aside) AS a (id)
         WHERE NOT EXISTS (SELECT FROM rollup_aside WHERE rollup_aside.id = a.id)
    LOOP
        source.low := source.high - 1;
        PERFORM rollup_count(source);
    END LOOP;
    UPDATE sites SET site_no = r.site_no, time_zone = r.time_zone, folded = '-infinity'
     WHERE site_id = r.site_id;
    DELETE FROM folds WHERE site_no = p_site.site_no;
    DELETE FROM site_rebuilds WHERE site_no = r.site_no;
    INSERT INTO sites_gone VALUES (p_site.site_no, false), (r.shadow_no, false);
    PERFORM rollup_move_position();
END
$$;

-- Counts the users of visits anew where that is due, for a moment; whether more days are left
-- than events that arrive meanwhile make.
CREATE OR REPLACE FUNCTION site_recount_users(r site_rebuilds) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    stale   record;
    ends_at timestamptz := clock_timestamp() + interval '100 ms';
BEGIN
    FOR stale IN
        SELECT u.* FROM stale_users u WHERE u.site_no = r.site_no ORDER BY u.since, u.day
    LOOP
        PERFORM rollup_recount_day(r.site_no, stale.day, r.time_zone, stale.is_all);
        DELETE FROM stale_users WHERE site_no = r.site_no AND day = stale.day;
        EXIT WHEN clock_timestamp() >= ends_at;
    END LOOP;
    RETURN (SELECT count(*) > 2 FROM stale_users WHERE site_no = r.site_no);
END
$$;

-- What came since, at most p_max_rows ids of it; with the last of them the swap.
CREATE OR REPLACE FUNCTION site_rebuild_catch(r site_rebuilds, p_site sites,
                                              p_source rollup_source, p_max_rows integer)
RETURNS site_rebuilds
LANGUAGE plpgsql AS $$
DECLARE
    source  rollup_source := p_source;
    present bigint;
BEGIN
    SELECT position INTO present FROM rollup_state;
    source.low := r.caught;
    source.high := least(present, r.caught + p_max_rows);
    source.since := r.since;
    source.until := 'infinity';
    r.aside := r.aside || ARRAY(SELECT a.id FROM rollup_aside a
                                 WHERE a.id > source.low AND a.id <= source.high);
    source.aside := r.aside;
    IF source.high > source.low THEN
        r.counted := r.counted + rollup_count(source);
        IF isfinite(r.first_day) THEN
            PERFORM site_copy_touched(r, p_site, source);
        END IF;
    END IF;
    r.caught := source.high;
    IF source.high = present AND NOT site_recount_users(r) THEN
        PERFORM site_rebuild_swap(r, p_site, source);
        r.phase := 'done';
    END IF;
    RETURN r;
END
$$;

-- One step.  phase is the next one; done: it is all done; gone: another command has begun anew
-- or the site was deleted; stale: retention has removed events meanwhile, begin anew.
CREATE OR REPLACE FUNCTION site_rebuild_step(p_number integer, p_max_rows integer,
                                             OUT phase text, OUT counted bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET jit = off SET work_mem = '64MB'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    r       site_rebuilds;
    present sites;
    source  rollup_source;
BEGIN
    PERFORM must_be_within('p_number', p_number, 1, 2147483647),
            must_be_within('p_max_rows', p_max_rows, 1, 1000000);
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    SELECT * INTO r FROM site_rebuilds WHERE site_no = p_number;
    SELECT * INTO present FROM sites WHERE site_id = r.site_id;
    phase := 'gone';
    IF present.site_id IS NULL THEN
        RETURN;
    END IF;
    IF r.raw_from <> (SELECT raw_from FROM rollup_state) THEN
        PERFORM site_rebuild_abandon(r.site_id);
        phase := 'stale';
        RETURN;
    END IF;
    source.site_ids := ARRAY[r.site_id];
    source.site_nos := ARRAY[r.site_no];
    source.home_nos := ARRAY[present.home_no];
    source.zones := ARRAY[r.time_zone];
    source.folded := ARRAY['-infinity'::date];
    source.only_site := r.site_id;
    source.aside := r.aside;
    r := CASE r.phase
         WHEN 'count' THEN site_rebuild_count(r, source, p_max_rows)
         WHEN 'copy' THEN site_rebuild_copy(r, present.site_no, source, p_max_rows)
         ELSE site_rebuild_catch(r, present, source, p_max_rows) END;
    UPDATE site_rebuilds b
       SET at = r.at, same_low = r.same_low, caught = r.caught, dimension = r.dimension,
           day = r.day, value_id = r.value_id, phase = r.phase, aside = r.aside,
           counted = r.counted, touched_at = clock_timestamp()
     WHERE b.site_no = r.site_no;
    phase := r.phase;
    counted := r.counted;
END
$$;
