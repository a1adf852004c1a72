-- fold.sql: what upkeep does for each site: months folded; hours that are too
-- old deleted, and visits whose raw events are; users counted anew that wait for it still.
--
-- A month that has ended is folded, value by value in the order of (dimension, value_id): rows
-- of grain 3, each the sum of its days.  The row in folds says how far it is; the roll-up adds
-- what comes late to what is folded already.  Then sites.folded moves on, and reports read the
-- month in place of its days.

-- One step for a site: folds some values of its next month.  False: nothing is left to fold.
CREATE OR REPLACE FUNCTION site_fold_step(p_site sites, p_max_values integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE p_site.time_zone);
    f          folds;
    next_day   date;
    chosen     bigint[];
BEGIN
    SELECT * INTO f FROM folds WHERE site_no = p_site.site_no;
    IF f.month IS NULL THEN
        SELECT min(c.day) INTO next_day FROM counts c
         WHERE c.site_no = p_site.site_no AND c.dimension = dimension_page() AND c.grain = 1
           AND c.day >= p_site.folded;
        f.month := least(date_trunc('month', next_day)::date, this_month);
        UPDATE sites SET folded = f.month WHERE home_no = p_site.home_no AND folded < f.month;
        IF f.month >= this_month THEN
            RETURN false;
        END IF;
        INSERT INTO folds VALUES (p_site.site_no, f.month, 0, 0);
        RETURN true;
    END IF;
    chosen := ARRAY(SELECT DISTINCT c.value_id FROM counts c
                     WHERE c.site_no = f.site_no AND c.dimension = f.dimension AND c.grain = 1
                       AND c.day >= f.month AND c.day < f.month + interval '1 month'
                       AND c.value_id > f.value_id
                     ORDER BY c.value_id LIMIT p_max_values);
    IF cardinality(chosen) > 0 THEN
        INSERT INTO counts AS old (site_no, dimension, grain, day, value_id, events, pageviews,
                                   visits, bounces, duration_ms, users)
        SELECT c.site_no, c.dimension, 3, f.month, c.value_id, sum(c.events),
               sum(c.pageviews), sum(c.visits), sum(c.bounces), sum(c.duration_ms),
               (SELECT hll_union_agg(one) FROM unnest(array_agg(c.users)) AS one)
          FROM counts c
         WHERE c.site_no = f.site_no AND c.dimension = f.dimension AND c.grain = 1
           AND c.day >= f.month AND c.day < f.month + interval '1 month'
           AND c.value_id > f.value_id AND c.value_id <= chosen[cardinality(chosen)]
         GROUP BY c.site_no, c.dimension, c.value_id
            ON CONFLICT (site_no, dimension, grain, day, value_id) DO UPDATE
           SET events = excluded.events, pageviews = excluded.pageviews,
               visits = excluded.visits, bounces = excluded.bounces,
               duration_ms = excluded.duration_ms, users = excluded.users;
        UPDATE folds SET value_id = chosen[cardinality(chosen)] WHERE site_no = f.site_no;
        RETURN true;
    END IF;
    SELECT min(d.dimension) INTO f.dimension FROM dimensions d WHERE d.dimension > f.dimension;
    IF f.dimension IS NOT NULL THEN
        UPDATE folds SET dimension = f.dimension, value_id = 0 WHERE site_no = f.site_no;
    ELSE
        DELETE FROM folds WHERE site_no = f.site_no;
        UPDATE sites SET folded = f.month + interval '1 month'
         WHERE home_no = p_site.home_no;
    END IF;
    RETURN true;
END
$$;

-- Deletes some visits of a site of which no raw event is left; returns how many.
CREATE OR REPLACE FUNCTION site_drop_visits(p_site_no integer, p_raw_from timestamptz,
                                            p_max_rows integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    deleted bigint;
BEGIN
    IF NOT isfinite(p_raw_from) THEN
        RETURN 0;
    END IF;
    DELETE FROM visits WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM visits
            WHERE site_no = p_site_no AND (first_at < p_raw_from OR first_at IS NULL)
              AND ended_at < p_raw_from
            LIMIT p_max_rows));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;

-- Deletes some hours of a site of before a day; returns how many.
CREATE OR REPLACE FUNCTION site_drop_hours(p_site_no integer, p_first_day date,
                                           p_max_rows integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    deleted bigint;
BEGIN
    DELETE FROM totals WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM totals
            WHERE site_no = p_site_no AND grain = 2 AND day < p_first_day
            LIMIT p_max_rows));
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END
$$;

-- Goes through the sites after one (by home_no) for about p_ms and does what is due.  next is
-- the site after which the next call goes on; NULL: it has come to the end.
CREATE OR REPLACE FUNCTION rollup_keep_sites(p_after integer, p_ms integer, OUT next integer,
                                             OUT deleted bigint)
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan SET enable_seqscan = off
SET jit = off SET work_mem = '64MB' AS $$
DECLARE
    ends_at   timestamptz := clock_timestamp() + make_interval(secs => p_ms / 1000.0);
    first_day date;
    present   sites;
    state     rollup_state;
    count     integer := 0;
    gone      bigint;
    swept     record;
    is_whole  boolean;
BEGIN
    PERFORM must_be_within('p_after', p_after, 0, 2147483647),
            must_be_within('p_ms', p_ms, 1, 1000);
    next := p_after;
    deleted := 0;
    IF NOT pg_try_advisory_xact_lock(rollup_lock_key()) THEN
        RETURN;
    END IF;
    -- Of commands that have been killed.
    PERFORM site_rebuild_abandon(site_id) FROM site_rebuilds
      WHERE touched_at < now() - interval '1 day';
    DELETE FROM values_made WHERE day < (now() AT TIME ZONE 'UTC')::date;
    SELECT * INTO swept FROM site_sweep(5000);
    deleted := swept.deleted;
    is_whole := rollup_recount_rest(ends_at);
    SELECT * INTO state FROM rollup_state;
    first_day := (now() AT TIME ZONE 'UTC')::date - state.hours_days;
    FOR present IN SELECT * FROM sites WHERE home_no > p_after ORDER BY home_no LIMIT 1000 LOOP
        LOOP
            gone := site_drop_hours(present.site_no, first_day, 1000)
                    + site_drop_visits(present.site_no, state.raw_from, 1000);
            deleted := deleted + gone;
            EXIT WHEN gone < 1000;
            IF clock_timestamp() >= ends_at THEN
                RETURN;
            END IF;
        END LOOP;
        WHILE site_fold_step(present, 500) LOOP
            SELECT * INTO present FROM sites WHERE home_no = present.home_no;
            IF clock_timestamp() >= ends_at THEN
                RETURN;
            END IF;
        END LOOP;
        next := present.home_no;
        count := count + 1;
        IF clock_timestamp() >= ends_at THEN
            RETURN;
        END IF;
    END LOOP;
    IF count < 1000 AND swept.is_done AND is_whole THEN
        next := NULL;
    END IF;
END
$$;

-- How many visits have begun in the last half hour, so that they may still go on; p_max stands
-- for more.
CREATE OR REPLACE FUNCTION visits_open(p_max integer) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
BEGIN
    PERFORM must_be_within('p_max', p_max, 1, 1000000);
    RETURN (SELECT count(*)
              FROM (SELECT FROM sites s
                     CROSS JOIN LATERAL (
                           SELECT FROM visits v
                            WHERE v.site_no = s.site_no AND v.first_at > now() - visit_gap()
                              AND v.first_at <= now() OFFSET 0) AS v
                     LIMIT p_max) AS o);
END
$$;
