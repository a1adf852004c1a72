-- privileges.sql: what the three roles of roles.sql may do, if there are any.
--
-- The processor's role may not change the schema, and what it writes beside events and
-- dead letters it writes through functions.  Those run with the rights of their
-- owner, so nothing that a caller can make may come between them and what they name: the
-- search path is fixed, temporary objects last, and not everybody may call them.  The
-- other two are for administrators, so that a partition that they make is the owner's too,
-- and what was set aside is counted with the owner's rights.

DO $$
DECLARE
    path     text;
    function text;
BEGIN
    SELECT string_agg(DISTINCT quote_ident(s), ', ') INTO path
      FROM (SELECT current_schema() UNION ALL
            SELECT extnamespace::regnamespace::text FROM pg_extension
             WHERE extname = 'hll') AS schemas (s);
    FOREACH function IN ARRAY ARRAY['rollup_chunk(bigint, bigint, bigint)',
                                    'rollup_chunk_alone(bigint, integer)',
                                    'rollup_set_aside(bigint, text)',
                                    'rollup_retry_aside(integer)',
                                    'rollup_configure(integer, integer, integer)',
                                    'rollup_keep_sites(integer, integer)',
                                    'visits_open(integer)',
                                    'sites_list()',
                                    'site_is_known(text)',
                                    'site_make(text, text)',
                                    'site_rebuild_begin(text, text)',
                                    'site_rebuild_step(integer, integer)',
                                    'site_sweep(integer)',
                                    'site_forget_step(text, text, timestamptz, integer)',
                                    'site_delete_begin(text)',
                                    'site_delete_step(text, bigint, integer)',
                                    'events_add_partition(date)',
                                    'events_add_partitions(integer, integer)',
                                    'events_drop_old(integer, integer)',
                                    'events_keep_paths_index(integer)']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %s, pg_temp',
                       function, path);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
    END LOOP;
END
$$;

-- Grants what the roles need that exist.  roles.sql grants the same, so that the order of the
-- two does not matter.  This file comes last: a function that is made anew has lost what is
-- set here.
--
-- Of events the processor may set what comes from an event, and neither id nor created_at:
-- the roll-up relies on the ids.
CREATE OR REPLACE FUNCTION grant_privileges() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'analytics_processor') THEN
        GRANT SELECT ON schema_version, schema_functions, rollup_state, rollup_aside,
                        events_id_seq TO analytics_processor;
        EXECUTE (SELECT format('GRANT INSERT (%s) ON events TO analytics_processor',
                               string_agg(quote_ident(attname), ', '))
                   FROM pg_attribute
                  WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped
                    AND attname NOT IN ('id', 'created_at'));
        GRANT USAGE ON SEQUENCE events_id_seq TO analytics_processor;
        GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letters TO analytics_processor;
        GRANT EXECUTE ON FUNCTION rollup_chunk, rollup_chunk_alone, rollup_set_aside,
                                  rollup_configure, rollup_keep_sites, visits_open,
                                  sites_list, site_is_known, site_make, site_rebuild_begin,
                                  site_rebuild_step, site_sweep, site_forget_step,
                                  site_delete_begin, site_delete_step,
                                  events_add_partitions, events_drop_old,
                                  events_keep_paths_index
           TO analytics_processor;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'analytics_reporting') THEN
        GRANT SELECT ON schema_version, events, sites, dimensions, dictionary, totals, counts,
                        visits, rollup_state, site_days, site_values, site_visits
           TO analytics_reporting;
    END IF;
END
$$;

SELECT grant_privileges();
