-- incoming.sql: where a batch goes first when some of its events may be stored already.

-- One table a session, empty again after each transaction: the columns of events that come
-- from an event, and the place in the batch.  Their names and types are read from the
-- catalogue, for the processor's role may not read events itself.
CREATE OR REPLACE FUNCTION events_prepare_incoming() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    columns text;
BEGIN
    IF to_regclass('pg_temp.events_incoming') IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
                             CASE WHEN attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END),
                      ', ' ORDER BY attnum)
      INTO columns FROM pg_attribute
     WHERE attrelid = 'events'::regclass AND attnum > 0 AND NOT attisdropped
       AND attname NOT IN ('id', 'created_at');
    EXECUTE format('CREATE TEMPORARY TABLE events_incoming (place integer, %s)
                        ON COMMIT DELETE ROWS', columns);
END
$$;
