-- roles.sql -- three roles, so that each program has the rights it needs and no others.
--
--   analytics_owner       owns the schema and migrates it: processor --migrate
--   analytics_processor   stores events and dead letters, rolls up, keeps partitions
--   analytics_reporting   reads what /stats shows
--
-- Not a migration: an administrator (a superuser) runs it in the database of the suite,
-- before or after the first migration, and as often as he likes.  It may be the schema's
-- present owner: what belongs to the owner of schema_version is given to analytics_owner.
-- Then the administrator sets passwords, and the three programs get a DATABASE_URL each:
--
--   psql -d analytics -v ON_ERROR_STOP=1 -f sql/roles.sql
--   ALTER ROLE analytics_owner PASSWORD '...'; and so on
--
-- It runs nothing that analytics_owner may have made: no function, operator or trigger of the
-- schema is met here, or the password of that role would be worth an administrator's.  (SET
-- ROLE would be no protection: what is called then may RESET it.)
--
-- Plain SQL without psql's commands, and an empty line after each statement and nowhere
-- else, so that it can be given to a server in single-user mode too.

SELECT pg_catalog.set_config('analytics.schema', pg_catalog.current_schema(), false);

SET search_path = pg_catalog, pg_temp;

DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['analytics_owner', 'analytics_processor',
                                'analytics_reporting']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION '
                       'NOBYPASSRLS', role);
    END LOOP;
END
$$;

-- A second lock beside the missing privileges: no statement of reporting's can write.
ALTER ROLE analytics_reporting SET default_transaction_read_only = on;

-- A question whose asker has gone ends with its connection, behind a pooler, too.
ALTER ROLE analytics_reporting SET client_connection_check_interval = '250ms';

-- Only a superuser may make it; the migrations find it there.
DO $$
BEGIN
    EXECUTE format('CREATE EXTENSION IF NOT EXISTS hll SCHEMA %I',
                   current_setting('analytics.schema'));
END
$$;

-- Nobody else gets in, and nobody but the owner makes anything; the processor's temporary
-- table is for batches of which some events are stored already.
DO $$
DECLARE
    base   text := quote_ident(current_database());
    schema text := quote_ident(current_setting('analytics.schema'));
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %s FROM PUBLIC', base);
    EXECUTE format('GRANT CONNECT ON DATABASE %s TO analytics_owner, analytics_processor, '
                   'analytics_reporting', base);
    EXECUTE format('GRANT TEMPORARY ON DATABASE %s TO analytics_processor', base);
    EXECUTE format('REVOKE ALL ON SCHEMA %s FROM PUBLIC', schema);
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO analytics_processor, analytics_reporting',
                   schema);
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %s TO analytics_owner', schema);
END
$$;

-- Large objects are everybody's to make otherwise.
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid),
    pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;

-- A schema that somebody else has made: tables (their sequences and indexes follow), types
-- and functions, but for those of extensions.
DO $$
DECLARE
    schema  text := quote_ident(current_setting('analytics.schema'));
    present oid := (SELECT relowner FROM pg_class
                     WHERE oid = to_regclass(schema || '.schema_version')::oid);
    thing   record;
BEGIN
    FOR thing IN
        SELECT 'TABLE' AS kind, oid::regclass::text AS name, 'pg_class'::regclass AS class,
               oid
          FROM pg_class
         WHERE relnamespace = schema::regnamespace AND relowner = present
           AND relkind IN ('r', 'p', 'v')
         UNION ALL
        SELECT 'TYPE', t.oid::regtype::text, 'pg_type'::regclass, t.oid
          FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
         WHERE typnamespace = schema::regnamespace AND typowner = present
         UNION ALL
        SELECT 'ROUTINE', oid::regprocedure::text, 'pg_proc'::regclass, oid
          FROM pg_proc
         WHERE pronamespace = schema::regnamespace AND proowner = present
    LOOP
        IF NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = thing.class AND objid = thing.oid
                          AND deptype = 'e') THEN
            EXECUTE format('ALTER %s %s OWNER TO analytics_owner', thing.kind, thing.name);
        END IF;
    END LOOP;
END
$$;

-- The same as grant_privileges() of the schema, which is not called: it is the owner's.  What
-- is not there yet, or was not in an older schema, is granted by the migration that makes it.
DO $$
DECLARE
    schema text := quote_ident(current_setting('analytics.schema'));
    thing  record;
    name   text;
BEGIN
    FOR thing IN
        SELECT * FROM (VALUES
            ('SELECT', 'TABLE', 'analytics_processor',
             'schema_version schema_functions rollup_state rollup_aside events_id_seq'),
            ('USAGE', 'SEQUENCE', 'analytics_processor', 'events_id_seq'),
            ('SELECT, INSERT, UPDATE, DELETE', 'TABLE', 'analytics_processor',
             'dead_letters'),
            ('EXECUTE', 'FUNCTION', 'analytics_processor',
             'rollup_chunk rollup_chunk_alone rollup_set_aside rollup_configure '
             'rollup_keep_sites visits_open sites_list site_is_known site_make '
             'site_rebuild_begin site_rebuild_step site_sweep site_forget_step '
             'site_delete_begin site_delete_step '
             'events_add_partitions events_drop_old events_keep_paths_index'),
            ('SELECT', 'TABLE', 'analytics_reporting',
             'schema_version events sites dimensions dictionary totals counts visits '
             'rollup_state '
             'site_days site_values site_visits')
            ) AS things (privileges, kind, role, names)
    LOOP
        FOREACH name IN ARRAY string_to_array(thing.names, ' ') LOOP
            name := schema || '.' || name;
            IF (thing.kind = 'FUNCTION' AND to_regproc(name) IS NOT NULL)
               OR (thing.kind <> 'FUNCTION' AND to_regclass(name) IS NOT NULL) THEN
                EXECUTE format('GRANT %s ON %s %s TO %s', thing.privileges, thing.kind, name,
                               thing.role);
            END IF;
        END LOOP;
    END LOOP;
    SELECT string_agg(quote_ident(attname), ', ') INTO name FROM pg_attribute
     WHERE attrelid = to_regclass(schema || '.events')::oid AND attnum > 0
       AND NOT attisdropped AND attname NOT IN ('id', 'created_at');
    IF name IS NOT NULL THEN
        EXECUTE format('GRANT INSERT (%s) ON %s.events TO analytics_processor', name, schema);
    END IF;
END
$$;

RESET search_path;
