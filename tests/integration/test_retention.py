"""Retention beside the rest of a processor's work."""
from support.months import month
from support.wait import wait_until

INSERT = ("INSERT INTO events (site_id, event_type, path, user_id, timestamp) "
          "VALUES (%s, 'v', %s, %s, %s)")


def test_events_are_counted_while_many_old_ones_are_deleted(daemons, redis, database):
    """And a processor that is to end waits for one transaction of it."""
    database.rows("INSERT INTO events (site_id, event_type, path, timestamp) SELECT 's', 'v', '/',"
                  " '2001-01-01' FROM generate_series(1, 70000)")
    database.rows("SELECT b.* FROM rollup_settled(9000) s, rollup_chunk(s, 100000) b")
    database.rows("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;"
                  "CREATE TRIGGER slow BEFORE DELETE ON events_default FOR EACH STATEMENT "
                  "EXECUTE FUNCTION slow()")
    processor = daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                              EVENTS_RETENTION_MONTHS=2)

    def old():
        return database.value("SELECT count(*) FROM events_default")
    wait_until(lambda: old() < 70000, 30, "the first to go")
    database.rows(INSERT, ("new", "/", "u", f"{month(0)}T10:00:00Z"))
    wait_until(lambda: database.value("SELECT total_views FROM stats('new', NULL)") == 1, 30)
    assert old() > 0
    processor.stop()
    assert old() > 0
    daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                  EVENTS_RETENTION_MONTHS=2)
    wait_until(lambda: old() == 0, 60, "the last to go")
