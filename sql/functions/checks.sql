-- checks.sql: what others begin with: the range of an argument, the locks.

-- Refuses an argument.  Functions that run with their owner's rights check all of theirs,
-- for whoever may call them may call them with anything.
CREATE OR REPLACE FUNCTION must_be_within(p_name text, p_value bigint, p_low bigint,
                                          p_high bigint)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_value IS NULL OR p_value < p_low OR p_value > p_high THEN
        RAISE EXCEPTION '% must be from % to %, not %', p_name, p_low, p_high,
                        coalesce(p_value::text, 'NULL')
              USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Refuses what is no id that was given out: a bound beyond the newest would have the events
-- that come after it counted never.
CREATE OR REPLACE FUNCTION rollup_check_id(p_name text, p_id bigint, p_low bigint)
RETURNS void
LANGUAGE sql AS $$
    SELECT must_be_within(p_name, p_id, p_low,
                          CASE WHEN is_called THEN last_value ELSE 0 END)
      FROM events_id_seq
$$;

-- The lock that only one roll-up at a time holds; retention takes it too.
CREATE OR REPLACE FUNCTION rollup_lock_key() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 7236271843561001 $$;

-- Refuses what is no site_id.
CREATE OR REPLACE FUNCTION must_be_site(p_site_id text) RETURNS void
LANGUAGE sql AS $$
    SELECT must_be_within('the length of p_site_id', length(p_site_id), 1, 255)
$$;

-- What the processors' settings say about the roll-up.
CREATE OR REPLACE FUNCTION rollup_configure(p_sites_max integer, p_values_max integer,
                                            p_hours_days integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM must_be_within('p_sites_max', p_sites_max, 1, 10000000),
            must_be_within('p_values_max', p_values_max, 1, 1000000),
            must_be_within('p_hours_days', p_hours_days, 7, 36500);
    UPDATE rollup_state
       SET sites_max = p_sites_max, values_max = p_values_max, hours_days = p_hours_days,
           hours_from = CASE WHEN position = 0 THEN hours_from
                             ELSE greatest(hours_from, (now() AT TIME ZONE 'UTC')::date
                                                       - hours_days) END
     WHERE (sites_max, values_max, hours_days) <> (p_sites_max, p_values_max, p_hours_days);
END
$$;
