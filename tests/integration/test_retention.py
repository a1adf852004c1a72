"""Retention and the index on paths, beside the rest of a processor's work."""
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


PATHS_INDEXES = ("SELECT count(*) FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid"
                 " WHERE pg_get_indexdef(x.indexrelid) LIKE '%left%' AND t.relname LIKE 'events%'"
                 " AND x.indisvalid")
TABLES = "SELECT 1 + count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"


def test_the_index_on_paths_is_left_out_and_built_again(daemons, redis, database):
    """While events come, with partitions that come in between, and to the last one of them."""
    def start(wanted, ahead):
        return daemons.start("processor", REDIS_URL=redis.url, DATABASE_URL=database.url,
                             PATHS_INDEX=wanted, PARTITION_MONTHS_BACK=2, PARTITION_MONTHS_AHEAD=ahead)

    def stores(path):
        database.rows(INSERT, ("s", path, "u", f"{month(0)}T10:00:00Z"))
    assert database.value(PATHS_INDEXES) == database.value(TABLES)
    daemon = start("false", 1)
    wait_until(lambda: database.value(PATHS_INDEXES) == 0, 20, "the index to be dropped")
    stores("/without")
    daemon.stop()
    tables = database.value(TABLES)
    daemon = start("false", 4)
    wait_until(lambda: database.value(TABLES) > tables, 20, "a new partition")
    daemon.stop()
    assert database.value(PATHS_INDEXES) == 0, "also on a new partition"
    daemon = start("true", 5)
    wait_until(lambda: database.value(PATHS_INDEXES) == database.value(TABLES), 60, "the index to be whole")
    stores("/with")
    wait_until(lambda: database.value("SELECT total_views FROM stats('s', NULL)") == 2, 30)
    daemon.stop()
    assert not daemon.log_lines("could not")
