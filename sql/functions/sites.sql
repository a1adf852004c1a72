-- sites.sql: what processor --sites asks for: the sites, their zones, and their end.
--
-- Each function is one short transaction; the command calls those that end in _step again and
-- again.  functions/rebuild.sql counts a site anew.

-- The sites by name.
CREATE OR REPLACE FUNCTION sites_list()
RETURNS TABLE (site_id text, time_zone text, events bigint, first_day date, last_day date)
LANGUAGE sql STABLE AS $$
    SELECT s.site_id, s.time_zone, coalesce(t.events, 0), f.day, l.day
      FROM sites s
      LEFT JOIN totals t ON t.site_no = s.site_no AND t.grain = 0
      LEFT JOIN LATERAL (
           SELECT day FROM totals WHERE totals.site_no = s.site_no AND totals.grain = 1
            ORDER BY day LIMIT 1) AS f ON true
      LEFT JOIN LATERAL (
           SELECT day FROM totals WHERE totals.site_no = s.site_no AND totals.grain = 1
            ORDER BY day DESC LIMIT 1) AS l ON true
     ORDER BY s.site_id
$$;

-- Whether there is such a site, or an event of it.
CREATE OR REPLACE FUNCTION site_is_known(p_site_id text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM must_be_site(p_site_id);
    RETURN EXISTS (SELECT FROM sites WHERE site_id = p_site_id)
        OR EXISTS (SELECT FROM events WHERE site_id = p_site_id);
END
$$;

-- A time zone as it is spelled; NULL when Postgres has none of that name.  A name in angle
-- brackets or with a number would be taken for a rule of its own, so only names are.
CREATE OR REPLACE FUNCTION site_zone(p_name text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT name FROM pg_timezone_names
     WHERE lower(name) = lower(p_name) AND name !~ '^(posix|right)/'
       AND name NOT IN ('localtime', 'posixrules', 'Factory')
     LIMIT 1
$$;

-- Makes a site with a zone unless it is there.  outcome is unknown (the zone), full (there may
-- be no more sites), made, same (nothing to do), or differs: it has to be counted anew.
CREATE OR REPLACE FUNCTION site_make(p_site_id text, p_time_zone text,
                                     OUT outcome text, OUT zone text)
LANGUAGE plpgsql AS $$
DECLARE
    present sites;
BEGIN
    PERFORM must_be_site(p_site_id),
            must_be_within('the length of p_time_zone', length(p_time_zone), 1, 100);
    zone := site_zone(p_time_zone);
    IF zone IS NULL THEN
        outcome := 'unknown';
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(rollup_lock_key()); -- sites are the roll-up's to make
    SELECT * INTO present FROM sites WHERE site_id = p_site_id;
    IF FOUND THEN
        outcome := CASE WHEN present.time_zone = zone THEN 'same' ELSE 'differs' END;
    ELSIF (SELECT count(*) >= (SELECT sites_max FROM rollup_state) FROM sites) THEN
        outcome := 'full';
    ELSE
        INSERT INTO sites (site_id, time_zone) VALUES (p_site_id, zone);
        outcome := CASE WHEN EXISTS (SELECT FROM events WHERE site_id = p_site_id)
                        THEN 'differs' ELSE 'made' END;
    END IF;
END
$$;

-- Gives an id away, so that the position moves and with it what readers have in their caches.
CREATE OR REPLACE FUNCTION rollup_move_position() RETURNS void
LANGUAGE sql AS $$ SELECT nextval('events_id_seq') $$;

-- Takes a site out of sight, at once for all readers.  What is to be deleted are the events
-- up to bound: those that are counted.  A later event makes the site anew.  bound is NULL when
-- there is no such site, no event and no letter of it.
CREATE OR REPLACE FUNCTION site_delete_begin(p_site_id text, OUT bound bigint)
LANGUAGE plpgsql AS $$
DECLARE
    present sites;
BEGIN
    PERFORM must_be_site(p_site_id);
    PERFORM pg_advisory_xact_lock(rollup_lock_key());
    SELECT * INTO present FROM sites WHERE site_id = p_site_id;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM events WHERE site_id = p_site_id)
       AND NOT EXISTS (SELECT FROM dead_letters WHERE site_id = p_site_id) THEN
        RETURN;
    END IF;
    SELECT position INTO bound FROM rollup_state;
    PERFORM site_rebuild_abandon(p_site_id);
    DELETE FROM sites WHERE site_id = p_site_id;
    IF present.site_no IS NOT NULL THEN
        DELETE FROM folds WHERE site_no = present.site_no;
        INSERT INTO sites_gone VALUES (present.site_no, false), (present.home_no, true);
        PERFORM rollup_move_position();
    END IF;
END
$$;

-- Deletes events of a site, at most so many; returns how many.
CREATE OR REPLACE FUNCTION site_delete_step(p_site_id text, p_bound bigint,
                                            p_max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    deleted bigint;
BEGIN
    PERFORM must_be_site(p_site_id), rollup_check_id('p_bound', p_bound, 0),
            must_be_within('p_max_rows', p_max_rows, 1, 1000000);
    WITH chosen AS MATERIALIZED (
        SELECT "timestamp", event_id FROM events
         WHERE site_id = p_site_id AND id <= p_bound LIMIT p_max_rows
    ), gone AS (
        DELETE FROM events e USING chosen c
         WHERE e."timestamp" = c."timestamp" AND e.event_id = c.event_id
           AND e.site_id = p_site_id
        RETURNING e.id
    ), aside AS (
        DELETE FROM rollup_aside a USING gone WHERE a.id = gone.id
    )
    SELECT count(*) INTO deleted FROM gone;
    RETURN deleted;
END
$$;

-- Deletes what belongs to numbers that nobody reads any more, at most so many rows.
CREATE OR REPLACE FUNCTION site_sweep(p_max_rows integer, OUT deleted bigint,
                                      OUT is_done boolean)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    gone sites_gone;
BEGIN
    PERFORM must_be_within('p_max_rows', p_max_rows, 1, 1000000);
    deleted := 0;
    SELECT * INTO gone FROM sites_gone ORDER BY site_no LIMIT 1 FOR UPDATE SKIP LOCKED;
    is_done := NOT FOUND;
    IF is_done THEN
        RETURN;
    END IF;
    IF gone.is_home THEN
        DELETE FROM dictionary WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM dictionary WHERE home_no = gone.site_no LIMIT p_max_rows));
        GET DIAGNOSTICS deleted = ROW_COUNT;
    ELSE
        DELETE FROM stale_users WHERE site_no = gone.site_no;
        DELETE FROM counts WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM counts WHERE site_no = gone.site_no LIMIT p_max_rows));
        GET DIAGNOSTICS deleted = ROW_COUNT;
        IF deleted = 0 THEN
            DELETE FROM totals WHERE ctid = ANY (ARRAY(
                   SELECT ctid FROM totals WHERE site_no = gone.site_no LIMIT p_max_rows));
            GET DIAGNOSTICS deleted = ROW_COUNT;
        END IF;
        IF deleted = 0 THEN
            DELETE FROM visits WHERE ctid = ANY (ARRAY(
                   SELECT ctid FROM visits WHERE site_no = gone.site_no LIMIT p_max_rows));
            GET DIAGNOSTICS deleted = ROW_COUNT;
        END IF;
    END IF;
    IF deleted = 0 THEN
        DELETE FROM sites_gone WHERE site_no = gone.site_no;
    END IF;
END
$$;

-- Deletes the events of a user among the next p_max_rows of a site from p_from on.  upto is
-- where the next step begins; NULL: there are no more.
CREATE OR REPLACE FUNCTION site_forget_step(p_site_id text, p_user_id text,
                                            p_from timestamptz, p_max_rows integer,
                                            OUT upto timestamptz, OUT deleted bigint)
LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM must_be_site(p_site_id),
            must_be_within('the length of p_user_id', length(p_user_id), 0, 255),
            must_be_within('p_from', CASE WHEN p_from IS NOT NULL THEN 1 END, 1, 1),
            must_be_within('p_max_rows', p_max_rows, 1, 1000000);
    SELECT e."timestamp" INTO upto FROM events e
     WHERE e.site_id = p_site_id AND e."timestamp" >= p_from
     ORDER BY e."timestamp" OFFSET p_max_rows LIMIT 1;
    IF upto = p_from THEN
        upto := upto + interval '1 microsecond';
    END IF;
    WITH gone AS (
        DELETE FROM events e
         WHERE e.site_id = p_site_id AND e.user_id = p_user_id AND e."timestamp" >= p_from
           AND e."timestamp" < coalesce(upto, 'infinity')
        RETURNING e.id
    ), aside AS (
        DELETE FROM rollup_aside a USING gone WHERE a.id = gone.id
    )
    SELECT count(*) INTO deleted FROM gone;
END
$$;

-- Whether a dead letter is of a user of a site.  One that cannot be read is if it has both
-- names in it.
CREATE OR REPLACE FUNCTION letter_is_of(p_payload bytea, p_site_id text, p_user_id text)
RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    read jsonb;
BEGIN
    read := convert_from(p_payload, 'UTF8')::jsonb;
    RETURN coalesce(read ->> 'site_id' = p_site_id AND read ->> 'user_id' = p_user_id, false);
EXCEPTION WHEN OTHERS THEN
    RETURN position(convert_to(to_json(p_user_id)::text, 'UTF8') IN p_payload) > 0
       AND position(convert_to(to_json(p_site_id)::text, 'UTF8') IN p_payload) > 0;
END
$$;

-- The same as the two steps above for dead letters; without a user all of a site are deleted.
-- With the caller's rights, who may delete letters.
CREATE OR REPLACE FUNCTION site_letters_step(p_site_id text, p_user_id text,
                                             p_from timestamptz, p_max_rows integer,
                                             OUT upto timestamptz, OUT deleted bigint)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT created_at INTO upto FROM dead_letters
     WHERE created_at >= p_from ORDER BY created_at OFFSET p_max_rows LIMIT 1;
    IF upto = p_from THEN
        upto := upto + interval '1 microsecond';
    END IF;
    DELETE FROM dead_letters d
     WHERE d.created_at >= p_from AND d.created_at < coalesce(upto, 'infinity')
       AND (d.site_id = p_site_id OR d.site_id IS NULL AND p_user_id IS NOT NULL)
       AND (p_user_id IS NULL OR letter_is_of(d.payload, p_site_id, p_user_id));
    GET DIAGNOSTICS deleted = ROW_COUNT;
END
$$;
